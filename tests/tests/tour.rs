//! The README and the examples are what they say: every console block is run, every YAML block is checked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this whole program is tests: a panic is how one fails"
)]

use renewd_tests::console::check;
use renewd_tests::process::{answer, command};
use renewd_tests::repository::{copy_folder, files, root, text};

#[test]
fn the_readme_shows_what_happens() {
    check("README.md");
}

#[test]
fn individual_renewal_shows_what_happens() {
    check("examples/individual-renewal.md");
}

#[test]
fn batch_renewal_shows_what_happens() {
    check("examples/batch-renewal.md");
}

#[test]
fn same_renewal_day_shows_what_happens() {
    check("examples/same-renewal-day.md");
}

#[test]
fn moving_between_tabs_shows_what_happens() {
    check("examples/moving-between-tabs.md");
}

#[test]
fn automatic_renewal_shows_what_happens() {
    check("examples/automatic-renewal.md");
}

#[test]
fn a_request_merged_in_ci_shows_what_happens() {
    check("examples/request-in-ci.md");
}

#[test]
fn no_walk_is_forgotten() {
    let this = text("tests/tests/tour.rs");
    for file in files("", ".md").into_iter().filter(|file| text(file).contains("```console")) {
        assert!(this.contains(&format!("check(\"{file}\")")), "no test runs the console blocks of {file}");
    }
}

#[test]
fn the_readme_has_exactly_two_commands_before_the_tour() {
    let readme = text("README.md");
    let before = readme.split("## ").next().unwrap();
    let commands: Vec<&str> = before.lines().filter(|line| line.starts_with("cargo ")).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    assert!(commands[0].starts_with("cargo run -- apply policies/ --resources examples/fleet.csv"), "{commands:?}");
    assert_eq!(commands[1], "cargo test --workspace");
}

/// The documents in the YAML blocks of docs/documents.md, each of which stands for itself.
#[test]
fn the_documents_in_the_reference_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&root().join("plugins/dist"), &folder.path().join("plugins/dist"));
    copy_folder(&root().join("policies/prices"), &folder.path().join("policies/prices"));
    let reference = text("docs/documents.md");
    let blocks: Vec<&str> =
        reference.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 6, "a block for every kind");
    for (index, block) in blocks.iter().enumerate() {
        let header = if block.starts_with("apiVersion") { "" } else { "apiVersion: renewd/v1\n" };
        std::fs::write(folder.path().join(format!("policies/{index}.yaml")), format!("{header}{block}")).unwrap();
    }
    answer(&mut command(folder.path(), None, ["check", "policies"])).exits(0);
}

#[test]
fn the_policies_and_the_fleet_are_valid() {
    answer(&mut command(root(), None, ["check", "policies"])).exits(0);
    let fleet = text("examples/fleet.csv");
    assert!(fleet.lines().count() > 230, "a fleet of some 240 resources");
}
