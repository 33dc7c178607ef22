//! Writes `tests/RELIABILITY.md` from what the suites left in `target/reliability`: `renewd-reliability COMMIT DATE`.
//! It adds nothing to the counts, and leaves no suite out.

#![allow(clippy::print_stderr, reason = "a program for tests that says what is missing")]

use renewd_tests::fragment::folder;
use renewd_tests::repository::root;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// Words that do not come from a run.
const HEAD: &str = include_str!("reliability-head.md");
const FOOT: &str = include_str!("reliability-foot.md");

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [commit, date] = args.as_slice() else {
        eprintln!("usage: renewd-reliability COMMIT DATE");
        return ExitCode::FAILURE;
    };
    let written = suites(&folder()).and_then(|suites| {
        let file = root().join("tests/RELIABILITY.md");
        std::fs::write(file, page(commit, date, &suites)).map_err(|error| error.to_string())
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// All fragments, by name.
fn suites(folder: &Path) -> Result<Vec<Value>, String> {
    let read = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files: Vec<_> =
        std::fs::read_dir(folder).map_err(read)?.filter_map(Result::ok).map(|it| it.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    let parse = |file: &std::path::PathBuf| {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
    };
    files.iter().map(parse).collect()
}

fn page(commit: &str, date: &str, suites: &[Value]) -> String {
    let mut text = format!("{HEAD}\nOf commit `{commit}`, on {date}.\n\n");
    text.push_str(
        "| suite | tried | lost | doubled | silent | what was tried | seeds |\n|---|---:|---:|---:|---:|---|---|\n",
    );
    for suite in suites {
        let word = |name: &str| suite[name].as_str().unwrap_or("?").replace('|', "/");
        let count = |name: &str| suite[name].as_u64().map_or_else(|| "?".to_owned(), grouped);
        let seeds = suite["seeds"].as_array().map_or(&[][..], Vec::as_slice);
        let seeds: Vec<String> =
            seeds.iter().map(|seed| seed.as_str().map_or_else(|| seed.to_string(), str::to_owned)).collect();
        let (tried, lost, doubled, silent) = (count("tried"), count("lost"), count("doubled"), count("silent"));
        let row = format!(
            "| {} | {tried} | {lost} | {doubled} | {silent} | {} | {} |",
            word("suite"),
            word("note"),
            seeds.join(", ")
        );
        // Writing to a String cannot fail.
        _ = writeln!(text, "{row}");
    }
    text + "\n" + FOOT
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
