//! What a reviewer would otherwise have to look for: sizes, heads of files, leftovers, and documents that keep up with
//! the tree they describe.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this whole program is tests: a panic is how one fails"
)]

use renewd_tests::repository::{files, root, text};
use std::collections::BTreeSet;

const FILE_LINES_MAX: usize = 700;
const FUNCTION_LINES_MAX: usize = 70;
/// What the invariants' tests are called in ARCHITECTURE.md.
const HELD_BY: &str = "Held by `";

fn rust_files() -> Vec<String> {
    ["crates", "plugins", "tests"].into_iter().flat_map(|folder| files(folder, ".rs")).collect()
}

fn documents() -> Vec<String> {
    let mut found: Vec<String> =
        ["docs", "examples", "plugins", "crates"].into_iter().flat_map(|it| files(it, ".md")).collect();
    found.extend(["README.md", "ARCHITECTURE.md", "CHANGELOG.md"].map(str::to_owned));
    found
}

#[test]
fn files_are_small_and_say_what_they_are_for() {
    for file in rust_files() {
        let whole = text(&file);
        let lines = whole.lines().count();
        assert!(lines <= FILE_LINES_MAX, "{file} has {lines} lines: split it by idea");
        assert!(whole.starts_with("//! "), "{file} does not start with `//! ` and what it is for");
    }
}

#[test]
fn functions_fit_on_a_screen() {
    let mut long = Vec::new();
    for file in rust_files() {
        let whole = text(&file);
        let lines: Vec<&str> = whole.lines().collect();
        for (start, line) in lines.iter().enumerate().filter(|(_, line)| is_function(line)) {
            let indent = line.len() - line.trim_start().len();
            let close = format!("{}}}", " ".repeat(indent));
            let end = lines[start..].iter().position(|it| *it == close);
            let next =
                lines[start + 1..].iter().position(|it| is_function(it) && it.len() - it.trim_start().len() == indent);
            if let Some(length) = end.filter(|end| next.is_none_or(|next| *end <= next + 1))
                && length + 1 > FUNCTION_LINES_MAX
            {
                long.push(format!("{file}:{}: {} lines", start + 1, length + 1));
            }
        }
    }
    assert!(long.is_empty(), "functions of more than {FUNCTION_LINES_MAX} lines:\n{}", long.join("\n"));
}

fn is_function(line: &str) -> bool {
    let line = line.trim_start();
    ["fn ", "pub fn ", "pub(crate) fn ", "pub(super) fn ", "const fn ", "pub const fn "]
        .iter()
        .any(|head| line.starts_with(head))
}

#[test]
fn nothing_is_left_over() {
    // Written in halves, because this file is looked at too.
    let banned = [
        ("TO", "DO"),
        ("FIX", "ME"),
        ("db", "g!("),
        ("to", "do!("),
        ("/wo", "rk/"),
        ("/ro", "ot/"),
        (".only", "_this"),
    ];
    let banned: Vec<String> = banned.iter().map(|(head, tail)| format!("{head}{tail}")).collect();
    let others = ["yaml", "toml", "md", "wit"].into_iter().flat_map(|ending| files("", &format!(".{ending}")));
    for file in rust_files().into_iter().chain(others) {
        for (index, line) in text(&file).lines().enumerate() {
            for word in &banned {
                assert!(!line.contains(word.as_str()), "{file}:{} has `{word}`: {line}", index + 1);
            }
        }
    }
}

#[test]
fn test_files_are_not_forgotten() {
    let listed = text("tests/tests/cli/main.rs");
    for file in files("tests/tests/cli", ".rs") {
        let module = file.rsplit('/').next().unwrap().trim_end_matches(".rs");
        assert!(module == "main" || listed.contains(&format!("mod {module};")), "{file} is in no `mod` of main.rs");
    }
}

/// The numbered lines below `## Invariants`, joined over their continuation lines.
fn invariants() -> Vec<String> {
    let architecture = text("ARCHITECTURE.md");
    let section = architecture.split("\n## ").find(|section| section.starts_with("Invariants")).expect("a section");
    let mut found: Vec<String> = Vec::new();
    for line in section.lines() {
        let numbered = line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
        match found.last_mut() {
            _ if numbered => found.push(line.to_owned()),
            Some(last) if line.starts_with("   ") => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => {}
        }
    }
    found
}

