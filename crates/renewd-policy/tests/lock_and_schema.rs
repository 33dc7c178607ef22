//! The lock file's text, reading and comparison; the schema's shape.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use renewd_core::ids::Digest;
use renewd_policy::{Code, DocumentSet, Lock, LockDifference, LockEntry, compare, load_dir, schema};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

fn valid() -> DocumentSet {
    load_dir(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/valid")).documents.unwrap()
}

fn lock_of(set: &DocumentSet) -> Lock {
    let entry = |plugin: &renewd_core::documents::Plugin| {
        (plugin.name.clone(), LockEntry::of(plugin, "renewd:plugin/pricing-plugin@0.1.0"))
    };
    Lock { store: None, plugins: set.plugins().map(entry).collect() }
}

#[test]
fn the_text_is_stable_and_reads_back() {
    let mut lock = lock_of(&valid());
    lock.store = Some("st_1".to_owned());
    let text = lock.to_text();
    let expected = format!(
        "# Written by renewd; commit it. `renewd plugin lock --upgrade NAME` changes an entry.\n\
         version: 1\nstore: st_1\nplugins:\n  price-list:\n    file: plugins/price-list.wasm\n    sha256: {}\n    \
         world: renewd:plugin/pricing-plugin@0.1.0\n    role: pricing\n    grants: []\n    limits:\n      \
         memoryBytes: 67108864\n      fuel: 20000000\n      deadlineMs: 2000\n  stripe:\n    file: plugins/stripe.wasm\n    \
         sha256: {}\n    world: renewd:plugin/pricing-plugin@0.1.0\n    role: payment\n    grants:\n    - POST https://api.stripe.com/v1/\n    - GET https://api.stripe.com/v1/\n    limits: {{}}\n",
        Digest::of(b"pricing bytes"),
        Digest::of(b"payment bytes"),
    );
    assert_eq!(text, expected);
    assert_eq!(Lock::parse(text.as_bytes(), Path::new("renewd.lock")).unwrap(), lock);
}

#[test]
fn a_lock_is_found_beside_the_documents() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(Lock::read(directory.path()).unwrap(), None);
    let lock = lock_of(&valid());
    std::fs::write(directory.path().join("renewd.lock"), lock.to_text()).unwrap();
    assert_eq!(Lock::read(directory.path()).unwrap(), Some(lock.clone()));
    std::fs::write(directory.path().join("a.yaml"), "").unwrap();
    assert_eq!(Lock::read(&directory.path().join("a.yaml")).unwrap(), Some(lock));
}

#[test]
fn damaged_locks_are_refused() {
    let path = Path::new("renewd.lock");
    for (text, expected) in [
        ("version: 2\nplugins: {}\n", "renewd.lock:1:1: lock version 2 is not known to this renewd"),
        ("version: 1\nplugins: {}\nplugins: {}\n", "renewd.lock:3:1: `plugins` is given twice: here and at 2:1"),
        ("<<<<<<< HEAD\n", "renewd.lock:1:1: this is not a lock file of renewd"),
        ("version: 1\nplugin: {}\n", "renewd.lock:2:1: this is not a lock file of renewd"),
        ("", "renewd.lock:1:1: this is not a lock file of renewd"),
        ("version: 1\nplugins: [", "renewd.lock:2:11: "),
    ] {
        let error = Lock::parse(text.as_bytes(), path).unwrap_err().to_string();
        assert!(
            error.starts_with(expected.trim_end()) || (expected.ends_with(' ') && error.contains("not YAML")),
            "{error}"
        );
    }
}

#[test]
fn differences_are_named() {
    let set = valid();
    let mut lock = lock_of(&set);
    assert_eq!(compare(&lock, &set), []);
    let mut entries = lock.plugins.values_mut();
    entries.next().unwrap().limits.fuel = None;
    entries.next().unwrap().sha256 = Digest::of(b"other");
    let gone = lock.plugins.values().next().unwrap().clone();
    lock.plugins.insert("gone".parse().unwrap(), gone);
    let differences = compare(&lock, &set);
    let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(shown[0], "plugin `gone` is locked but not declared");
    assert_eq!(shown[1], "plugin `price-list` has other limits than locked");
    assert!(shown[2].starts_with("plugin `stripe` has other bytes than locked: sha256 "), "{shown:?}");
    let mut lock = lock_of(&set);
    let stripe = lock.plugins.values_mut().nth(1).unwrap();
    let granted = stripe.grants.clone();
    stripe.grants.push("GET https://api.stripe.com/v2/".parse().unwrap());
    assert_eq!(compare(&lock, &set)[0].to_string(), "plugin `stripe` has fewer grants than locked");
    lock.plugins.values_mut().nth(1).unwrap().grants.clear();
    assert_eq!(
        compare(&lock, &set)[0].to_string(),
        "plugin `stripe` is granted `POST https://api.stripe.com/v1/`, `GET https://api.stripe.com/v1/`, which is not locked"
    );
    lock.plugins.values_mut().nth(1).unwrap().grants = granted.into_iter().rev().collect();
    assert_eq!(compare(&lock, &set), [], "their order means nothing");
    let missing = compare(&Lock::default(), &set);
    assert!(missing.iter().all(|difference| matches!(difference, LockDifference::Missing { .. })));
    assert_eq!(missing.len(), 2);
}

#[test]
fn the_schema_describes_every_kind_and_field() {
    let schema = schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["allOf"].as_array().unwrap().len(), 7);
    let policy = schema["allOf"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["if"]["properties"]["kind"]["const"] == "RenewalPolicy");
    let spec = &policy.unwrap()["then"]["properties"]["spec"];
    assert_eq!(spec["properties"]["mode"]["enum"], serde_json::json!(["manual", "auto", "pay-per-use", "expire"]));
    assert_eq!(spec["required"], serde_json::json!(["match", "mode", "pricing"]));
    assert_eq!(spec["additionalProperties"], false);
    assert_eq!(spec["properties"]["terms"]["properties"]["allowed"]["minItems"], 1);
    for (name, field) in spec["properties"].as_object().unwrap() {
        assert!(field["description"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
    }
    let text = schema.to_string();
    assert!(!text.contains("PolicyTest"), "only what is enforced is offered");
    let plugin =
        schema["allOf"].as_array().unwrap().iter().find(|it| it["if"]["properties"]["kind"]["const"] == "Plugin");
    let spec = &plugin.unwrap()["then"]["properties"]["spec"]["properties"];
    assert!(spec["grants"]["items"]["pattern"].as_str().unwrap().contains("POST"));
    assert_eq!(spec["secrets"]["additionalProperties"]["required"], serde_json::json!(["env"]));
    let sink =
        schema["allOf"].as_array().unwrap().iter().find(|it| it["if"]["properties"]["kind"]["const"] == "EventSink");
    let spec = &sink.unwrap()["then"]["properties"]["spec"];
    assert_eq!(spec["oneOf"][1]["required"], serde_json::json!(["webhook", "secret"]));
    assert_eq!(spec["properties"]["secret"]["required"], serde_json::json!(["env"]));
    assert!(spec["properties"]["events"]["items"]["enum"].as_array().unwrap().contains(&"late-success".into()));
}

#[test]
fn codes_are_kebab_case_and_unique() {
    let words: HashSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(words.len(), Code::ALL.len());
    assert!(words.iter().all(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')));
}
