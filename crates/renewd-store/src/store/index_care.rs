//! Keeps the index at the journal: decides whether an index is good, behind or to be rebuilt, and does it.
//!
//! Must never pass damage of the journal off as a fault of the index: that is refused, not repaired.

use super::files::require_room;
use super::{Inner, Mode, StoreError};
use crate::failpoint::failpoint;
use crate::index::{Builder, CommitView, Home, Index, IndexError};
use crate::journal::{Journal, JournalError, StoreId};
use crate::sequence::{Place, Sequence};
use std::path::{Path, PathBuf};

/// What was found and done about the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexReport {
    /// Nothing was asked of it.
    Unopened,
    /// It was at the journal's head.
    UpToDate,
    /// Commits that it lacked were brought in: a process ended before it had written them.
    CaughtUp {
        /// How many.
        commits: u64,
    },
    /// It was built anew from the journal.
    Rebuilt {
        /// Why.
        reason: String,
        /// Where the old one is now, if there was one.
        aside: Option<PathBuf>,
    },
}

/// Why an index is made where there was none: after a restore, for example.
const NO_INDEX: &str = "there was no index";

impl IndexReport {
    /// What was repaired; nothing where nothing was wrong.
    pub(super) fn sentence(&self) -> Option<String> {
        match self {
            Self::Unopened | Self::UpToDate => None,
            Self::Rebuilt { reason, aside: None } if reason == NO_INDEX => None,
            Self::CaughtUp { commits } => {
                let plural = if *commits == 1 { "" } else { "s" };
                Some(format!(
                    "the index lacked {commits} commit{plural} of a process that ended early; they are in it now"
                ))
            }
            Self::Rebuilt { reason, aside } => {
                let kept = aside.as_ref().map(|aside| format!("; the old one is `{}`", aside.display()));
                let reason = if reason == NO_INDEX { "a part of it was gone" } else { reason };
                Some(format!("the index was made anew from the journal, because {reason}{}", kept.unwrap_or_default()))
            }
        }
    }
}

/// How the journal was found, which is what an index is judged by: what this process has committed since, it lacks
/// through no fault.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    place: Place,
    sealed: Sequence,
}

impl Found {
    pub(super) fn of(journal: &Journal) -> Self {
        Self { place: journal.place(), sealed: journal.sealed() }
    }
}

/// Why an index cannot be used as it is.
enum Fault {
    Index(IndexError),
    Journal(JournalError),
}

impl From<IndexError> for Fault {
    fn from(error: IndexError) -> Self {
        Self::Index(error)
    }
}

impl From<JournalError> for Fault {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Index(error) => error.into(),
            Fault::Journal(error) => error.into(),
        }
    }
}

/// Opens the index of a store, repaired where needed.
pub(super) fn open(home: &Home, journal: &mut Journal, found: Found) -> Result<(Index, IndexReport), StoreError> {
    let reason = match open_existing(home, journal, found) {
        Ok(Some(opened)) => return Ok(opened),
        Ok(None) if found.place.head.sequence == Sequence::ZERO => {
            let (index, _) = build(home, journal)?;
            return Ok((index, IndexReport::UpToDate));
        }
        Ok(None) => NO_INDEX.to_owned(),
        // An event that cannot be read stays unreadable however often the index is rebuilt.
        Err(Fault::Index(error @ IndexError::Event { .. })) => return Err(error.into()),
        Err(Fault::Index(error)) => error.to_string(),
        Err(Fault::Journal(error)) => return Err(error.into()),
    };
    let (index, aside) = build(home, journal)?;
    Ok((index, IndexReport::Rebuilt { reason, aside }))
}

/// Answers questions from memory where the index cannot be kept on the disk: a full disk must not keep anybody from
/// reading. For commits the store stays closed, and says so if the disk is full.
pub(super) fn open_despite(
    error: StoreError,
    dir: &Path,
    mode: Mode,
    journal: &mut Journal,
) -> Result<(Index, IndexReport), StoreError> {
    let StoreError::Index(fault) = error else { return Err(error) };
    if mode == Mode::Write || matches!(fault, IndexError::Event { .. }) {
        return Err(for_want_of_room(fault, dir));
    }
    let reason = format!("{fault}; until that is mended it is kept in memory");
    let (index, aside) = build(&Home::Memory, journal)?;
    Ok((index, IndexReport::Rebuilt { reason, aside }))
}

/// Says that the disk is full, where that is why an index cannot be kept.
fn for_want_of_room(fault: IndexError, dir: &Path) -> StoreError {
    match fault {
        IndexError::Event { .. } => fault.into(),
        _ => require_room(dir, 0).err().unwrap_or_else(|| fault.into()),
    }
}

fn open_existing(home: &Home, journal: &mut Journal, found: Found) -> Result<Option<(Index, IndexReport)>, Fault> {
    let Some(trees) = home.open()? else { return Ok(None) };
    let mut index = Index::open(trees, journal.id())?;
    let place = index.place();
    if place.head.sequence > journal.head().sequence && !renewd_core::planted::is("index-not-compared") {
        return Err(IndexError::Unfit("is ahead of the journal").into());
    }
    if !renewd_core::planted::is("index-not-compared") && !journal.holds(place)? {
        return Err(IndexError::Unfit("disagrees with the journal").into());
    }
    let behind = place != found.place;
    let sealed = found.sealed == place.head.sequence && place.head.sequence != Sequence::ZERO;
    if behind || !sealed || index.is_small() {
        index.check_rows()?;
    }
    if behind {
        unseal(journal)?;
    }
    let mut commits = 0;
    if place != journal.place() {
        journal.replay(place, |run| -> Result<(), Fault> {
            if renewd_core::planted::is("index-not-caught-up") {
                return Ok(());
            }
            commits += u64::from(run.place.end_offset <= found.place.end_offset);
            index.apply(&CommitView::read(run)?)?;
            Ok(())
        })?;
    }
    let report = if behind { IndexReport::CaughtUp { commits } } else { IndexReport::UpToDate };
    Ok(Some((index, report)))
}

