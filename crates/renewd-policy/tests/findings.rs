//! Documents with faults, each with the exact findings they give: `tests/data/findings.txt`.
//!
//! A case is `### name`, a document, and one line `#=> line:column code: message | hint` per finding (`warning` before
//! the code of a warning). `RENEWD_UPDATE=1` rewrites the expectations; read the difference before keeping it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use renewd_policy::{Finding, Severity, load_texts};
use std::fmt::Write as _;
use std::path::PathBuf;

fn base() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/base")
}

fn shown(finding: &Finding) -> String {
    let file = finding.file.rsplit('/').next().unwrap();
    let file = if file == "case.yaml" { String::new() } else { format!("{file}:") };
    let warning = if finding.severity == Severity::Warning { "warning " } else { "" };
    let hint = finding.hint.as_deref().map(|hint| format!(" | {hint}")).unwrap_or_default();
    let place = finding.place;
    format!("{file}{}:{} {warning}{}: {}{hint}", place.line, place.column, finding.code, finding.message)
        .replace(&format!("{}/", base().display()), "")
}

fn check(text: &str) -> Vec<String> {
    let base_text = std::fs::read(base().join("base.yaml")).unwrap();
    let files = [(base().join("base.yaml"), base_text.as_slice()), (base().join("case.yaml"), text.as_bytes())];
    load_texts(files).findings().iter().map(shown).collect()
}

#[test]
fn each_fault_gives_exactly_its_findings() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/findings.txt");
    let data = std::fs::read_to_string(&path).unwrap();
    let (mut rewritten, mut wrong, mut count) = (String::new(), String::new(), 0);
    let mut cases = data.split("### ");
    rewritten.push_str(cases.next().unwrap());
    for case in cases {
        let (name, body) = case.split_once('\n').unwrap();
        let is_expectation = |line: &&str| line.starts_with("#=> ");
        let yaml: Vec<&str> = body.lines().filter(|line| !is_expectation(line)).collect();
        let yaml = format!("{}\n", yaml.join("\n").trim_end());
        let expected: Vec<&str> = body.lines().filter(is_expectation).map(|line| &line[4..]).collect();
        let text = if !yaml.starts_with(' ') || name.starts_with("raw") {
            yaml.replace("<TAB>", "\t").replace("<NEL>", "\u{85}").replace("<BELL>", "\u{7}")
        } else {
            format!("apiVersion: renewd/v1\nkind: RenewalPolicy\nmetadata: {{ name: p }}\nspec:\n{yaml}")
        };
        let found = check(&text);
        if found != expected {
            writeln!(wrong, "{name}\n  expected {expected:#?}\n  found    {found:#?}").unwrap();
        }
        write!(rewritten, "### {name}\n{yaml}").unwrap();
        found.iter().for_each(|line| writeln!(rewritten, "#=> {line}").unwrap());
        rewritten.push('\n');
        count += 1;
    }
    if std::env::var_os("RENEWD_UPDATE").is_some() {
        std::fs::write(&path, rewritten).unwrap();
        return;
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count > 50, "{count}");
}
