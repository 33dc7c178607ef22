//! Owners of attempts in flight: a lock file that is held exactly as long as its process lives.
//!
//! An attempt names its owner's token; once that owner is gone the attempt's outcome is unknown. The operating
//! system frees the lock however the process ends, so nothing here depends on a clean exit.

use super::error::{StoreError, failed};
use super::files::private_dir;
use super::random::random_bytes;
use crate::disk::create_private;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

const DIR: &str = "inflight";
const SUFFIX: &str = ".lock";

/// This process, as owner of the attempts that it makes. Dropping it gives them up.
#[derive(Debug)]
pub struct Owner {
    token: String,
    path: PathBuf,
    _file: File,
}

impl Owner {
    /// Makes an owner in the store `dir`, and clears away the files of owners that are gone.
    ///
    /// # Errors
    /// The file system failed.
    pub fn create(dir: &Path) -> Result<Self, StoreError> {
        let inflight = dir.join(DIR);
        private_dir(&inflight)?;
        clear(&inflight)?;
        let token: String = random_bytes()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = inflight.join(format!("{token}{SUFFIX}"));
        let fresh = inflight.join(format!("{token}.new"));
        let file = create_private(&fresh).map_err(failed("creating", &fresh))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Busy { dir: fresh, waited: std::time::Duration::ZERO });
            }
            Err(TryLockError::Error(error)) => return Err(failed("locking", &fresh)(error)),
        }
        // INVARIANT (locked-before-named): the name that others look at appears only when the lock is held, so a
        // living owner is never taken for a dead one.
        fs::rename(&fresh, &path).map_err(failed("renaming", &fresh))?;
        Ok(Self { token, path, _file: file })
    }

    /// What an attempt names its owner by.
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // What stays behind is cleared away by the next owner.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether the process that owns this token is alive.
///
/// # Errors
/// The file system failed, so that it cannot be told.
pub fn owner_alive(dir: &Path, token: &str) -> Result<bool, StoreError> {
    let plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !plain {
        return Ok(false);
    }
    is_held(&dir.join(DIR).join(format!("{token}{SUFFIX}")))
}

fn is_held(path: &Path) -> Result<bool, StoreError> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed("opening", path)(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(failed("locking", path)(error)),
    }
}

fn clear(inflight: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(inflight).map_err(failed("reading", inflight))? {
        let path = entry.map_err(failed("reading", inflight))?.path();
        let stale = path.extension().is_some_and(|extension| extension == "lock") && !is_held(&path)?;
        if stale {
            let _ = fs::remove_file(&path);
        }
    }
    Ok(())
}
