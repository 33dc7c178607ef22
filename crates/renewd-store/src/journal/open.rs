//! Creating a journal, and opening one: verify, judge the tail, cut it where it is torn.
//!
//! Must never cut before the tail was judged torn, nor create over a journal that has records.

use super::error::{JournalError, during};
use super::header::{self, FILE_HEADER_BYTES, FileHeaderFault, StoreId};
use super::reader::Reader;
use super::record::{Decoded, Kind};
use super::scan::{self, Scanned};
use super::tail::{self, Verdict};
use super::watermark::{self, Watermark};
use super::{FILE, Journal};
use crate::disk::Disk;
use crate::failpoint::failpoint;
use crate::limits::OPEN_FULL_CHECK_BYTES_MAX;
use crate::sequence::{Place, Sequence};
use std::sync::Arc;

/// How much of the journal an open verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Everything, or from the watermark on where the journal is long.
    Ordinary,
    /// Everything.
    Full,
    /// From the watermark on, however short the journal is: what is before it was verified when it was written, and
    /// nothing but this store has touched it since.
    #[cfg(any(test, feature = "testing"))]
    Brief,
}

/// A tail that was cut: a commit that a crash interrupted and that was never acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Torn {
    /// The number of the first record that was cut.
    pub record: Sequence,
    /// The byte at which the journal was cut.
    pub offset: u64,
    /// How many bytes were cut.
    pub bytes: u64,
}

/// What an open found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalReport {
    /// The byte from which the chain was verified.
    pub verified_from: u64,
    /// The interrupted commit that was cut off, if there was one.
    pub torn: Option<Torn>,
    /// There was no intact watermark; the strict rules applied and a new one was made.
    pub watermark_missing: bool,
}

impl Journal {
    /// Makes a new journal for the store `id`, durable under its name.
    pub(crate) fn create(mut disk: Box<dyn Disk>, id: StoreId) -> Result<Self, JournalError> {
        const NEW: &str = "journal.new";
        let failed = during("creating");
        let bytes = header::file_header(&id);
        failpoint("journal.before-create");
        disk.create(NEW).map_err(&failed)?;
        disk.write_at(NEW, 0, &bytes).map_err(&failed)?;
        if !renewd_core::planted::is("create-without-sync") {
            disk.sync(NEW).map_err(&failed)?;
        }
        failpoint("journal.before-name");
        disk.rename(NEW, FILE).map_err(&failed)?;
        if !renewd_core::planted::is("names-not-synced") {
            disk.sync_dir().map_err(&failed)?;
        }
        failpoint("journal.after-name");
        let genesis = read_header(&mut Reader::new(&mut *disk)?)?.genesis;
        let watermark = Watermark::first(genesis);
        watermark.create(&mut *disk, &id)?;
        Ok(Self { disk, id, genesis, place: genesis, watermark, failure: None })
    }

    /// Opens the journal of this disk.
    ///
    /// `spare` is what another place says of the watermark, used only if the file has none.
    pub(crate) fn open(
        mut disk: Box<dyn Disk>,
        depth: Depth,
        spare: impl FnOnce(StoreId) -> Option<Place>,
    ) -> Result<(Self, JournalReport), JournalError> {
        let mut reader = Reader::new(&mut *disk)?;
        let file_header = read_header(&mut reader)?;
        let genesis = file_header.genesis;
        let stored = watermark::read(&mut *disk, &file_header.id)?;
        let binding = stored.map(|w| w.place).or_else(|| spare(file_header.id));
        let mut reader = Reader::new(&mut *disk)?;
        let from = start_of_check(&mut reader, depth, genesis, binding)?;
        let scanned = scan_checked(&mut reader, from, binding)?;
        let verdict = tail::judge(&mut reader, &scanned, binding)?;
        let length = reader.length();
        let torn = match verdict {
            Verdict::Clean => None,
            Verdict::Torn => Some(cut(&mut *disk, scanned.place, length)?),
        };
        let report = JournalReport { verified_from: from.end_offset, torn, watermark_missing: stored.is_none() };
        let watermark = renew_watermark(&mut *disk, &file_header.id, stored, scanned.place)?;
        let journal = Self { disk, id: file_header.id, genesis, place: scanned.place, watermark, failure: None };
        Ok((journal, report))
    }
}

pub(super) fn read_header(reader: &mut Reader<'_>) -> Result<header::FileHeader, JournalError> {
    let bytes = reader.bytes(0, FILE_HEADER_BYTES as usize)?;
    header::parse_file_header(bytes).map_err(|fault| match fault {
        FileHeaderFault::Version(version) => JournalError::Version(version),
        FileHeaderFault::Bad(reason) => JournalError::BadHeader(reason),
    })
}

