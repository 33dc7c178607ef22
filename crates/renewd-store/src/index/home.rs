//! Where an index lives: a directory that is replaced as a whole, or memory.
//!
//! Must never delete an index before its replacement is complete; the one replaced is kept aside until the next.

use super::error::IndexError;
use super::sled_trees::SledTrees;
use super::trees::{MemoryTrees, Trees};
use crate::disk::{dir_bytes, sync_directory};
use crate::failpoint::failpoint;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Where an index lives.
#[derive(Debug, Clone)]
pub(crate) enum Home {
    /// In sled, in `index` of this directory.
    Directory(PathBuf),
    /// In memory: every open finds none. For comparisons and simulations.
    Memory,
    /// In memory, and found again by the next open. For simulations.
    #[cfg(any(test, feature = "testing"))]
    Kept(super::SimIndex),
}

const NAME: &str = "index";
const NEW: &str = "index.new";
const ASIDE: &str = "index.aside";

fn remove_dir(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

impl Home {
    /// Opens the index that is there; none if there is none.
    pub(crate) fn open(&self) -> Result<Option<Box<dyn Trees>>, IndexError> {
        #[cfg(any(test, feature = "testing"))]
        if let Self::Kept(index) = self {
            return Ok((!index.is_empty()).then(|| Box::new(index.0.clone()) as Box<dyn Trees>));
        }
        let Self::Directory(dir) = self else { return Ok(None) };
        let path = dir.join(NAME);
        // A directory without its database is no index; sled would quietly make an empty one.
        if !path.join("db").is_file() {
            return Ok(None);
        }
        Ok(Some(Box::new(SledTrees::open(&path)?)))
    }

    /// Opens an empty place to build a new index in.
    pub(crate) fn start_new(&self) -> Result<Box<dyn Trees>, IndexError> {
        #[cfg(any(test, feature = "testing"))]
        if let Self::Kept(index) = self {
            index.lose();
            return Ok(Box::new(index.0.clone()));
        }
        let Self::Directory(dir) = self else { return Ok(Box::new(MemoryTrees::default())) };
        let path = dir.join(NEW);
        remove_dir(&path)?;
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Box::new(SledTrees::open(&path)?))
    }

    /// Puts the index that was built in place of the one that is there. The old one is moved aside.
    pub(crate) fn put_in_place(&self, built: Box<dyn Trees>) -> Result<(Box<dyn Trees>, Option<PathBuf>), IndexError> {
        let Self::Directory(dir) = self else { return Ok((built, None)) };
        built.close()?;
        let (path, aside) = (dir.join(NAME), dir.join(ASIDE));
        failpoint("index.before-move-aside");
        let mut moved = None;
        if path.exists() {
            remove_dir(&aside)?;
            fs::rename(&path, &aside)?;
            moved = Some(aside);
        }
        failpoint("index.before-replace");
        fs::rename(dir.join(NEW), &path)?;
        sync_directory(dir)?;
        failpoint("index.after-replace");
        self.restrict()?;
        Ok((Box::new(SledTrees::open(&path)?), moved))
    }

    /// Moves an index aside whose last writes may not be on the disk, though the system shows them: after a failed sync
    /// they are never asked for again. The next open builds it anew.
    pub(crate) fn distrust(&self) -> io::Result<()> {
        match self {
            Self::Directory(dir) => {
                remove_dir(&dir.join(ASIDE))?;
                fs::rename(dir.join(NAME), dir.join(ASIDE))
            }
            Self::Memory => Ok(()),
            #[cfg(any(test, feature = "testing"))]
            Self::Kept(index) => {
                index.lose();
                Ok(())
            }
        }
    }

    /// Makes every file of the index readable by its owner only: sled creates them as the umask says.
    pub(crate) fn restrict(&self) -> io::Result<()> {
        match self {
            Self::Directory(dir) => restrict_dir(&dir.join(NAME)),
            Self::Memory => Ok(()),
            #[cfg(any(test, feature = "testing"))]
            Self::Kept(_) => Ok(()),
        }
    }

    /// Copies the index, which nobody may have open, into another directory. It is not made durable.
    pub(crate) fn copy_to(&self, to: &Path) -> io::Result<()> {
        match self {
            Self::Directory(dir) if dir.join(NAME).is_dir() => {
                copy_dir(&dir.join(NAME), &to.join(NAME))?;
                restrict_dir(&to.join(NAME))
            }
            Self::Directory(_) | Self::Memory => Ok(()),
            #[cfg(any(test, feature = "testing"))]
            Self::Kept(_) => Ok(()),
        }
    }

    /// Bytes on the disk.
    pub(crate) fn bytes(&self) -> io::Result<u64> {
        match self {
            Self::Directory(dir) => dir_bytes(&dir.join(NAME)),
            Self::Memory => Ok(0),
            #[cfg(any(test, feature = "testing"))]
            Self::Kept(_) => Ok(0),
        }
    }
}

fn copy_dir(from: &Path, to: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_dir(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn restrict_dir(dir: &Path) -> io::Result<()> {
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            restrict_dir(&entry.path())?;
        } else if entry.metadata()?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}
