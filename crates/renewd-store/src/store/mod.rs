//! The store: journal, index, blobs and lock of one directory, opened for as short as possible.
//!
//! ```text
//! <dir>/            0700        store.json   format version, id, mark of a copy; written last
//!   lock            one process at a time, readers included
//!   journal         the truth                watermark    how far it is acknowledged
//!   index/          sled, built from the journal; index.aside/ is the last one that was replaced
//!   blobs/<sha256>  plugins, by digest       inflight/<token>.lock   owners of attempts
//! ```
//!
//! Opening verifies the journal (see [`crate::journal`] for how much), cuts a torn end, and brings the index up to
//! it: whatever is wrong with the index is repaired and reported; damage of the journal is refused.
//!
//! Must never: answer from an index that does not fit the journal, show its keys and values, or be kept open
//! until a person or a gateway has answered.

mod blobs;
mod commit;
mod copying;
mod error;
mod files;
mod identity;
mod index_care;
mod info;
mod lock;
mod owner;
mod queries;
mod random;
mod rows;
mod verify;

#[cfg(test)]
mod tests;

pub use blobs::{BlobReport, read_blob};
pub use commit::Commit;
pub use copying::{Copied, LeftBehind, Salvaged, backup, copy_for_rehearsal, restore, salvage, verify_backup};
pub use error::{CommitError, StoreError};
pub use identity::{Origin, Restored};
pub use index_care::IndexReport;
pub use info::{StoreInfo, info};
pub use owner::{Owner, owner_alive};
pub use queries::HistoryEntry;
pub use verify::{IndexVerdict, Rebuilt, VerifyReport, rebuild, verify};

use crate::disk::{Disk, RealDisk};
use crate::index::{Home, Index};
use crate::journal::{Depth, Journal, JournalReport, StoreId};
use crate::sequence::{Head, Place};
use identity::Identity;
use index_care::Found;
use lock::StoreLock;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a store is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Questions only: commits and new blobs are refused. What a crash left is repaired all the same.
    Read,
    /// Questions and commits.
    Write,
}

/// When a simulated store opens its index.
#[cfg(any(test, feature = "testing"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// As [`Store::open`].
    AtOnce,
    /// As [`Store::open_lazily`].
    Lazy,
}

/// What an open found and repaired. Everything in it is worth a line to the user, except when it is all well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenReport {
    /// Of the journal.
    pub journal: JournalReport,
    /// Of the index.
    pub index: IndexReport,
}

impl OpenReport {
    /// Whether nothing had to be repaired.
    pub fn is_clean(&self) -> bool {
        let index = matches!(self.index, IndexReport::UpToDate | IndexReport::Unopened);
        self.journal.torn.is_none() && !self.journal.watermark_missing && index
    }

    fn sentences(&self) -> Vec<String> {
        let torn = self
            .journal
            .torn
            .map(|torn| format!("{} bytes of a commit that was never finished were cut off the journal", torn.bytes));
        let watermark = "the journal had no watermark and has a new one: what was acknowledged before is not known";
        let watermark = self.journal.watermark_missing.then(|| watermark.to_owned());
        torn.into_iter().chain(watermark).chain(self.index.sentence()).collect()
    }
}

/// The parts that a query may have to repair.
struct Inner {
    journal: Journal,
    /// None before it is opened, and after it failed, until it is rebuilt.
    index: Option<Index>,
    /// How the journal was found, for as long as the index is not opened.
    unopened: Option<Found>,
    home: Home,
    /// Whether the index is where the next open looks for it, rather than in memory because the disk is full.
    kept: bool,
    repairs: Vec<IndexReport>,
}

/// An open store. Dropping it closes it and lets the next process in.
pub struct Store {
    dir: PathBuf,
    id: StoreId,
    mode: Mode,
    restored: Option<Restored>,
    report: OpenReport,
    inner: RefCell<Inner>,
    // Last, so that it is dropped last: the index must be closed before the next process may open it.
    _lock: Option<StoreLock>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("dir", &self.dir).field("id", &self.id).finish_non_exhaustive()
    }
}

impl Store {
    /// Whether there is a store in this directory, or what is left of one: commits without a `store.json` are damage,
    /// not nothing. What a killed [`Store::create`] left behind has no commits, and is nothing.
    pub fn exists(dir: &Path) -> bool {
        identity::read(dir).is_ok_and(|id| id.is_some())
            || dir.join(identity::NAME).exists()
            || has_commits(dir).unwrap_or(false)
    }