/// From where to verify: the beginning, or the watermark if the journal is long and its mark is where it should be.
fn start_of_check(
    reader: &mut Reader<'_>,
    depth: Depth,
    genesis: Place,
    watermark: Option<Place>,
) -> Result<Place, JournalError> {
    let Some(place) = watermark else { return Ok(genesis) };
    let everything = match depth {
        Depth::Ordinary => reader.length() <= OPEN_FULL_CHECK_BYTES_MAX,
        Depth::Full => true,
        #[cfg(any(test, feature = "testing"))]
        Depth::Brief => false,
    };
    if everything || place.mark_offset < FILE_HEADER_BYTES {
        return Ok(genesis);
    }
    let fits = match reader.record(place.mark_offset)? {
        Decoded::Good(mark) => {
            mark.kind == Kind::Mark
                && mark.hash == place.head.hash
                && mark.sequence == place.head.sequence
                && place.mark_offset + mark.bytes() == place.end_offset
        }
        Decoded::Short | Decoded::Bad(_) => false,
    };
    Ok(if fits { place } else { genesis })
}

/// Walks the chain; the watermark must be one of its commits.
fn scan_checked(reader: &mut Reader<'_>, from: Place, watermark: Option<Place>) -> Result<Scanned, JournalError> {
    let mut seen = watermark.is_none_or(|mark| mark == from);
    let scanned = scan::scan(reader, from, |run| -> Result<(), JournalError> {
        seen |= watermark == Some(run.place);
        Ok(())
    })?;
    match watermark {
        // INVARIANT (watermark-binds): the journal must contain exactly the commit that was acknowledged last.
        Some(mark) if !seen && scanned.place.end_offset >= mark.end_offset => Err(super::Damage {
            record: mark.head.sequence,
            offset: mark.mark_offset,
            reason: "the journal has other records than its watermark".to_owned(),
            intact_records: Sequence::ZERO,
            intact_bytes: FILE_HEADER_BYTES,
        }
        .into()),
        Some(_) | None => Ok(scanned),
    }
}

fn cut(disk: &mut dyn Disk, last: Place, length: u64) -> Result<Torn, JournalError> {
    failpoint("journal.before-cut");
    disk.truncate(FILE, last.end_offset).map_err(during("cutting the torn end of"))?;
    disk.sync(FILE).map_err(|error| JournalError::Poisoned(Arc::new(error)))?;
    failpoint("journal.after-cut");
    Ok(Torn {
        record: last.head.sequence.next(),
        offset: last.end_offset,
        bytes: length.saturating_sub(last.end_offset),
    })
}

/// Brings the watermark up to the verified end of the journal, durably, if it is not there already.
///
/// A closed run beyond the watermark may be one whose sync never came to pass or failed, in which case the system
/// may hold its pages for clean although the disk never got them. It is about to be shown and built upon, so the
/// same bytes are written once more and then synced.
fn renew_watermark(
    disk: &mut dyn Disk,
    id: &StoreId,
    stored: Option<Watermark>,
    place: Place,
) -> Result<Watermark, JournalError> {
    match stored {
        // Its maker may have died before the name was durable.
        Some(mark) if mark.place == place && mark.is_first() => {
            disk.sync_dir().map(|()| mark).map_err(during("opening"))
        }
        Some(mark) if mark.place == place => Ok(mark),
        Some(mark) => {
            if !renewd_core::planted::is("reopen-trusts-cache") {
                write_again(disk, mark.place.end_offset, place.end_offset)?;
            }
            let next = mark.at(place);
            next.write(disk, id)?;
            disk.sync(watermark::FILE).map_err(|error| JournalError::Poisoned(Arc::new(error)))?;
            Ok(next)
        }
        None => {
            write_again(disk, FILE_HEADER_BYTES, place.end_offset)?;
            let first = Watermark::first(place);
            first.create(disk, id)?;
            Ok(first)
        }
    }
}

fn write_again(disk: &mut dyn Disk, from: u64, to: u64) -> Result<(), JournalError> {
    const CHUNK_BYTES: u64 = 4 << 20;
    let mut offset = from;
    while offset < to {
        let length = (to - offset).min(CHUNK_BYTES);
        let bytes = disk.read_at(FILE, offset, length as usize).map_err(during("reading"))?;
        disk.write_at(FILE, offset, &bytes).map_err(during("writing to"))?;
        offset += length;
    }
    if renewd_core::planted::is("reopen-without-sync") {
        return Ok(());
    }
    disk.sync(FILE).map_err(|error| JournalError::Poisoned(Arc::new(error)))
}
