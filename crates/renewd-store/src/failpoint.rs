//! Named boundaries at which a crash test lets the process die.
//!
//! Without the cargo feature `failpoints` every call compiles to nothing. With it, the environment variable
//! `RENEWD_FAILPOINT=name` ends the process with exit code 137 the first time that boundary is reached,
//! `RENEWD_FAILPOINT=name:3` the third time. Nothing is flushed, dropped or unwound: as a `kill -9` would.

/// Boundaries of the engine around the call of a payment plugin: between the two durable barriers of an attempt
/// or refund.
pub const PAYING_FAILPOINTS: &[&str] = &[
    "seek.before-call",
    "seek.after-call",
    "pay.before-call",
    "pay.after-call",
    "reconcile.before-call",
    "reconcile.after-call",
    "refund.before-call",
    "refund.after-call",
];

/// Boundaries of a run, beside those of the payments that it makes.
pub const RUNNING_FAILPOINTS: &[&str] = &[
    "run.before-time",
    "run.after-time",
    "run.before-order",
    "run.after-order",
    "outbox.before-deliver",
    "outbox.after-deliver",
];

/// Boundaries of a copy that is being made: a backup, a restored or salvaged store, a rehearsal.
pub const COPYING_FAILPOINTS: &[&str] =
    &["copy.before-journal", "copy.before-blob", "copy.before-identity", "copy.before-rename", "copy.after-rename"];

/// Every boundary of the store, in the order in which a commit meets them.
pub const FAILPOINTS: &[&str] = &[
    "store.before-identity",
    "journal.before-create",
    "journal.before-name",
    "journal.after-name",
    "watermark.before-create",
    "watermark.before-name",
    "watermark.after-name",
    "journal.before-write",
    "journal.mid-write",
    "journal.before-sync",
    "journal.after-sync",
    "journal.after-watermark",
    "journal.before-cut",
    "journal.after-cut",
    "index.before-write",
    "index.mid-write",
    "index.before-watermark",
    "index.after-watermark",
    "index.before-move-aside",
    "index.before-replace",
    "index.after-replace",
    "blob.before-write",
    "blob.before-sync",
    "blob.before-rename",
    "blob.after-rename",
    "store.before-seal",
];

/// Dies here if the environment asks for it.
#[cfg(feature = "failpoints")]
pub fn failpoint(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    static WANTED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static REACHED: AtomicU64 = AtomicU64::new(0);
    let listed =
        [FAILPOINTS, PAYING_FAILPOINTS, RUNNING_FAILPOINTS, COPYING_FAILPOINTS].iter().any(|list| list.contains(&name));
    debug_assert!(listed, "`{name}` is not in a list of failpoints");
    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var("RENEWD_FAILPOINT").ok()?;
        match text.rsplit_once(':') {
            Some((name, count)) => Some((name.to_owned(), count.parse().ok()?)),
            None => Some((text, 1)),
        }
    });
    let Some((wanted_name, wanted_count)) = wanted else { return };
    if wanted_name == name && REACHED.fetch_add(1, Ordering::SeqCst) + 1 == *wanted_count {
        // `exit` would run destructors of the C library; sled has none there, and nothing of Rust is unwound.
        std::process::exit(137);
    }
}

/// Dies here if the environment asks for it; not in this build.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn failpoint(_name: &str) {}
