//! Writes `tests/RELIABILITY.md` from what the suites left in `target/reliability`: `renewd-reliability COMMIT DATE`.
//! What was not run this time stays as the page has it, with the version that it was run with. It refuses to leave a suite
//! out, and changes no count: it adds up those of suites that were run in parts.

#![allow(clippy::print_stderr, reason = "a program for tests that says what is missing")]

use renewd_tests::fragment::folder;
use renewd_tests::repository::root;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// Words that do not come from a run.
const HEAD: &str = include_str!("reliability-head.md");
const FOOT: &str = include_str!("reliability-foot.md");

/// What the page is about. A suite that fails, or is skipped, leaves nothing behind.
const SUITES: [&str; 16] = [
    "bit-flips",
    "crash-points",
    "cuts-localstripe",
    "cuts-stripe-stateful-mock",
    "failing-calls",
    "full-disk",
    "gateway-fates",
    "index-damage",
    "in-flight",
    "planted-faults",
    "power-cuts",
    "random-kills",
    "simulator",
    "sync-before-ack",
    "together",
    "torn-tails",
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [commit, date] = args.as_slice() else {
        eprintln!("usage: renewd-reliability COMMIT DATE");
        return ExitCode::FAILURE;
    };
    let file = root().join("tests/RELIABILITY.md");
    let before = Page::parse(&std::fs::read_to_string(&file).unwrap_or_default());
    let written = fragments(&folder()).and_then(|suites| {
        let mut page = before;
        page.take(&suites, &format!("`{commit}`, {date}"));
        std::fs::write(file, page.text()?).map_err(|error| error.to_string())
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// All suites that were run, by name, parts of one as one.
fn fragments(folder: &Path) -> Result<Vec<Value>, String> {
    let read = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files: Vec<_> =
        std::fs::read_dir(folder).map_err(read)?.filter_map(Result::ok).map(|it| it.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    let parse = |file: &std::path::PathBuf| {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
    };
    let parts: Vec<Value> = files.iter().map(parse).collect::<Result<_, String>>()?;
    let mut whole: Vec<Value> = Vec::new();
    for part in parts {
        let known = whole.iter().position(|suite| suite.get("suite") == part.get("suite"));
        match known.and_then(|at| whole.get_mut(at)) {
            Some(suite) => add(suite, &part),
            None => whole.push(part),
        }
    }
    Ok(whole)
}

/// Adds a part of a suite to the parts before it: numbers are sums, lists go on, words stay.
fn add(suite: &mut Value, part: &Value) {
    match (suite, part) {
        (Value::Number(sum), Value::Number(more)) => {
            *sum = (sum.as_u64().unwrap_or_default() + more.as_u64().unwrap_or_default()).into();
        }
        (Value::Array(list), Value::Array(more)) => list.extend(more.iter().cloned()),
        (Value::Object(fields), Value::Object(more)) => {
            for (name, value) in more {
                match fields.get_mut(name) {
                    Some(known) => add(known, value),
                    None => _ = fields.insert(name.clone(), value.clone()),
                }
            }
        }
        (_, _) => {}
    }
}

/// What the page says, by suite: a row of the table, and a section of its own for some.
#[derive(Default)]
struct Page {
    rows: BTreeMap<String, String>,
    sections: BTreeMap<String, String>,
}

/// Headings of the sections that a suite writes.
const SECTIONS: [(&str, &str); 2] =
    [("simulator", "## Faults of the simulator\n"), ("planted-faults", "## Planted faults\n")];

const TABLE: &str = "| suite | tried | lost | doubled | silent | what was tried | seeds | version, day |\n\
                     |---|---:|---:|---:|---:|---|---|---|\n";

impl Page {
    /// The page as it stands.
    fn parse(text: &str) -> Self {
        let table = text.split_once(TABLE).map_or("", |(_, rest)| rest);
        let table = table.split_once("\n\n").map_or(table, |(rows, _)| rows);
        let named = |row: &str| Some((row.strip_prefix("| ")?.split_once(" |")?.0.to_owned(), format!("{row}\n")));
        let sections = SECTIONS.iter().filter_map(|(suite, heading)| {
            let (_, rest) = text.split_once(heading)?;
            let body = rest.split_once("\n## ").map_or(rest, |(body, _)| body);
            Some(((*suite).to_owned(), format!("{}\n", body.trim_end())))
        });
        Self { rows: table.lines().filter_map(named).collect(), sections: sections.collect() }
    }

    /// Takes what was run now in the place of what was run before.
    fn take(&mut self, suites: &[Value], version: &str) {
        for suite in suites {
            let name = suite["suite"].as_str().unwrap_or("?").to_owned();
            let sections = [struck(suite), planted(suite, version)];
            self.sections.extend(sections.into_iter().flatten().map(|section| (name.clone(), section)));
            if suite["faults"].is_null() {
                self.rows.insert(name, row(suite, version));
            }
        }
    }

    /// # Errors
    /// A suite was never run.
    fn text(&self) -> Result<String, String> {
        let known = |name: &&str| self.rows.contains_key(*name) || self.sections.contains_key(*name);
        let missing: Vec<&str> = SUITES.into_iter().filter(|name| !known(name)).collect();
        if !missing.is_empty() {
            return Err(format!("nothing was left by {}", missing.join(", ")));
        }
        let rows: String = self.rows.values().map(String::as_str).collect();
        let told = SECTIONS
            .iter()
            .filter_map(|(suite, heading)| self.sections.get(*suite).map(|section| format!("\n{heading}{section}")));
        Ok(format!("{HEAD}\n{TABLE}{rows}{}\n{FOOT}", told.collect::<String>()))
    }
}

fn row(suite: &Value, version: &str) -> String {
    let word = |name: &str| suite[name].as_str().unwrap_or("?").replace('|', "/");
    let count = |name: &str| suite[name].as_u64().map_or_else(|| "?".to_owned(), grouped);
    let seeds = suite["seeds"].as_array().map_or(&[][..], Vec::as_slice);
    let seeds: Vec<String> =
        seeds.iter().map(|seed| seed.as_str().map_or_else(|| seed.to_string(), str::to_owned)).collect();
    let (tried, lost, doubled, silent) = (count("tried"), count("lost"), count("doubled"), count("silent"));
    let counted = suite["counted"].as_object().into_iter().flatten();
    let counted: String =
        counted.map(|(what, count)| format!("; {} {what}", grouped(count.as_u64().unwrap_or_default()))).collect();
    format!(
        "| {} | {tried} | {lost} | {doubled} | {silent} | {}{counted} | {} | {version} |\n",
        word("suite"),
        word("note"),
        ranges(&seeds).join(", ")
    )
}

/// How often each fault struck in a suite that counts them.
fn struck(suite: &Value) -> Option<String> {
    let struck = suite["struck"].as_object()?;
    let worlds = suite["tried"].as_u64().unwrap_or_default().max(1) as f64;
    let told: Vec<String> =
        struck.iter().map(|(fault, seeds)| share(fault, 100.0 * seeds.as_f64().unwrap_or_default() / worlds)).collect();
    let head = "The share of its worlds in which each struck at least once, in percent.";
    Some(format!("\n{head}\n\n{}\n", told.join(" · ")))
}

fn share(fault: &str, percent: f64) -> String {
    format!("{fault} {percent:.1}")
}

/// Ranges of seeds, those that follow each other as one.
fn ranges(seeds: &[String]) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    for seed in seeds {
        let follows = |last: &String| Some((last.split_once("..")?.0.to_owned(), last.split_once("..")?.1.to_owned()));
        match (joined.last().and_then(follows), seed.split_once("..")) {
            (Some((first, end)), Some((from, to))) if end == from => {
                joined.pop();
                joined.push(format!("{first}..{to}"));
            }
            (_, _) => joined.push(seed.clone()),
        }
    }
    joined
}

/// The faults that were planted in the product, and what became of each.
fn planted(suite: &Value, version: &str) -> Option<String> {
    let faults = suite["faults"].as_array()?;
    let mut text = format!(
        "\nEach takes one sync, comparison, key, check or freeze out of the product; the simulator then has to notice. {} of \
         {} were caught ({version}).\n\n| fault | without it | caught by seed | as |\n|---|---|---:|---|\n",
        suite["caught"], suite["tried"]
    );
    for fault in faults {
        let word = |name: &str| fault[name].as_str().unwrap_or("**missed**").to_owned();
        let seed = fault["seed"].as_u64().map_or_else(|| "-".to_owned(), |seed| seed.to_string());
        // Writing to a String cannot fail.
        _ = writeln!(text, "| {} | {} | {seed} | {} |", word("name"), word("takesAway"), word("finding"));
    }
    Some(text)
}

/// Thousands apart, as people read them.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
