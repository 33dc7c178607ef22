//! The directory and the key that make a kept artefact trustworthy: only the owner can write either.
//!
//! An artefact is native code that runs unchecked, so whoever can write one runs code as the owner. On systems without
//! Unix permissions nothing is kept.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::path::Path;

/// Bytes of the key, and of each keyed digest.
pub(crate) const KEY_BYTES: usize = 32;

/// The key of one cache directory.
pub(crate) struct CacheKey([u8; KEY_BYTES]);

impl CacheKey {
    /// Makes the directory and its key when missing, and checks that nobody else can write or read them.
    ///
    /// # Errors
    /// One sentence that says why the directory cannot be used.
    pub(crate) fn open(dir: &Path) -> Result<Self, String> {
        unix::open(dir).map(Self)
    }

    /// The keyed digest (HMAC-SHA256) of an artefact under its name.
    pub(crate) fn seal(&self, name: &str, artefact: &[u8]) -> Option<[u8; KEY_BYTES]> {
        Some(self.mac(name, artefact)?.finalize().into_bytes().into())
    }

    /// Whether `seal` is the keyed digest of this artefact under this name; compared in constant time.
    pub(crate) fn holds(&self, name: &str, artefact: &[u8], seal: &[u8]) -> bool {
        self.mac(name, artefact).is_some_and(|mac| mac.verify_slice(seal).is_ok())
    }

    fn mac(&self, name: &str, artefact: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(&(name.len() as u64).to_be_bytes());
        mac.update(name.as_bytes());
        mac.update(artefact);
        Some(mac)
    }
}

#[cfg(unix)]
mod unix {
    use super::KEY_BYTES;
    use std::fs::{self, DirBuilder, OpenOptions};
    use std::io::{self, Read, Write};
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
    use std::path::Path;

    const KEY_FILE: &str = "key";

    pub(super) fn open(dir: &Path) -> Result<[u8; KEY_BYTES], String> {
        let shown = dir.display();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|error| format!("cannot make `{shown}`: {error}"))?;
        check_directory(dir)?;
        let path = dir.join(KEY_FILE);
        match make_key(&path) {
            Ok(key) => Ok(key),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read_key(&path),
            Err(error) => Err(format!("cannot make `{}`: {error}", path.display())),
        }
    }

    fn check_directory(dir: &Path) -> Result<(), String> {
        let shown = dir.display();
        let meta = fs::symlink_metadata(dir).map_err(|error| format!("cannot look at `{shown}`: {error}"))?;
        if !meta.is_dir() {
            return Err(format!("`{shown}` is not a directory"));
        }
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return Err(format!("`{shown}` belongs to another user"));
        }
        if meta.mode() & 0o022 != 0 {
            return Err(format!("others can write to `{shown}`: run `chmod 700 {shown}`"));
        }
        Ok(())
    }

    /// Written beside and linked into place, so that no reader ever sees half a key.
    fn make_key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut key = [0_u8; KEY_BYTES];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let beside = path.with_extension(format!("new-{}-{:?}", std::process::id(), std::thread::current().id()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        let placed = file.write_all(&key).and_then(|()| fs::hard_link(&beside, path));
        fs::remove_file(&beside)?;
        placed.map(|()| key)
    }

    fn read_key(path: &Path) -> Result<[u8; KEY_BYTES], String> {
        let shown = path.display();
        let unreadable = |error: io::Error| format!("cannot read `{shown}`: {error}");
        if path.symlink_metadata().map_err(unreadable)?.is_symlink() {
            return Err(format!("`{shown}` is a symbolic link"));
        }
        let mut file = OpenOptions::new().read(true).open(path).map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return Err(format!("`{shown}` belongs to another user"));
        }
        if meta.mode() & 0o077 != 0 {
            return Err(format!("others can reach `{shown}`: remove it, and a new key is made"));
        }
        let mut key = [0_u8; KEY_BYTES];
        if meta.len() != KEY_BYTES as u64 || file.read_exact(&mut key).is_err() {
            return Err(format!("`{shown}` is damaged: remove it, and a new key is made"));
        }
        Ok(key)
    }
}

#[cfg(not(unix))]
mod unix {
    pub(super) fn open(_dir: &std::path::Path) -> Result<[u8; super::KEY_BYTES], String> {
        Err("this system has no Unix permissions, so compiled plugins are not kept".to_owned())
    }
}
