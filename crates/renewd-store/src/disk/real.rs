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
    writes: bool,
    /// Whether what the device cannot read is answered with zeros, which no check takes for a record.
    bridges_holes: bool,
}

impl RealDisk {
    /// The files of this directory, which must exist.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), open: BTreeMap::new(), writes: true, bridges_holes: false }
    }

    /// The files of this directory, opened for reading only: whatever is called, none of them is changed.
    pub(crate) fn for_reading(dir: impl Into<PathBuf>) -> Self {
        Self { writes: false, ..Self::new(dir) }
    }

    /// As [`RealDisk::for_reading`], and a sector that cannot be read hides nothing but itself.
    pub(crate) fn for_salvage(dir: impl Into<PathBuf>) -> Self {
        Self { bridges_holes: true, ..Self::for_reading(dir) }
    }

    fn refuse_unless_writing(&self) -> io::Result<()> {
        if self.writes { Ok(()) } else { Err(io::Error::from(io::ErrorKind::ReadOnlyFilesystem)) }
    }

    fn path(&self, file: &str) -> io::Result<PathBuf> {
        if file.is_empty() || file.contains('/') || file == ".." {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{file}` is not a plain file name")));
        }
        Ok(self.dir.join(file))
    }

    fn file(&mut self, file: &str) -> io::Result<&File> {
        if !self.open.contains_key(file) {
            let opened = OpenOptions::new().read(true).write(self.writes).open(self.path(file)?)?;
            self.open.insert(file.to_owned(), opened);
        }
        self.open.get(file).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

fn read_fully(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut done = 0;
    while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(done);
    Ok(bytes)
}

/// Reads page by page, with zeros for the pages that cannot be read.
fn read_around_holes(offset: u64, length: usize, read: impl Fn(u64, usize) -> io::Result<Vec<u8>>) -> Vec<u8> {
    const PAGE_BYTES: u64 = 4096;
    let end = offset + length as u64;
    let mut bytes = Vec::with_capacity(length);
    let mut at = offset;
    while at < end {
        let next = ((at / PAGE_BYTES + 1) * PAGE_BYTES).min(end);
        let wanted = (next - at) as usize;
        let part = read(at, wanted).unwrap_or_else(|_| vec![0; wanted]);
        bytes.extend_from_slice(&part);
        if part.len() < wanted {
            break;
        }
        at = next;
    }
    bytes
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Opens a new file that only its owner can read, replacing one of that name.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// The bytes that this user may still write to the file system of `dir`; none where the system does not say.
pub(crate) fn free_bytes(dir: &Path) -> Option<u64> {
    let told = rustix::fs::statvfs(dir).ok()?;
    // Some network file systems answer with zeros for all there is.
    (told.f_blocks > 0).then(|| told.f_bavail.saturating_mul(told.f_frsize))
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
        let bridges_holes = self.bridges_holes;
        let opened = self.file(file)?;
        match read_fully(opened, offset, length) {
            Err(_) if bridges_holes => Ok(read_around_holes(offset, length, |at, part| read_fully(opened, at, part))),
            other => other,
        }
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
        self.refuse_unless_writing()?;
        let created = create_private(&self.path(file)?)?;
        self.open.insert(file.to_owned(), created);
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.refuse_unless_writing()?;
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

    fn free_bytes(&mut self) -> Option<u64> {
        free_bytes(&self.dir)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sector_that_cannot_be_read_hides_nothing_but_its_page() {
        let file: Vec<u8> = (0..20_000_u32).map(|number| number as u8 | 1).collect();
        let read = |at: u64, length: usize| {
            let range = at as usize..(at as usize + length).min(file.len());
            if range.contains(&5000) { Err(io::Error::from_raw_os_error(5)) } else { Ok(file[range].to_vec()) }
        };
        for (offset, length) in [(0, 20_000), (10, 100_000), (4096, 4096), (5000, 1), (8191, 2), (19_999, 5)] {
            let found = read_around_holes(offset, length, read);
            assert_eq!(found.len(), length.min(file.len() - offset as usize));
            for (index, byte) in found.into_iter().enumerate() {
                let at = index + offset as usize;
                let hole = (4096..8192).contains(&at) && read(4096.max(offset), 4096).is_err();
                assert!(byte == file[at] || (hole && byte == 0), "{at}");
            }
        }
    }
}
