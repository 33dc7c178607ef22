//! A copy while it is being made: a directory beside its target, which takes the target's name when it is whole.
//!
//! Must never touch a target that has anything in it, nor remove what another process is making.

use super::super::blobs;
use super::super::error::{StoreError, failed};
use super::super::files::{private_dir, require_room};
use super::super::identity;
use super::super::lock::StoreLock;
use crate::disk::sync_directory;
use crate::failpoint::failpoint;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A copy that is not whole yet. Dropping it removes it.
pub(super) struct Partial {
    path: PathBuf,
    target: PathBuf,
    parent: PathBuf,
    finished: bool,
    /// INVARIANT (one-maker): who removes or renames the directory holds the lock in it, and the lock is the file
    /// that has its name there. After the rename it is the lock of the copy.
    _lock: StoreLock,
}

impl Partial {
    /// Begins a copy that is to become `target`, of about this many bytes. What it is a copy of may not be around it,
    /// where that is said.
    pub(super) fn begin(from: Option<&Path>, target: &Path, bytes: u64) -> Result<Self, StoreError> {
        let target = std::path::absolute(target).map_err(failed("reading", target))?;
        let refused = |reason: &str| StoreError::Target { path: target.clone(), reason: reason.to_owned() };
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(refused("it has no name of its own"));
        };
        require_free(&target)?;
        if !parent.is_dir() {
            return Err(refused("the directory that it is to be in does not exist"));
        }
        let lies_in = |from: &Path| Ok::<_, io::Error>(fs::canonicalize(parent)?.starts_with(fs::canonicalize(from)?));
        if from.is_some_and(|from| lies_in(from).unwrap_or(false)) {
            return Err(refused("it would lie in what it is a copy of"));
        }
        require_room(parent, bytes)?;
        let path = parent.join(format!(".{}.partial", name.to_string_lossy()));
        private_dir(&path).map_err(|error| StoreError::Target { path: target.clone(), reason: error.to_string() })?;
        if let Some(name) = strange_entry(&path)? {
            return Err(refused(&format!("`{}`, where it would be made, has `{name}` in it", path.display())));
        }
        let lock = StoreLock::take(&path, Duration::ZERO)?;
        if !lock.is_at(&path) {
            // Its maker finished just now and gave the directory its name.
            return Err(StoreError::Busy { dir: path, waited: Duration::ZERO });
        }
        let partial = Self { parent: parent.to_owned(), path, target, finished: false, _lock: lock };
        partial.clear()?;
        Ok(partial)
    }

    /// Where the copy is while it is made.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what a process left here that died.
    fn clear(&self) -> Result<(), StoreError> {
        for entry in fs::read_dir(&self.path).map_err(failed("reading", &self.path))? {
            let entry = entry.map_err(failed("reading", &self.path))?;
            let path = entry.path();
            if entry.file_name() == super::super::lock::NAME {
                continue;
            }
            let kind = entry.file_type().map_err(failed("reading", &path))?;
            let removed = if kind.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(failed("removing", &path))?;
        }
        Ok(())
    }

    /// Gives the copy its name, durably. Whoever looks at the target sees nothing before and everything after.
    pub(super) fn finish(mut self) -> Result<(), StoreError> {
        sync_directory(&self.path).map_err(failed("syncing", &self.path))?;
        failpoint("copy.before-rename");
        // A directory takes the name of another only if that one is empty, so nothing can be lost here.
        fs::rename(&self.path, &self.target).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                StoreError::Target { path: self.target.clone(), reason: "something was put there meanwhile".to_owned() }
            }
            io::ErrorKind::ResourceBusy => StoreError::Target {
                path: self.target.clone(),
                reason: "it is a mount point: name a new directory in it".to_owned(),
            },
            _ => failed("renaming", &self.path)(error),
        })?;
        self.finished = true;
        sync_directory(&self.parent).map_err(failed("syncing", &self.parent))?;
        failpoint("copy.after-rename");
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.finished {
            // What cannot be removed now is removed by the next copy to this target.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// The name of something that no copy would have left there, so that it must not be removed.
fn strange_entry(path: &Path) -> Result<Option<String>, StoreError> {
    const OURS: [&str; 6] =
        [super::super::lock::NAME, crate::journal::FILE, "watermark", identity::NAME, blobs::DIR, "index"];
    for entry in fs::read_dir(path).map_err(failed("reading", path))? {
        let name = entry.map_err(failed("reading", path))?.file_name().to_string_lossy().into_owned();
        let is_ours = OURS
            .iter()
            .any(|ours| name.strip_prefix(ours).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')));
        if !is_ours {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Refuses a target that is anything but absent or an empty directory.
fn require_free(target: &Path) -> Result<(), StoreError> {
    let refused = |reason: &str| StoreError::Target { path: target.to_owned(), reason: reason.to_owned() };
    match fs::symlink_metadata(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(&error.to_string())),
        Ok(found) if !found.is_dir() => return Err(refused("it exists and is not a directory")),
        Ok(_) => {}
    }
    if target.join(identity::NAME).exists() || target.join(crate::journal::FILE).exists() {
        return Err(StoreError::Exists(target.to_owned()));
    }
    let mut entries = fs::read_dir(target).map_err(|error| refused(&error.to_string()))?;
    if entries.next().is_some() { Err(refused("it is not empty")) } else { Ok(()) }
}

impl StoreLock {
    /// Whether the file that is locked is still the one that has the name of the lock in `dir`.
    fn is_at(&self, dir: &Path) -> bool {
        match (self.file().metadata(), fs::metadata(dir.join(super::super::lock::NAME))) {
            (Ok(held), Ok(named)) => (held.dev(), held.ino()) == (named.dev(), named.ino()),
            (Ok(_), Err(_)) | (Err(_), Ok(_)) | (Err(_), Err(_)) => false,
        }
    }
}
