//! `align date` against the published vectors, its exact JSON, and what it refuses.

use super::support::{renewd, vectors};
use serde_json::Value;

fn json(args: &[&str]) -> Value {
    let mut all = vec!["align", "date"];
    all.extend(args);
    all.extend(["-o", "json"]);
    let ran = renewd(&all);
    assert_eq!(ran.code, 0, "{all:?}: {}", ran.stderr);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

fn date(value: &Value, field: &str) -> String {
    value[field].as_str().expect(field)[..10].to_owned()
}

#[test]
fn the_documented_example_prints_exactly() {
    let args = "align date 2020-04-28T23:59:59 --zone Asia/Shanghai --term P1M --renewal-day 15 -o json";
    let ran = renewd(&args.split(' ').collect::<Vec<_>>());
    assert_eq!(
        ran.stdout,
        "{\"base\":\"2020-05-28T23:59:59+08:00\",\"newExpiry\":\"2020-06-15T23:59:59+08:00\",\"extraDays\":18,\
         \"fraction\":\"18/31\",\"next\":[]}\n"
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn align_vectors() {
    for row in vectors("align.csv") {
        let (zone, expiry, term) = (row["zone"].as_str(), row["expiry"].as_str(), row["term"].as_str());
        let (day, rule) = (row["renewal_day"].as_str(), row["month_end"].as_str());
        let got = json(&[expiry, "--zone", zone, "--term", term, "--renewal-day", day, "--month-end", rule]);
        assert_eq!(date(&got, "base"), row["base"], "{row:?}");
        assert_eq!(date(&got, "newExpiry"), row["new_expiry"], "{row:?}");
        assert_eq!(got["extraDays"].to_string(), row["extra_days"], "{row:?}");
        let time = &expiry[11..];
        assert_eq!(&got["newExpiry"].as_str().expect("text")[11..19], time, "{row:?}");
    }
}

#[test]
fn schedule_vectors() {
    for row in vectors("schedule.csv") {
        let wanted: Vec<&str> = row["next_expiries"].split(' ').collect();
        let count = wanted.len().to_string();
        let got = json(&[&row["expiry"], "--term", &row["term"], "--month-end", &row["month_end"], "--count", &count]);
        let next: Vec<String> = got["next"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|at| at.as_str().expect("text")[..10].to_owned())
            .collect();
        assert_eq!(next, wanted, "{row:?}");
        assert_eq!(got["next"][0], got["newExpiry"], "{row:?}");
    }
}

#[test]
fn daylight_saving_vectors() {
    for row in vectors("dst.csv") {
        let wanted: Vec<&str> = row["next_expiries"].split(' ').collect();
        let count = wanted.len().to_string();
        let got = json(&[&row["expiry"], "--zone", &row["zone"], "--term", &row["term"], "--count", &count]);
        assert_eq!(got["next"], serde_json::json!(wanted), "{row:?}");
    }
}

/// These vectors start at the base; the expiry is the one that a term earlier leads to it.
#[test]
fn proration_vectors() {
    for row in vectors("proration.csv") {
        let base: chrono::NaiveDate = row["base"].parse().expect("a date");
        let months = if row["term"] == "P1Y" { 12 } else { 1 };
        let expiry = base.checked_sub_months(chrono::Months::new(months)).expect("a date");
        let expiry = format!("{expiry}T{}", row["local_time"]);
        let mut args = vec![expiry.as_str(), "--term", &row["term"], "--renewal-day", &row["renewal_day"]];
        args.extend(["--proration", &row["profile"], "--of", &row["of"]]);
        let got = json(&args);
        assert_eq!(date(&got, "base"), row["base"], "{row:?}");
        assert_eq!(date(&got, "newExpiry"), row["new_expiry"], "{row:?}");
        assert_eq!(got["fraction"].as_str(), Some(row["fraction"].as_str()), "{row:?}");
    }
}

#[test]
fn forms_of_an_expiry() {
    let base = |expiry: &str, zone: &str| json(&[expiry, "--zone", zone])["base"].as_str().expect("text").to_owned();
    assert_eq!(base("2020-04-28", "UTC"), "2020-05-28T00:00:00+00:00");
    assert_eq!(base("2020-04-28T23:59", "UTC"), "2020-05-28T23:59:00+00:00");
    assert_eq!(base("2020-04-28T23:59:59+08:00", "UTC"), "2020-05-28T15:59:59+00:00");
    assert_eq!(base("2020-04-28T23:59:59Z", "Asia/Shanghai"), "2020-05-29T07:59:59+08:00");
    assert_eq!(base("2020-04-28T23:59:59-03:30", "UTC"), "2020-05-29T03:29:59+00:00");
}

#[test]
fn wrong_values_are_invalid_input_with_a_hint() {
    for (args, said) in [
        ("2020-04-31", "`2020-04-31` is not an expiry"),
        ("20-04-28", "is not an expiry"),
        ("2020-04-28T24:00:00", "is not an expiry"),
        ("2020-04-28T23:59:60Z", "is not an expiry"),
        ("2020-04-28T10:00:00.5Z", "is not an expiry"),
        ("2020-04-28T10:00:00+25:00", "is not an expiry"),
        ("2020-04-28 --zone Asia/Shangai", "did you mean `Asia/Shanghai`?"),
        ("2020-04-28 --zone asia/shanghai", "did you mean `Asia/Shanghai`?"),
        ("2020-04-28 --term P1W", "`P1W` is not a term"),
        ("2020-04-28 --term P0M", "`P0M`"),
        ("2020-04-28 --term p1m", "did you mean `P1M`?"),
        ("2020-04-28 --renewal-day 29", "use 28 or `last`"),
        ("2020-04-28 --renewal-day 0", "`0` is not a renewal day"),
        ("2020-04-28 --renewal-day -1", "`-1` is not a renewal day"),
        ("2020-04-28 --anchor-day 3", "does not give the expiry date"),
        ("2020-04-28 --anchor-day 32", "`32` is not an anchor day"),
        ("2020-04-28 --count -1", "`-1` is not a count"),
        ("2020-04-28 --count 10001", "`10001` is not a count"),
        ("2020-04-28 --month-end ancor", "did you mean `anchor`?"),
        ("2020-04-28 --proration fixed", "is not a proration"),
        ("2020-04-28 --of year", "use `month` or `term`"),
        ("2020-04-28 --of term --proration fixed-30", "takes no proration"),
        ("9999-12-15", "outside the years"),
    ] {
        let all: Vec<&str> = ["align", "date"].into_iter().chain(args.split(' ')).collect();
        let ran = renewd(&all);
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{args}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains("\nhint: "), "{args}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{args}: {}", ran.stderr);
    }
}

#[test]
fn an_anchor_day_outlives_a_short_month() {
    let got = json(&["2025-02-28", "--anchor-day", "31", "--count", "2"]);
    assert_eq!(got["next"], serde_json::json!(["2025-03-31T00:00:00+00:00", "2025-04-30T00:00:00+00:00"]));
}

#[test]
fn text_and_yaml_say_the_same() {
    let args = ["align", "date", "2020-04-28", "--renewal-day", "15"];
    let text = renewd(&args).stdout;
    assert!(text.contains("new expiry  2020-06-15T00:00:00+00:00"), "{text}");
    assert!(text.lines().all(|line| line == line.trim_end()), "no line ends in spaces: {text}");
    let yaml = renewd(&[&args[..], &["-o", "yaml"]].concat()).stdout;
    assert!(yaml.contains("extraDays: 18\n") && yaml.contains("fraction: 18/31\n"), "{yaml}");
}
