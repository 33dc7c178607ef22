//! Copies of a store: backups, restored and salvaged stores, rehearsals.
//!
//! A copy appears whole or not at all (`partial`), is verified before it appears, is durable once it has, and can be
//! read by its owner only. Must never change the store or the backup that it is made from (an open for a backup cuts
//! a torn end, as every open does).

mod backup;
mod partial;
mod rehearsal;
mod restore;
mod salvage;

pub use backup::{backup, verify_backup};
pub use rehearsal::copy_for_rehearsal;
pub use restore::restore;
pub use salvage::{LeftBehind, Salvaged, salvage};

use super::error::{StoreError, failed};
use super::{blobs, read_blob};
use crate::disk::{RealDisk, create_private, sync_directory};
use crate::failpoint::failpoint;
use crate::journal::StoreId;
use crate::journal::survey::survey;
use crate::sequence::{Head, Place};
use renewd_core::ids::Digest;
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// What a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// The last commit in it.
    pub head: Head,
    /// Length of its journal and its blobs, together.
    pub bytes: u64,
    /// How many blobs it has.
    pub blobs: u64,
}

/// Reads the journal of a finished copy: it must end at `place`, intact to its last byte.
fn require_whole(dir: &Path, id: StoreId, place: Place) -> Result<(), StoreError> {
    let found = survey(&mut RealDisk::for_reading(dir), None)?;
    if let Some(damage) = found.damage() {
        return Err(crate::journal::JournalError::from(damage).into());
    }
    let whole = found.id == id && found.place == place && found.watermark == Some(place);
    if whole {
        return Ok(());
    }
    let reason = "its journal is not the one that it was made with".to_owned();
    Err(StoreError::BadCopy { path: dir.to_owned(), reason })
}

/// How the blobs come into a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// A file of its own: what harms the original leaves the copy alone.
    Copy,
    /// The same file under a second name, where the file system can: for copies that are thrown away.
    Link,
}

/// Brings these blobs into a copy, durably, and says how long they are together. Each is verified if it is copied.
fn take_blobs(from: &Path, digests: &[Digest], to: &Path, way: Way) -> Result<u64, StoreError> {
    if digests.is_empty() {
        return Ok(0);
    }
    let (source, target) = (blobs::dir(from), blobs::dir(to));
    super::files::private_dir(&target)?;
    let mut bytes = 0;
    for digest in digests {
        failpoint("copy.before-blob");
        let name = digest.to_string();
        if way == Way::Link && fs::hard_link(source.join(&name), target.join(&name)).is_ok() {
            bytes += fs::metadata(target.join(&name)).map_err(failed("reading", &target))?.len();
            continue;
        }
        let content = read_blob(from, digest)?;
        let path = target.join(&name);
        let mut file = create_private(&path).map_err(failed("creating", &path))?;
        file.write_all(&content).map_err(failed("writing", &path))?;
        file.sync_all().map_err(failed("syncing", &path))?;
        bytes += content.len() as u64;
    }
    sync_directory(&target).map_err(failed("syncing", &target))?;
    Ok(bytes)
}

/// The length of all blobs of a store, for the question whether there is room.
fn blob_bytes(store: &Path) -> Result<u64, StoreError> {
    let dir = blobs::dir(store);
    crate::disk::dir_bytes(&dir).map_err(failed("reading", dir))
}
