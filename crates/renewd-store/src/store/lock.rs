//! The lock of a store: one process at a time, readers included, because sled allows no more.
//!
//! An advisory lock of the operating system on a file of its own, so it ends with its process however that ends.
//! Must never be taken while a person or a gateway is asked.

use super::error::{StoreError, failed};
use crate::limits::LOCK_POLL_INTERVAL;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

pub(super) const NAME: &str = "lock";

/// The lock; dropping it lets the next process in.
#[derive(Debug)]
pub(crate) struct StoreLock {
    file: File,
}

impl StoreLock {
    /// The file that is locked.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Takes the lock of the store in `dir`, waiting up to `wait` for it.
    pub(crate) fn take(dir: &Path, wait: Duration) -> Result<Self, StoreError> {
        let path = dir.join(NAME);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = opened.map_err(failed("opening", &path))?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { file }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(failed("locking", &path)(error)),
            }
            let waited = started.elapsed();
            if waited >= wait {
                return Err(StoreError::Busy { dir: dir.to_owned(), waited });
            }
            std::thread::sleep(LOCK_POLL_INTERVAL.min(wait.saturating_sub(waited)));
        }
    }
}
