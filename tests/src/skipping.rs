//! Parts of a test that cannot be had on a machine: skipped loudly, and where nobody reads what was skipped, a failure.

use std::io::Write as _;

/// Whether a missing part is a failure: in CI, where nobody reads what was skipped.
pub fn must_be_there() -> bool {
    ["CI", "RENEWD_CI"].iter().any(|name| std::env::var(name).is_ok_and(|value| matches!(&*value, "1" | "true")))
}

/// Says what is skipped, past the test harness, which would swallow it.
pub fn skip(why: &str) {
    _ = std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes());
}

/// Skips what an ordinary machine can have.
///
/// # Panics
/// In CI.
pub fn skip_or_fail(why: &str) {
    assert!(!must_be_there(), "{why}");
    skip(why);
}