    /// Makes a store in this directory (which may exist) and opens it for writing.
    ///
    /// # Errors
    /// There is a store already, or the file system failed.
    pub fn create(dir: &Path) -> Result<Self, StoreError> {
        files::private_dir(dir)?;
        let lock = StoreLock::take(dir, Duration::ZERO)?;
        if identity::read(dir)?.is_some() {
            return Err(StoreError::Exists(dir.to_owned()));
        }
        let mut disk: Box<dyn Disk> = Box::new(RealDisk::new(dir));
        let length = disk.len(crate::journal::FILE).map_err(error::failed("reading", dir))?.unwrap_or(0);
        if length > crate::journal::header::FILE_HEADER_BYTES {
            return Err(StoreError::Orphaned(dir.to_owned()));
        }
        let id = StoreId::from_bytes(random::random_bytes()?);
        let journal = Journal::create(disk, id)?;
        let home = Home::Directory(dir.to_owned());
        let report = JournalReport { verified_from: journal.bytes(), torn: None, watermark_missing: false };
        let opened = Opened { lock: Some(lock), identity: Identity::of_new(id), journal, report };
        let store = Self::with_parts(dir, opened, home, Mode::Write)?;
        identity::write(dir, &Identity::of_new(id))?;
        Ok(store)
    }

    /// Opens the store in this directory, waiting up to `wait` while another process has it.
    ///
    /// # Errors
    /// There is no store, it stays in use, its journal is damaged, or the file system failed.
    pub fn open(dir: &Path, wait: Duration, mode: Mode) -> Result<Self, StoreError> {
        Self::open_at_depth(dir, wait, mode, Depth::Ordinary)
    }

    /// As [`Store::open`] for writing, but the index is opened by the first question, or, behind a commit, when the store
    /// is closed: for visits that know from an earlier one what the store has, as long as its head is the same.
    ///
    /// # Errors
    /// As [`Store::open`]; what is wrong with the index is an error of the question.
    pub fn open_lazily(dir: &Path, wait: Duration) -> Result<Self, StoreError> {
        let opened = open_journal(dir, wait, Depth::Ordinary)?;
        Ok(Self::without_index(dir, opened, Home::Directory(dir.to_owned())))
    }

    fn open_at_depth(dir: &Path, wait: Duration, mode: Mode, depth: Depth) -> Result<Self, StoreError> {
        let opened = open_journal(dir, wait, depth)?;
        Self::with_parts(dir, opened, Home::Directory(dir.to_owned()), mode)
    }

    fn without_index(dir: &Path, opened: Opened, home: Home) -> Self {
        let Opened { lock, identity, journal, report } = opened;
        let (id, restored, unopened) = (journal.id(), identity.restored, Some(Found::of(&journal)));
        let inner = RefCell::new(Inner { journal, index: None, unopened, home, kept: true, repairs: Vec::new() });
        let report = OpenReport { journal: report, index: IndexReport::Unopened };
        Self { dir: dir.to_owned(), id, mode: Mode::Write, restored, report, inner, _lock: lock }
    }

    fn with_parts(dir: &Path, opened: Opened, home: Home, mode: Mode) -> Result<Self, StoreError> {
        let Opened { lock, identity, mut journal, report } = opened;
        let found = Found::of(&journal);
        let (index, index_report, home, kept) = match index_care::open(&home, &mut journal, found) {
            Ok((index, report)) => (index, report, home, true),
            Err(error) => {
                let (index, report) = index_care::open_despite(error, dir, mode, &mut journal)?;
                (index, report, Home::Memory, false)
            }
        };
        let (id, restored) = (journal.id(), identity.restored);
        let (index, unopened) = (Some(index), None);
        let inner = RefCell::new(Inner { journal, index, unopened, home, kept, repairs: Vec::new() });
        let report = OpenReport { journal: report, index: index_report };
        Ok(Self { dir: dir.to_owned(), id, mode, restored, report, inner, _lock: lock })
    }

    /// A store whose journal is on this disk and whose index is in memory; made if the disk is empty. Blobs and
    /// owners are real files in `dir`, and there is no lock.
    ///
    /// # Errors
    /// As [`Store::open`].
    #[cfg(any(test, feature = "testing"))]
    pub fn simulated(disk: &crate::testing::SimDisk, dir: &Path, id: StoreId) -> Result<Self, StoreError> {
        Self::simulated_as(disk, Home::Memory, dir, id, None, Opening::AtOnce)
    }

    /// As [`Store::simulated`], with an index that is found again by the next open, and the mark of a restored store.
    ///
    /// # Errors
    /// As [`Store::open`].
    #[cfg(any(test, feature = "testing"))]
    pub fn simulated_with(
        disk: &crate::testing::SimDisk,
        index: &crate::testing::SimIndex,
        dir: &Path,
        id: StoreId,
        restored: Option<Restored>,
        opening: Opening,
    ) -> Result<Self, StoreError> {
        Self::simulated_as(disk, Home::Kept(index.clone()), dir, id, restored, opening)
    }

