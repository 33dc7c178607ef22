//! Writing a small file so that it is there whole or not at all, and readable by its owner only.

use super::error::{StoreError, failed};
use crate::disk::{create_private, free_bytes, sync_directory};
use crate::failpoint::failpoint;
use crate::limits::FREE_BYTES_MIN;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

/// The boundaries of one kind of atomic write at which a crash test may stop.
pub(crate) struct Boundaries {
    pub(crate) before_write: &'static str,
    pub(crate) before_sync: &'static str,
    pub(crate) before_rename: &'static str,
    pub(crate) after_rename: &'static str,
}

/// Writes `bytes` to `dir/name`: a new file, synced, renamed, and the directory synced.
pub(crate) fn write_whole(dir: &Path, name: &str, bytes: &[u8], at: &Boundaries) -> Result<(), StoreError> {
    let temporary = dir.join(format!("{name}.new"));
    let path = dir.join(name);
    failpoint(at.before_write);
    let mut file = create_private(&temporary).map_err(failed("creating", &temporary))?;
    file.write_all(bytes).map_err(failed("writing", &temporary))?;
    failpoint(at.before_sync);
    file.sync_all().map_err(failed("syncing", &temporary))?;
    failpoint(at.before_rename);
    fs::rename(&temporary, &path).map_err(failed("renaming", &temporary))?;
    sync_directory(dir).map_err(failed("syncing", dir))?;
    failpoint(at.after_rename);
    Ok(())
}

/// Makes sure that a directory exists and that only its owner can enter it; its name is durable.
pub(crate) fn private_dir(dir: &Path) -> Result<(), StoreError> {
    let existed = dir.is_dir();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed("creating", dir))?;
    let mode = fs::metadata(dir).map_err(failed("reading", dir))?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(failed("restricting", dir))?;
    }
    if existed {
        return Ok(());
    }
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync_directory(parent).map_err(failed("syncing", parent))
}

/// Reads a file; none if it does not exist.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("reading", path)(error)),
    }
}

/// Refuses what would leave less than [`FREE_BYTES_MIN`] of the disk under `dir`, before anything is written.
pub(crate) fn require_room(dir: &Path, bytes: u64) -> Result<(), StoreError> {
    let needed_bytes = bytes.saturating_add(FREE_BYTES_MIN);
    match free_bytes(dir) {
        Some(free_bytes) if free_bytes < needed_bytes => {
            Err(StoreError::NoSpace { path: dir.to_owned(), free_bytes, needed_bytes })
        }
        Some(_) | None => Ok(()),
    }
}
