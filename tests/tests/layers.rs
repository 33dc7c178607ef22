//! The layers of ARCHITECTURE.md, asserted from what cargo knows and from the sources: which crate may depend on
//! which, and which crate alone may name a foreign one, print, or read the clock.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this whole program is tests: a panic is how one fails"
)]

use renewd_tests::repository::{files, root, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Every crate of the product with the crates of the product that it may depend on.
const LAYERS: [(&str, &[&str]); 8] = [
    ("renewd-core", &[]),
    ("renewd-plugin-sdk", &[]),
    ("renewd-policy", &["renewd-core"]),
    ("renewd-plugin-host", &["renewd-core"]),
    ("renewd-store", &["renewd-core"]),
    ("renewd-engine", &["renewd-core", "renewd-policy", "renewd-plugin-host", "renewd-store"]),
    ("renewd-cli", &["renewd-core", "renewd-policy", "renewd-engine"]),
    ("renewd-sim", &["renewd-core", "renewd-plugin-host", "renewd-store", "renewd-engine"]),
];

/// All that the core may stand on: calendars, decimals, hashing, serialisation. No I/O, clock, randomness or runtime.
const CORE_FOUNDATION: [&str; 8] =
    ["chrono", "chrono-tz", "iso_currency", "rust_decimal", "serde", "serde_json", "sha2", "thiserror"];

/// Foreign crates with the one crate that may name them.
const ONLY_IN: [(&str, &str); 8] = [
    ("wasmtime", "renewd-plugin-host"),
    ("ureq", "renewd-plugin-host"),
    ("rustls", "renewd-plugin-host"),
    ("sled", "renewd-store"),
    ("serde_yaml", "renewd-policy"),
    ("clap", "renewd-cli"),
    ("anyhow", "renewd-cli"),
    ("comfy-table", "renewd-cli"),
];

/// The dependencies that each member of the workspace is built with, tests aside.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let output = command.output().expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let built_with = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        all.filter(|dependency| dependency["kind"] != "dev").map(name).collect()
    };
    metadata["packages"].as_array().unwrap().iter().map(|package| (name(package), built_with(package))).collect()
}

/// The lines of a crate's sources that the compiler reads, as `(file:line, line)`. Files of tests are left out.
fn code(package: &str) -> Vec<(String, String)> {
    let sources = files(&format!("crates/{package}/src"), ".rs");
    assert!(!sources.is_empty(), "{package} has no sources");
    let mut lines = Vec::new();
    for file in sources.iter().filter(|file| !file.ends_with("/tests.rs") && !file.contains("/tests/")) {
        let whole = text(file);
        let product = whole.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for (index, line) in product.lines().enumerate() {
            let without_comment = line.split("//").next().unwrap_or_default();
            lines.push((format!("{file}:{}", index + 1), without_comment.to_owned()));
        }
    }
    lines
}

#[track_caller]
fn nowhere(package: &str, banned: &[&str]) {
    for (place, line) in code(package) {
        for word in banned {
            assert!(!line.contains(word), "{place} has `{word}`:\n{line}");
        }
    }
}

#[test]
fn dependencies_point_inwards() {
    let found = dependencies();
    for (package, allowed) in LAYERS {
        let own = &found[package];
        for dependency in own.iter().filter(|it| it.starts_with("renewd")) {
            assert!(allowed.contains(&dependency.as_str()), "{package} must not depend on {dependency}");
        }
    }
    let known: BTreeSet<&str> = LAYERS.iter().map(|(name, _)| *name).chain(["renewd-tests"]).collect();
    let unknown: Vec<_> = found.keys().filter(|name| !known.contains(name.as_str())).collect();
    assert!(unknown.is_empty(), "no layer is defined for {unknown:?}");
}

#[test]
fn the_core_stands_on_calendars_and_decimals_only() {
    for dependency in &dependencies()["renewd-core"] {
        assert!(CORE_FOUNDATION.contains(&dependency.as_str()), "renewd-core must not depend on {dependency}");
    }
}

#[test]
fn the_core_has_no_io_clock_randomness_or_floats() {
    let banned = [
        "std::fs",
        "std::net",
        "std::process",
        "std::env",
        "std::thread",
        "std::time::",
        "::now()",
        "f32",
        "f64",
        "HashMap",
        "HashSet",
        "println!",
        "unsafe",
    ];
    nowhere("renewd-core", &banned);
}

#[test]
fn foreign_crates_have_one_home() {
    let found = dependencies();
    for (foreign, home) in ONLY_IN {
        for (package, own) in found.iter().filter(|(package, _)| *package != home) {
            assert!(!own.contains(foreign), "{package} must not depend on {foreign}: its home is {home}");
        }
        let path = format!("{}::", foreign.replace('-', "_"));
        for (package, _) in LAYERS.iter().filter(|(package, _)| *package != home) {
            nowhere(package, &[&path]);
        }
    }
}

#[test]
fn only_the_cli_prints() {
    // The simulator is a tool of its own, and prints what it found.
    let silent = |package: &&(&str, &[&str])| !["renewd-cli", "renewd-sim"].contains(&package.0);
    for (package, _) in LAYERS.iter().filter(silent) {
        nowhere(package, &["println!", "print!", "eprintln!", "eprint!", "io::stdout", "io::stderr"]);
    }
}

#[test]
fn only_the_engine_reads_the_clock() {
    for (package, _) in LAYERS.iter().filter(|(package, _)| *package != "renewd-engine") {
        nowhere(package, &["Utc::now", "SystemTime::now", "Local::now"]);
    }
    let clocks: Vec<String> = code("renewd-engine")
        .into_iter()
        .filter(|(_, line)| line.contains("Utc::now"))
        .map(|(place, _)| place)
        .collect();
    assert_eq!(clocks.len(), 1, "the clock is read in one place: {clocks:?}");
}

#[test]
fn the_engine_never_reads_a_terminal_and_the_store_never_a_plugin() {
    nowhere("renewd-engine", &["is_terminal", "dialoguer", "indicatif"]);
    nowhere("renewd-store", &["renewd_plugin_host", "renewd_policy"]);
}

#[test]
fn the_workspace_denies_what_the_house_style_denies() {
    let manifest = text("Cargo.toml");
    for lint in [
        "unsafe_code",
        "unwrap_used",
        "expect_used",
        "panic",
        "todo",
        "unimplemented",
        "indexing_slicing",
        "print_stdout",
    ] {
        assert!(manifest.contains(&format!("{lint} = \"deny\"")), "{lint} is not denied");
    }
    assert!(manifest.contains("overflow-checks = true"), "a release build must check overflows");
    for file in files("crates", "Cargo.toml") {
        assert!(text(&file).contains("[lints]\nworkspace = true"), "{file} does not take the workspace's lints");
    }
}
