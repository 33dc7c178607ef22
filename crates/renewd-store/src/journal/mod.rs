//! The journal: the truth. An append-only, hash-chained, fsynced file of everything that happened.
//!
//! # Format, version 1 (numbers little-endian)
//!
//! File header, 64 bytes: magic `renewdJ\0` · version 4 · zero 4 · store id 16 · sha256 of these 32 bytes,
//! which is also where the chain begins.
//!
//! Record: marker `AB 'r' 'e' 'c'` · kind 1 (1 header, 2 event, 3 mark) · payload length 3 · sequence 8 · sha256 of
//! the previous record 32 · payload · first 8 bytes of the sha256 of all of this record before.
//!
//! Commit ("run"): one header record (number of events 4, bytes up to the end of the mark 8, JSON of
//! `at, actor, command`), the event records (JSON each), one mark (number of events 4). One `fdatasync` closes it.
//! A run without its mark does not exist.
//!
//! Beside it the file `watermark` says how far the journal is acknowledged (see `watermark`, `tail`).
//!
//! # What an open checks
//!
//! An ordinary open of a journal up to [`OPEN_FULL_CHECK_BYTES_MAX`](crate::limits::OPEN_FULL_CHECK_BYTES_MAX)
//! verifies every record from the first. Beyond that it verifies the file header, the commit mark that the
//! watermark names, and every record after it; `store verify`, a rebuild, and every read of an event verify what
//! they read. So a flipped bit in the old part of a long journal is found when that part is read, not before.
//!
//! Must never: rewrite a byte of a closed run, retry a failed sync, or take part of a run for the whole.

mod append;
mod copy;
pub(crate) mod error;
pub(crate) mod header;
mod open;
mod reader;
mod record;
pub(crate) mod scan;
pub(crate) mod survey;
mod tail;
pub(crate) mod watermark;

#[cfg(test)]
mod tests;

pub(crate) use copy::copy_prefix;
pub use error::{Damage, JournalError};
pub use header::{FORMAT_VERSION, RunHeader, StoreId, StoreIdError};
pub use open::{Depth, JournalReport, Torn};

use crate::disk::Disk;
use crate::sequence::{Head, Place, Sequence};
use reader::Reader;
use record::{Decoded, Kind};
use scan::Run;
use watermark::Watermark;

/// The name of the journal file.
pub(crate) const FILE: &str = "journal";

/// An open journal: verified, without a torn tail, ready to be read and appended to.
pub struct Journal {
    disk: Box<dyn Disk>,
    id: StoreId,
    genesis: Place,
    place: Place,
    watermark: Watermark,
    failure: Option<JournalError>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("id", &self.id).field("place", &self.place).finish_non_exhaustive()
    }
}

impl Journal {
    /// The store that the journal belongs to.
    pub fn id(&self) -> StoreId {
        self.id
    }

    /// The last commit.
    pub fn head(&self) -> Head {
        self.place.head
    }

    /// The length of the journal in bytes.
    pub fn bytes(&self) -> u64 {
        self.place.end_offset
    }

    /// Where the last commit lies.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// Lets go of the journal: its disk, for reading what is closed already.
    pub(crate) fn into_disk(self) -> Box<dyn Disk> {
        self.disk
    }

    /// Where the chain begins.
    pub(crate) fn genesis(&self) -> Place {
        self.genesis
    }

    /// The head at which the index was last closed in good order.
    pub(crate) fn sealed(&self) -> Sequence {
        self.watermark.sealed
    }

    /// Whether `place` is a commit of this journal: its mark lies there and has that hash.
    pub(crate) fn holds(&mut self, place: Place) -> Result<bool, JournalError> {
        if place.end_offset > self.place.end_offset {
            return Ok(false);
        }
        if place == self.genesis {
            return Ok(true);
        }
        let mut reader = Reader::of_record(&mut *self.disk)?;
        Ok(match reader.record(place.mark_offset)? {
            Decoded::Good(mark) => {
                mark.kind == Kind::Mark
                    && mark.sequence == place.head.sequence
                    && mark.hash == place.head.hash
                    && place.mark_offset + mark.bytes() == place.end_offset
            }
            Decoded::Short | Decoded::Bad(_) => false,
        })
    }

    /// Hands every commit after `from` to `visit`, oldest first, verifying the chain on the way.
    pub(crate) fn replay<E: From<JournalError>>(
        &mut self,
        from: Place,
        visit: impl FnMut(Run) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut reader = Reader::new(&mut *self.disk)?;
        let scanned = scan::scan(&mut reader, from, visit)?;
        if scanned.place == self.place && scanned.tail.is_none() {
            return Ok(());
        }
        let (record, offset, reason) = match &scanned.tail {
            Some(tail) => (tail.record, tail.offset, tail.fault.reason()),
            None => (scanned.place.head.sequence.next(), scanned.place.end_offset, "the journal ends here"),
        };
        Err(JournalError::from(self.damage_at(record, offset, reason, scanned.place)).into())
    }

    /// The header and the event that lie at these offsets.
    pub(crate) fn read_event(
        &mut self,
        header_offset: u64,
        offset: u64,
        sequence: Sequence,
    ) -> Result<(RunHeader, Vec<u8>), JournalError> {
        let header = self.read_record(header_offset, Kind::Header, None)?;
        let event = self.read_record(offset, Kind::Event, Some(sequence))?;
        match header::parse_header_payload(&header.payload) {
            Some((_, run)) => Ok((run, event.payload)),
            None => {
                let reason = "its content is not that of a commit's first record";
                Err(self.damage_at(header.sequence, header_offset, reason, self.genesis).into())
            }
        }
    }

    fn read_record(
        &mut self,
        offset: u64,
        kind: Kind,
        wanted: Option<Sequence>,
    ) -> Result<record::Record, JournalError> {
        let mut reader = Reader::of_record(&mut *self.disk)?;
        let reason = match reader.record(offset)? {
            Decoded::Good(record) if record.kind == kind && wanted.is_none_or(|number| number == record.sequence) => {
                return Ok(record);
            }
            Decoded::Good(_) => "another record is in its place",
            Decoded::Short => "the file ends inside it",
            Decoded::Bad(reason) => reason,
        };
        let (number, intact) = self.intact_before(offset)?;
        Err(self.damage_at(wanted.unwrap_or(number), offset, reason, intact).into())
    }

    /// Walks the journal up to `offset` to say what is intact, once something there is not.
    fn intact_before(&mut self, offset: u64) -> Result<(Sequence, Place), JournalError> {
        let mut reader = Reader::new(&mut *self.disk)?;
        let mut last = self.genesis;
        scan::scan(&mut reader, self.genesis, |run| -> Result<(), JournalError> {
            if run.place.end_offset <= offset {
                last = run.place;
            }
            Ok(())
        })?;
        Ok((last.head.sequence.next(), last))
    }

    fn damage_at(&self, record: Sequence, offset: u64, reason: &str, intact: Place) -> Damage {
        Damage {
            record,
            offset,
            reason: reason.to_owned(),
            intact_records: intact.head.sequence,
            intact_bytes: intact.end_offset,
        }
    }
}
