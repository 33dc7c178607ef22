//! Sinks as documents become them: paths, defaults, and that no message repeats what may be a secret.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use renewd_core::documents::{EventKind, EventSink, SecretSource, SinkTarget};
use renewd_policy::{Loaded, load_texts};
use std::path::PathBuf;

fn load(file: &str, spec: &str) -> Loaded {
    let text = format!("apiVersion: renewd/v1\nkind: EventSink\nmetadata: {{ name: told }}\nspec: {spec}\n");
    load_texts([(PathBuf::from(file), text.as_bytes())])
}

fn sink(file: &str, spec: &str) -> EventSink {
    load(file, spec).documents.unwrap().event_sink("told").unwrap().clone()
}

#[test]
fn a_webhook_is_taken_as_written() {
    let spec = "{ webhook: \"https://Hooks.example.com/renewd\", secret: { env: HOOK_KEY }, events: [held, renewed] }";
    let found = sink("policies/sinks.yaml", spec);
    let target = SinkTarget::Webhook {
        url: "https://hooks.example.com/renewd".to_owned(),
        secret: SecretSource { env: "HOOK_KEY".to_owned() },
    };
    assert_eq!(found.target, target);
    assert_eq!(found.events, [EventKind::Held, EventKind::Renewed]);
}

/// A run starts in another folder than the apply did.
#[test]
fn a_file_is_found_from_everywhere() {
    let here = std::env::current_dir().unwrap();
    for (document, written, expected) in [
        ("policies/sinks.yaml", "../events.ndjson", here.join("events.ndjson")),
        ("policies/a/sinks.yaml", "./b/../log.ndjson", here.join("policies/a/log.ndjson")),
        ("/srv/policies/sinks.yaml", "log.ndjson", PathBuf::from("/srv/policies/log.ndjson")),
        ("policies/sinks.yaml", "/var/log/renewd.ndjson", PathBuf::from("/var/log/renewd.ndjson")),
    ] {
        let found = sink(document, &format!("{{ file: {written} }}"));
        assert_eq!(found.target, SinkTarget::File { path: expected.to_str().unwrap().to_owned() }, "{written}");
        assert!(found.events.is_empty(), "all kinds");
    }
}

#[test]
fn no_finding_repeats_what_may_be_a_key() {
    for secret in [
        "whsec_f00dcafe",
        "[whsec_f00dcafe]",
        "{ env: whsec-f00dcafe }",
        "{ env: whsec_f00dcafe }",
        "\"whsec_f00dcafe\"",
    ] {
        let loaded = load("sinks.yaml", &format!("{{ webhook: \"https://hooks.example.com/\", secret: {secret} }}"));
        let findings = loaded.documents.unwrap_err();
        assert!(!findings.is_empty(), "{secret}");
        let told = format!("{findings:?}");
        assert!(!told.contains("f00dcafe"), "{told}");
    }
}
