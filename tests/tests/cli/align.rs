//! `align date`: one calculation without a store, for any input.

use renewd_tests::process::Answer;
use renewd_tests::world::World;

fn align<const N: usize>(args: [&str; N]) -> Answer {
    let world = World::new();
    let answer = renewd_tests::process::answer(&mut renewd_tests::process::command(
        world.path(),
        None,
        ["align", "date"].into_iter().chain(args),
    ));
    assert!(!world.store().exists(), "no store is made");
    answer
}

#[test]
fn the_worked_example_is_answered_to_the_letter() {
    let args = ["2020-04-28T23:59:59", "--zone", "Asia/Shanghai", "--term", "P1M", "--renewal-day", "15", "-o", "json"];
    let answer = align(args).exits(0);
    assert_eq!(
        answer.stdout.trim_end(),
        r#"{"base":"2020-05-28T23:59:59+08:00","newExpiry":"2020-06-15T23:59:59+08:00","extraDays":18,"fraction":"18/31","next":[]}"#
    );
}

#[test]
fn a_count_gives_a_schedule_that_starts_with_the_new_expiry() {
    let args = ["2025-01-31T23:59:59", "--zone", "UTC", "--term", "P1M", "--count", "3", "-o", "json"];
    let answer = align(args).exits(0).json();
    let next = ["2025-02-28T23:59:59+00:00", "2025-03-31T23:59:59+00:00", "2025-04-30T23:59:59+00:00"];
    assert_eq!(answer["next"], serde_json::json!(next));
    assert_eq!(answer["newExpiry"], next[0]);
    assert_eq!(answer["fraction"], "0");
}

#[test]
fn every_option_has_its_say() {
    for (args, field, value) in [
        (["2025-01-31", "--month-end", "clamp", "--count", "2"].as_slice(), "newExpiry", "2025-02-28T00:00:00+00:00"),
        (&["2025-02-28", "--anchor-day", "31"], "newExpiry", "2025-03-31T00:00:00+00:00"),
        (&["2025-02-28", "--month-end", "end-of-month"], "newExpiry", "2025-03-31T00:00:00+00:00"),
        (&["2023-04-23", "--renewal-day", "15", "--proration", "fixed-30"], "fraction", "23/30"),
        (&["2025-03-18", "--renewal-day", "8", "--proration", "natural-months"], "fraction", "13/30 + 7/31"),
        (&["2025-01-10", "--renewal-day", "last", "--proration", "actual"], "fraction", "18/28"),
        (&["2025-04-25", "--renewal-day", "1", "--of", "term"], "fraction", "7/31"),
    ] {
        let all: Vec<&str> = args.iter().copied().chain(["--zone", "UTC", "--term", "P1M", "-o", "json"]).collect();
        let world = World::new();
        let mut command =
            renewd_tests::process::command(world.path(), None, ["align", "date"].into_iter().chain(all.clone()));
        let answer = renewd_tests::process::answer(&mut command).exits(0).json();
        assert_eq!(answer[field], value, "{all:?}: {answer}");
    }
}

#[test]
fn a_wrong_day_zone_term_or_date_is_3_with_a_hint() {
    for args in [
        ["2020-04-28", "--zone", "Asia/Shanghai", "--term", "P1M", "--renewal-day", "31"],
        ["2020-04-28", "--zone", "Asia/Shanghai", "--term", "P1M", "--renewal-day", "0"],
        ["2020-04-28", "--zone", "Asia/Shanghai", "--term", "P1M", "--renewal-day", "soon"],
        ["2020-04-28", "--zone", "Asia/Shangai", "--term", "P1M", "--renewal-day", "15"],
        ["2020-04-28", "--zone", "Asia/Shanghai", "--term", "P0M", "--renewal-day", "15"],
        ["2020-04-28", "--zone", "Asia/Shanghai", "--term", "1 fortnight", "--renewal-day", "15"],
        ["2020-04-31", "--zone", "Asia/Shanghai", "--term", "P1M", "--renewal-day", "15"],
        ["28.04.2020", "--zone", "Asia/Shanghai", "--term", "P1M", "--renewal-day", "15"],
        ["9999-12-31", "--zone", "Asia/Shanghai", "--term", "P1Y", "--renewal-day", "15"],
    ] {
        let answer = align(args).exits(3);
        assert!(answer.stderr.contains("hint: "), "{args:?}: {}", answer.stderr);
        assert!(answer.stdout.is_empty(), "{args:?}: {}", answer.stdout);
    }
}

#[test]
fn errors_are_json_where_json_was_asked_for() {
    let answer = align(["2020-04-28", "--zone", "Asia/Shangai", "--term", "P1M", "-o", "json"]).exits(3);
    let error = answer.error();
    assert!(error["error"]["message"].as_str().unwrap().contains("Asia/Shangai"), "{error}");
    assert!(error["error"]["hint"].as_str().unwrap().contains("Asia/Shanghai"), "{error}");
}
