//! Both readers of YAML read every scalar alike, or the scalar is a finding; and nothing makes the checker panic.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use proptest::prelude::*;
use renewd_policy::{Code, load_texts};
use std::path::PathBuf;

/// Scalars on which readers of YAML are known to differ, or to be fragile.
const NASTY: &[&str] = &[
    "012",
    "0o14",
    "0x1F",
    "0b101",
    "1_000",
    "yes",
    "Yes",
    "no",
    "on",
    "off",
    "y",
    "n",
    "true",
    "True",
    "false",
    "~",
    "null",
    "Null",
    "NULL",
    ".5",
    "5.",
    "1e3",
    "1E3",
    "+1",
    "-1",
    "-0",
    "0",
    "00",
    "15",
    "1.50",
    "-2.25",
    "1.0e+3",
    ".inf",
    "-.inf",
    ".nan",
    ".NaN",
    "2027-01-01",
    "2027-01-01T00:00:00Z",
    "03:00",
    "1:20:30",
    "23:59:59",
    "=",
    "!!str 5",
    "!!int \"5\"",
    "\"15\"",
    "'15'",
    "\"a\\tb\\u00e9\\x41\"",
    "'it''s'",
    "\"\"",
    "''",
    "\"line\\\n        folded\"",
    "|\n        literal\n        two",
    "|-\n        literal",
    "|+\n        literal\n\n",
    ">\n        folded\n        two\n\n        three",
    ">-\n        folded\n          more",
    "plain\n        over lines",
    "a #b",
    "a#b",
    "a # comment",
    "a: b",
    "- a",
    "[a, b]",
    "{ a: b }",
    "[1, 2.5, yes]",
    "é",
    "日本",
    "😀",
    "@a",
    "`a",
    "%a",
    "&a b",
    "*a",
    "?",
    "-",
    "--- a",
    "...",
    "0.1",
    "100000000000000",
    "123456789012345678",
    "18446744073709551616",
    "1.7976931348623157e309",
    "nan",
    "inf",
    "Infinity",
    "-",
    "- -",
    "1,000",
    "12e",
    "0.",
    "1__0",
    "0x",
    "0o",
    "0b2",
    "1.2.3",
    "4:5",
    "\"\\/\"",
    "\"\\e\"",
    "\"\\ud83d\"",
    "a\u{a0}b",
    "\u{3000}",
    "null # c",
    "'a\n\n        b'",
    "TRUE",
    "oN",
    "!",
    "! a",
    "!local a",
    "|2\n          x",
];

fn with_value(scalar: &str) -> String {
    format!(
        "apiVersion: renewd/v1\nkind: Plugin\nmetadata: {{ name: p }}\nspec: {{ file: plugins/stripe.wasm, role: payment }}\n---\n\
         kind: PaymentMethod\nmetadata: {{ name: m }}\nspec:\n  plugin: p\n  config:\n    inner:\n      x: {scalar}\n      after: end\n"
    )
}

fn base() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/base/case.yaml")
}

#[test]
fn both_readers_read_every_scalar_alike() {
    let (mut accepted, mut refused) = (Vec::new(), Vec::new());
    for scalar in NASTY {
        let text = with_value(scalar);
        let loaded = load_texts([(base(), text.as_bytes())]);
        match &loaded.documents {
            Ok(set) => {
                // What was accepted came through serde_yaml and equals what the tree says it is.
                let found = &set.payment_method("m").unwrap().config["inner"]["x"];
                let direct: Vec<serde_json::Value> = serde_yaml::Deserializer::from_str(&text)
                    .map(|document| serde::Deserialize::deserialize(document).unwrap())
                    .collect();
                assert_eq!(found, &direct[1]["spec"]["config"]["inner"]["x"], "{scalar:?}");
                assert_eq!(direct[1]["spec"]["config"]["inner"]["after"], "end", "{scalar:?}");
                accepted.push(*scalar);
            }
            Err(findings) => {
                // The checks find it; the comparison of the two readers is only the last line.
                assert!(findings.iter().all(|f| f.code != Code::ReadersDisagree), "{scalar:?}: {findings:?}");
                assert!(findings.iter().all(|f| f.hint.is_some()), "{scalar:?}: {findings:?}");
                refused.push(*scalar);
            }
        }
    }
    for scalar in ["15", "1.50", "true", "null", "2027-01-01", "\"15\"", "é", "日本", "[a, b]", "0", "-1"] {
        assert!(accepted.contains(&scalar), "{scalar:?} is refused");
    }
    for scalar in ["012", "0o14", "1_000", "yes", "on", "~", ".5", "1e3", "0x1F", "03:00", "1:20:30", "=", "!!str 5"] {
        assert!(refused.contains(&scalar), "{scalar:?} is accepted");
    }
}

fn good_texts() -> Vec<String> {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let files = ["valid/accounts.yaml", "valid/policies.yml", "valid/requests/december.yaml", "base/base.yaml"];
    files.iter().map(|file| std::fs::read_to_string(fixtures.join(file)).unwrap()).collect()
}

fn check(bytes: &[u8]) {
    let loaded = load_texts([(base(), bytes)]);
    let _ = loaded.findings();
    for finding in loaded.findings() {
        assert!(finding.place.line > 0 && finding.place.column > 0, "{finding}");
        assert!(!finding.message.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn truncated_documents_never_panic(which in 0..4_usize, at in 0.0..1.0_f64) {
        let text = &good_texts()[which];
        let cut = (text.len() as f64 * at) as usize;
        check(&text.as_bytes()[..cut]);
    }

    #[test]
    fn mutated_documents_never_panic(
        which in 0..4_usize,
        edits in prop::collection::vec((0.0..1.0_f64, 0..4_u8, prop::sample::select(&b" \t\n\r:{}[],&*!|>'\"%@`#-?~0x_.e\0\x07\xff\xc2\x85abcP1M"[..])), 1..12),
    ) {
        let mut bytes = good_texts()[which].clone().into_bytes();
        for (at, kind, byte) in edits {
            let index = (bytes.len().saturating_sub(1) as f64 * at) as usize;
            match kind {
                0 => bytes[index] = byte,
                1 => bytes.insert(index, byte),
                2 => { bytes.remove(index); }
                _ => {
                    let end = (index + 40).min(bytes.len());
                    let piece = bytes[index..end].to_vec();
                    bytes.splice(index..index, piece);
                }
            }
        }
        check(&bytes);
    }

    #[test]
    fn any_text_never_panics(text in "\\PC{0,200}") {
        check(text.as_bytes());
        check(with_value(&text).as_bytes());
    }

    #[test]
    fn any_scalar_is_read_alike_or_refused(text in "[-+0-9a-fxXoOeE_:.~=<>|&*!%@ ,#\"'\\\\nyNY]{1,12}") {
        let yaml = with_value(&text);
        let loaded = load_texts([(base(), yaml.as_bytes())]);
        match &loaded.documents {
            Ok(set) => {
                let documents: Result<Vec<serde_json::Value>, _> =
                    serde_yaml::Deserializer::from_str(&yaml).map(serde::Deserialize::deserialize).collect();
                let found = &set.payment_method("m").unwrap().config["inner"];
                prop_assert_eq!(found, &documents.unwrap()[1]["spec"]["config"]["inner"]);
            }
            Err(findings) => prop_assert!(findings.iter().all(|f| f.hint.is_some()), "{:?}: {:?}", text, findings),
        }
    }
}
