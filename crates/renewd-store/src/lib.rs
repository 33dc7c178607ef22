//! The store: an append-only journal, which is the truth, and an index built from it, which is what is queried.
//!
//! Money is trusted to this crate. What it promises: a commit that was acknowledged is found again after the
//! process was killed or the power was cut (with a disk that honours `fdatasync`); a commit that was not is found
//! whole or not at all; a changed byte is noticed and named, never passed on.
//!
//! What is absent: key-value calls, a clock, retries of a failed sync, decisions about renewals.

pub mod disk;
pub mod failpoint;
mod index;
pub mod journal;
pub mod limits;
mod sequence;
mod store;

pub use failpoint::{COPYING_FAILPOINTS, FAILPOINTS, PAYING_FAILPOINTS, RUNNING_FAILPOINTS};
pub use index::IndexError;
pub use journal::{Damage, JournalError, StoreId};
pub use sequence::{Head, Sequence};
pub use store::{
    BlobReport, Commit, CommitError, Copied, HistoryEntry, IndexReport, IndexVerdict, LeftBehind, Mode, OpenReport,
    Origin, Owner, Rebuilt, Restored, Salvaged, Store, StoreError, StoreInfo, VerifyReport, backup, copy_for_rehearsal,
    info, owner_alive, read_blob, rebuild, restore, salvage, verify, verify_backup,
};

#[cfg(any(test, feature = "testing"))]
pub use store::Opening;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
