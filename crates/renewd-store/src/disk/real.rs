//! The disk that is one: a directory of the machine's file system.
//!
//! Must never widen permissions: files are made 0600, and nothing follows a name with a path separator.

use super::Disk;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Access to the files of one directory. Opened files are kept open.
#[derive(Debug)]
pub struct RealDisk {
    dir: PathBuf,
    open: BTreeMap<String, File>,
}

impl RealDisk {
    /// The files of this directory, which must exist.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), open: BTreeMap::new() }
    }

    fn path(&self, file: &str) -> io::Result<PathBuf> {
        if file.is_empty() || file.contains('/') || file == ".." {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{file}` is not a plain file name")));
        }
        Ok(self.dir.join(file))
    }

    fn file(&mut self, file: &str) -> io::Result<&File> {
        if !self.open.contains_key(file) {
            let opened = OpenOptions::new().read(true).write(true).open(self.path(file)?)?;
            self.open.insert(file.to_owned(), opened);
        }
        self.open.get(file).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Opens a new file that only its owner can read, replacing one of that name.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// The sum of the lengths of all files below a directory; 0 if it does not exist.
pub(crate) fn dir_bytes(dir: &Path) -> io::Result<u64> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut bytes = 0;
    for entry in entries {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { dir_bytes(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}

impl Disk for RealDisk {
    fn len(&mut self, file: &str) -> io::Result<Option<u64>> {
        match self.file(file) {
            Ok(opened) => Ok(Some(opened.metadata()?.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read_at(&mut self, file: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let opened = self.file(file)?;
        let mut bytes = vec![0; length];
        let mut done = 0;
        while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match opened.read_at(rest, offset + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(done);
        Ok(bytes)
    }

    fn write_at(&mut self, file: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file(file)?.write_all_at(bytes, offset)
    }

    fn truncate(&mut self, file: &str, length: u64) -> io::Result<()> {
        self.file(file)?.set_len(length)
    }

    fn sync(&mut self, file: &str) -> io::Result<()> {
        self.file(file)?.sync_data()
    }

    fn create(&mut self, file: &str) -> io::Result<()> {
        let created = create_private(&self.path(file)?)?;
        self.open.insert(file.to_owned(), created);
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path(from)?, self.path(to)?)?;
        self.open.remove(to);
        if let Some(moved) = self.open.remove(from) {
            self.open.insert(to.to_owned(), moved);
        }
        Ok(())
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        sync_directory(&self.dir)
    }
}
