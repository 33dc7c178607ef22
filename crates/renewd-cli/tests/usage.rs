//! Wrong use of the command line: exit 64, nothing on standard output, a sentence that helps.

use super::support::renewd;

#[test]
fn wrong_usage_exits_64() {
    for args in [
        vec!["--bogus"],
        vec!["bogus"],
        vec!["plugin"],
        vec!["apply"],
        vec!["check"],
        vec!["list", "-o", "xml"],
        vec!["list", "--tab", "late"],
        vec!["list", "--sort", "bogus"],
        vec!["align", "date", "2020-04-28", "-o", "csv"],
        vec!["renew"],
        vec!["renew", "--all"],
        vec!["renew", "--all", "--yes"],
        vec!["renew", "--all", "--request-id", "x"],
        vec!["renew", "--dry-run"],
        vec!["renew", "phone-1", "--align", "--no-align", "--dry-run"],
        vec!["mode", "auto"],
        vec!["mode", "policy", "--all", "--until", "2027-01-01"],
        vec!["align", "preview"],
        vec!["orders", "pay", "ord_1f2e3d4c5b6a"],
        vec!["orders", "resolve", "ord_1f2e3d4c5b6a", "--as", "succeeded"],
        vec!["list", "--advance", "30d"],
        vec!["store", "info", "-o", "ids"],
    ] {
        let ran = renewd(&args);
        assert_eq!((ran.code, ran.stdout.as_str()), (64, ""), "{args:?}: {}", ran.stderr);
        assert!(!ran.stderr.is_empty(), "{args:?}");
    }
}

/// A scheduled job that nobody watches must not be able to renew twice.
#[test]
fn renew_without_a_terminal_says_what_it_needs() {
    let ran = renewd(&["renew", "--all", "--yes"]);
    for word in ["--yes", "--expiring-before", "--request-id", "--dry-run"] {
        assert!(ran.stderr.contains(word), "{}", ran.stderr);
    }
}

#[test]
fn failures_are_json_where_answers_are() {
    for args in [["align", "date", "bogus", "-o", "json"], ["align", "date", "--bogus", "-o", "json"]] {
        let ran = renewd(&args);
        let failure: serde_json::Value = serde_json::from_str(&ran.stderr).expect("JSON on standard error");
        assert!(failure["error"]["code"].is_string() && failure["error"]["message"].is_string(), "{failure}");
        assert!(failure["error"]["hint"].is_string() && failure["findings"].is_array(), "{failure}");
    }
}

#[test]
fn wrong_values_are_invalid_input() {
    for args in [
        vec!["renew", "--all", "--term", "1 week", "--dry-run"],
        vec!["renew", "--all", "--align=31", "--dry-run"],
        vec!["renew", "--expiring-before", "tomorrow", "--dry-run"],
        vec!["list", "--expires-within", "30"],
        vec!["list", "--label", "prod"],
        vec!["list", "--from-file", "no-such-file"],
        vec!["orders", "cancel", "ord_1"],
        vec!["orders", "topup", "acme", "5 dollars", "--reference", "r"],
        vec!["list", "--rehearse=tomorrow"],
    ] {
        let ran = renewd(&args);
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{args:?}: {}", ran.stderr);
    }
}