    #[cfg(any(test, feature = "testing"))]
    fn simulated_as(
        disk: &crate::testing::SimDisk,
        home: Home,
        dir: &Path,
        id: StoreId,
        restored: Option<Restored>,
        opening: Opening,
    ) -> Result<Self, StoreError> {
        let (depth, sim) = (if disk.is_verified() { Depth::Brief } else { Depth::Ordinary }, disk);
        let mut disk: Box<dyn Disk> = Box::new(sim.clone());
        let length = disk.len(crate::journal::FILE).map_err(error::failed("reading", dir))?;
        // As [`Store::create`]: what a killed one left behind has no commits, and is made anew.
        let has_commits = length.is_some_and(|bytes| bytes > crate::journal::header::FILE_HEADER_BYTES);
        let (journal, report) = if has_commits {
            let opened = Journal::open(disk, depth, |_| None)?;
            sim.set_verified();
            opened
        } else {
            let journal = Journal::create(disk, id)?;
            let report = JournalReport { verified_from: journal.bytes(), torn: None, watermark_missing: false };
            (journal, report)
        };
        let mut identity = Identity::of_new(journal.id());
        identity.restored = restored;
        let opened = Opened { lock: None, identity, journal, report };
        match opening {
            Opening::AtOnce => Self::with_parts(dir, opened, home, Mode::Write),
            Opening::Lazy => Ok(Self::without_index(dir, opened, home)),
        }
    }

    /// The directory of the store.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether the process that owns this token is alive.
    ///
    /// # Errors
    /// The file system failed, so that it cannot be told.
    pub fn owner_alive(&self, token: &str) -> Result<bool, StoreError> {
        owner_alive(&self.dir, token)
    }

    /// The random identity of the store.
    pub fn id(&self) -> StoreId {
        self.id
    }

    /// The mark of a store that was restored from a backup or salvaged; none for one that never was.
    ///
    /// Before the first charge of each resource since that head, gateways must be asked what they know of it.
    pub fn restored(&self) -> Option<Restored> {
        self.restored
    }

    /// What the open found and repaired.
    pub fn report(&self) -> &OpenReport {
        &self.report
    }

    /// What the open and the questions since have repaired, a sentence each; nothing where all was well.
    pub fn repaired(&self) -> Vec<String> {
        let since = self.inner.borrow().repairs.iter().filter_map(IndexReport::sentence).collect::<Vec<_>>();
        self.report.sentences().into_iter().chain(since).collect()
    }

    /// What had to be repaired since the open.
    pub fn repairs(&self) -> Vec<IndexReport> {
        self.inner.borrow().repairs.clone()
    }

    /// The last commit.
    pub fn head(&self) -> Head {
        self.inner.borrow().journal.head()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // A failure here costs the next open a check of the index, nothing else.
        let _ = self.inner.borrow_mut().close();
    }
}

/// A store whose journal is open and whose index is not.
struct Opened {
    lock: Option<StoreLock>,
    identity: Identity,
    journal: Journal,
    report: JournalReport,
}

/// Takes the lock and opens the journal of a store, comparing identities.
fn open_journal(dir: &Path, wait: Duration, depth: Depth) -> Result<Opened, StoreError> {
    if !dir.is_dir() {
        return Err(StoreError::Missing(dir.to_owned()));
    }
    if !dir.join(identity::NAME).exists() && !dir.join(crate::journal::FILE).exists() {
        return Err(StoreError::Missing(dir.to_owned()));
    }
    if identity::read(dir)?.is_some_and(|identity| identity.backup.is_some()) {
        return Err(StoreError::Backup(dir.to_owned()));
    }
    let lock = StoreLock::take(dir, wait)?;
    let identity = match identity::read(dir)? {
        Some(identity) => identity,
        None if has_commits(dir)? => return Err(StoreError::Orphaned(dir.to_owned())),
        None => return Err(StoreError::Missing(dir.to_owned())),
    };
    let home = Home::Directory(dir.to_owned());
    let spare = |id: StoreId| -> Option<Place> { index_care::place_of_existing(&home, id) };
    let (journal, report) = Journal::open(Box::new(RealDisk::new(dir)), depth, spare)?;
    if journal.id() != identity.id {
        return Err(StoreError::Mixed { journal: journal.id(), identity: identity.id });
    }
    Ok(Opened { lock: Some(lock), identity, journal, report })
}

fn has_commits(dir: &Path) -> Result<bool, StoreError> {
    let length = RealDisk::new(dir).len(crate::journal::FILE).map_err(error::failed("reading", dir))?;
    Ok(length.is_some_and(|bytes| bytes > crate::journal::header::FILE_HEADER_BYTES))
}
