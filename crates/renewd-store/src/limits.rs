//! Every limit of the store, in one place, each with its unit last in its name.
//!
//! A limit is checked before anything is written; nothing here may be raised at run time.

use std::time::Duration;

/// Longest payload of one journal record, in bytes.
pub const RECORD_BYTES_MAX: usize = 1 << 20;

/// Most events in one commit.
pub const COMMIT_RECORDS_MAX: usize = 2_000_000;

/// Longest commit, in bytes of the journal.
pub const COMMIT_BYTES_MAX: u64 = 1 << 30;

/// Longest journal, in bytes.
pub const JOURNAL_BYTES_MAX: u64 = 1 << 36;

/// Up to this many bytes an ordinary open verifies the whole journal; beyond, from the watermark on. What an open
/// costs must not grow with the store, and what is not verified here is verified when it is read.
pub const OPEN_FULL_CHECK_BYTES_MAX: u64 = 1 << 20;

/// Up to this many rows an ordinary open verifies every row of the index; beyond, only after an unclean end. A row is
/// checked whenever it is read, and a tree that is read whole must have all its rows.
pub const OPEN_INDEX_CHECK_ROWS_MAX: u64 = 1_000;

/// Most bytes that sled keeps in memory.
pub const INDEX_CACHE_BYTES: u64 = 64 << 20;

/// Most entries in one row of the history. Part of the index's format.
pub const HISTORY_CHUNK_ENTRIES_MAX: usize = 32;

/// Bytes of the journal between two places that the index knows. Part of the index's format.
pub const PLACE_STEP_BYTES: u64 = 64 << 10;

/// Longest blob, in bytes.
pub const BLOB_BYTES_MAX: u64 = 64 << 20;

/// Pause between two attempts to take the lock of the store.
pub const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(5);

/// How long an index that was just closed may keep its own lock.
pub const INDEX_LOCK_WAIT_MAX: Duration = Duration::from_secs(5);

/// Bytes of the disk that a commit or a blob must leave free, so that a full disk is met before anything is written.
pub const FREE_BYTES_MIN: u64 = 1 << 20;