#[test]
fn every_invariant_names_a_test_that_exists() {
    let sources: Vec<String> = rust_files().iter().map(|file| text(file)).collect();
    let invariants = invariants();
    assert!(invariants.len() >= 10, "{invariants:?}");
    for (index, invariant) in invariants.iter().enumerate() {
        assert!(
            invariant.starts_with(&format!("{}. ", index + 1)),
            "the invariants are numbered in order: {invariant}"
        );
        let (_, tests) = invariant.split_once(HELD_BY).unwrap_or_else(|| panic!("no test is named by: {invariant}"));
        for name in tests.split('`').step_by(2) {
            let function = format!("fn {}(", name.rsplit("::").next().unwrap());
            let exists = sources.iter().any(|source| source.contains(&function));
            assert!(exists, "there is no test `{name}`, which is to hold: {invariant}");
        }
    }
}

/// Names of the foreign crates in a manifest's tables of dependencies.
fn foreign(manifest: &str) -> BTreeSet<String> {
    let mut inside = false;
    let mut found = BTreeSet::new();
    for line in text(manifest).lines() {
        if line.starts_with('[') {
            inside = line.trim_end_matches(']').ends_with("dependencies");
        } else if let (true, Some(name)) = (inside, line.split(['=', '.', ' ']).next())
            && !name.is_empty()
            && !name.starts_with('#')
            && !name.starts_with("renewd")
            && !name.starts_with('"')
        {
            found.insert(name.to_owned());
        }
    }
    found
}

#[test]
fn every_dependency_has_its_reason() {
    let architecture = text("ARCHITECTURE.md");
    let section = architecture.split("\n## ").find(|section| section.starts_with("Dependencies")).expect("a section");
    let explained: BTreeSet<String> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .filter_map(|row| row.split(" |").next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let manifests = files("crates", "Cargo.toml").into_iter().chain(["tests/Cargo.toml".to_owned()]);
    let used: BTreeSet<String> = manifests.flat_map(|manifest| foreign(&manifest)).collect();
    let unexplained: Vec<_> = used.difference(&explained).collect();
    assert!(unexplained.is_empty(), "ARCHITECTURE.md gives no reason for {unexplained:?}");
    let unused: Vec<_> = explained.difference(&used).collect();
    assert!(unused.is_empty(), "ARCHITECTURE.md explains what nothing uses: {unused:?}");
}

#[test]
fn links_between_documents_lead_somewhere() {
    for file in documents() {
        let folder = root().join(&file).parent().unwrap().to_path_buf();
        for link in text(&file).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.starts_with('#') {
                continue;
            }
            let path = folder.join(link.split('#').next().unwrap());
            assert!(path.exists(), "{file} links to `{link}`, which is not there");
        }
    }
}

/// The words that a match arm of a source file gives: `=> "word"`.
fn words_given_by(file: &str) -> Vec<String> {
    let whole = text(file);
    let given = whole.lines().filter_map(|line| line.split_once("=> \""));
    given.filter_map(|(_, rest)| rest.split_once('"')).map(|(word, _)| word.to_owned()).collect()
}

#[test]
fn the_closed_lists_are_documented_in_full() {
    let documented = text("docs/cli.md");
    let words = words_given_by("crates/renewd-core/src/refusal.rs");
    assert!(words.len() > 30, "{words:?}");
    for word in words {
        assert!(documented.contains(&format!("`{word}`")), "docs/cli.md does not list `{word}`");
    }
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "64", "70"] {
        assert!(documented.contains(&format!("| {code} | ")), "docs/cli.md does not explain exit code {code}");
    }
}

#[test]
fn the_lock_pins_the_committed_plugins() {
    let built = text("plugins/dist/BUILD.toml");
    let lock = text("policies/renewd.lock");
    let pinned: Vec<&str> = lock.lines().filter_map(|line| line.trim().strip_prefix("sha256: ")).collect();
    assert_eq!(pinned.len(), 2, "{lock}");
    for digest in pinned {
        let hint = "after a rebuild: `renewd plugin lock policies --upgrade NAME`";
        assert!(built.contains(digest), "policies/renewd.lock pins {digest}, which plugins/dist does not have; {hint}");
    }
}

#[test]
fn the_texts_that_every_release_needs_are_there() {
    for file in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "docs/cli.md",
        "docs/documents.md",
        "docs/plugins.md",
        "docs/arithmetic.md",
        "docs/events.md",
    ] {
        assert!(text(file).len() > 400, "{file} says too little");
    }
    assert!(text("CHANGELOG.md").contains("## 0.1.0"), "the changelog has the version of Cargo.toml");
    assert!(text("Cargo.toml").contains("version = \"0.1.0\""));
    let architecture = text("ARCHITECTURE.md").lines().count();
    assert!(architecture <= 250, "ARCHITECTURE.md has {architecture} lines; it is a map, not the land");
}