/// INVARIANT (seal): the index is sealed at the journal's head only if it was closed in good order there, so the
/// seal is taken back before an index at that head is written to.
fn unseal(journal: &mut Journal) -> Result<(), JournalError> {
    if journal.sealed() == Sequence::ZERO { Ok(()) } else { journal.seal(None) }
}

/// Builds a new index from the whole journal and puts it in place. Says where the old one went.
pub(super) fn build(home: &Home, journal: &mut Journal) -> Result<(Index, Option<PathBuf>), StoreError> {
    unseal(journal)?;
    let built = build_apart(home, journal)?;
    let (trees, aside) = home.put_in_place(built.into_trees())?;
    Ok((Index::open(trees, journal.id())?, aside))
}

/// Builds a new index from the whole journal, without putting it in place.
pub(super) fn build_apart(home: &Home, journal: &mut Journal) -> Result<Index, StoreError> {
    let genesis = journal.genesis();
    let mut index = Index::empty(home.start_new()?, journal.id(), genesis);
    let mut builder = Builder::default();
    journal.replay(genesis, |run| -> Result<(), Fault> {
        builder.gather(&CommitView::read(run)?);
        Ok(())
    })?;
    builder.write_into(&mut index, journal.place())?;
    Ok(index)
}

/// The commit that an existing index of this store was built up to, if that can be told.
pub(super) fn place_of_existing(home: &Home, id: StoreId) -> Option<Place> {
    let index = Index::open(home.open().ok()??, id).ok()?;
    let place = index.place();
    index.close().ok()?;
    Some(place)
}

impl Inner {
    /// Asks the index. Where the index fails it is rebuilt from the journal, once, and asked again.
    pub(super) fn ask<T>(&mut self, question: impl Fn(&Index) -> Result<T, IndexError>) -> Result<T, StoreError> {
        self.open_index()?;
        let reason = match self.index.as_ref().map(&question) {
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(error)) => error.to_string(),
            None => "an earlier write to it had failed".to_owned(),
        };
        self.repair(reason)?;
        let index = self.index.as_ref().ok_or(IndexError::Unfit("is closed"))?;
        Ok(question(index)?)
    }

    /// Opens the index, where that is left to the first question.
    fn open_index(&mut self) -> Result<(), StoreError> {
        let Some(found) = self.unopened.take() else { return Ok(()) };
        let (index, report) =
            open(&self.home, &mut self.journal, found).map_err(|error| match (&self.home, error) {
                (Home::Directory(dir), StoreError::Index(fault)) => for_want_of_room(fault, dir),
                (_, error) => error,
            })?;
        self.index = Some(index);
        if report != IndexReport::UpToDate {
            self.repairs.push(report);
        }
        Ok(())
    }

    /// A commit of the journal from which on to read, so that nothing after `sequence` is missed and little before
    /// it is read. What the index says of it is believed only where the journal has that very commit.
    pub(super) fn place_up_to(&mut self, sequence: Sequence) -> Result<Place, StoreError> {
        if sequence >= self.journal.head().sequence {
            return Ok(self.journal.place());
        }
        match self.ask(|index| index.place_up_to(sequence))? {
            Some(place) if self.journal.holds(place)? => Ok(place),
            Some(_) | None => Ok(self.journal.genesis()),
        }
    }

    /// Replaces the index by one that is built from the journal.
    pub(super) fn repair(&mut self, reason: String) -> Result<(), StoreError> {
        if let Some(index) = self.index.take() {
            // It has failed already; what else it has to say changes nothing.
            let _ = index.close();
        }
        let (index, aside) = build(&self.home, &mut self.journal)?;
        self.index = Some(index);
        self.repairs.push(IndexReport::Rebuilt { reason, aside });
        Ok(())
    }

    /// Closes the index and, if it is at the journal's head, seals it there. One that lacks a commit of this process is
    /// brought up to it first.
    pub(super) fn close(&mut self) -> Result<(), StoreError> {
        match self.unopened {
            Some(found) if found.place != self.journal.place() => self.open_index()?,
            Some(_) => return Ok(()),
            None => {}
        }
        let Some(index) = self.index.take() else { return Ok(()) };
        let place = index.place();
        if let Err(error) = index.close() {
            if self.kept {
                self.home.distrust().map_err(IndexError::from)?;
            }
            return Err(error.into());
        }
        if !self.kept {
            return Ok(());
        }
        self.home.restrict().map_err(IndexError::from)?;
        failpoint("store.before-seal");
        let head = self.journal.head().sequence;
        if place == self.journal.place() && head != Sequence::ZERO && self.journal.sealed() != head {
            self.journal.seal(Some(head))?;
        }
        Ok(())
    }
}
