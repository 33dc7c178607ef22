//! Commits: a run is encoded, written, made durable with one sync, and only then acknowledged.
//!
//! Must never write anything before every limit is checked, nor anything at all after a failure.

use super::error::{JournalError, during};
use super::header::{self, RunExtent, RunHeader};
use super::record::{Kind, RECORD_BYTES_MIN, encode, record_bytes};
use super::{FILE, Journal};
use crate::failpoint::failpoint;
use crate::limits::{COMMIT_BYTES_MAX, COMMIT_RECORDS_MAX, FREE_BYTES_MIN, JOURNAL_BYTES_MAX, RECORD_BYTES_MAX};
use crate::sequence::{Head, Place, Sequence};
use std::sync::Arc;

/// Bytes gathered before they are handed to the disk.
const WRITE_BYTES: usize = 4 << 20;

/// Where a commit was put.
#[derive(Debug, Clone)]
pub(crate) struct Appended {
    pub(crate) place: Place,
    pub(crate) header_offset: u64,
    /// Sequence and offset of each event, in order.
    pub(crate) events: Vec<(Sequence, u64)>,
}

/// Encodes records one after the other, remembering where they go.
struct Encoder {
    head: Head,
    offset: u64,
    pending: Vec<u8>,
    pending_offset: u64,
}

impl Encoder {
    fn push(&mut self, kind: Kind, payload: &[u8]) -> (Sequence, u64) {
        let offset = self.offset;
        let sequence = self.head.sequence.next();
        let hash = encode(kind, sequence, &self.head.hash, payload, &mut self.pending);
        self.head = Head { sequence, hash };
        self.offset += record_bytes(payload.len());
        (sequence, offset)
    }
}

impl Journal {
    /// Appends one commit and makes it durable. When this returns without error the commit is acknowledged.
    ///
    /// INVARIANT (sync-before-ack): the journal's sync has succeeded before the watermark moves and before the
    /// caller learns of the commit.
    ///
    /// # Errors
    /// A limit is exceeded (nothing was written), or the disk failed: then every later call fails in the same way,
    /// and whether this commit exists is known only after the journal was opened again.
    pub(crate) fn append(&mut self, header: &RunHeader, events: &[Vec<u8>]) -> Result<Appended, JournalError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let (extent, header_payload) = self.check_limits(header, events)?;
        self.check_space(extent.rest_bytes + record_bytes(header_payload.len()))?;
        let written = self.write_run(extent, &header_payload, events);
        if let Err(failure) = &written {
            // INVARIANT (poison): after any failed write or sync nothing is written any more.
            self.failure = Some(failure.clone());
        }
        written
    }

    fn check_limits(&self, header: &RunHeader, events: &[Vec<u8>]) -> Result<(RunExtent, Vec<u8>), JournalError> {
        let too_large = |what: String| Err(JournalError::TooLarge(what));
        if events.is_empty() || events.len() > COMMIT_RECORDS_MAX {
            return too_large(format!("it has {} events, 1 to {COMMIT_RECORDS_MAX} are possible", events.len()));
        }
        if let Some(event) = events.iter().find(|event| event.len() > RECORD_BYTES_MAX) {
            return too_large(format!("an event has {} bytes, at most {RECORD_BYTES_MAX} are possible", event.len()));
        }
        let mark = header::mark_payload(0).len();
        let rest_bytes = events.iter().map(|event| record_bytes(event.len())).sum::<u64>() + record_bytes(mark);
        let extent = RunExtent { events: u32::try_from(events.len()).unwrap_or(u32::MAX), rest_bytes };
        let header_payload = header::header_payload(extent, header)
            .map_err(|error| JournalError::TooLarge(format!("its header cannot be written: {error}")))?;
        if header_payload.len() > RECORD_BYTES_MAX {
            return too_large(format!("actor and command have more than {RECORD_BYTES_MAX} bytes"));
        }
        let run_bytes = rest_bytes + record_bytes(header_payload.len());
        if run_bytes > COMMIT_BYTES_MAX {
            return too_large(format!("it has {run_bytes} bytes, at most {COMMIT_BYTES_MAX} are possible"));
        }
        if self.place.end_offset + run_bytes > JOURNAL_BYTES_MAX {
            return too_large(format!("the journal would have more than {JOURNAL_BYTES_MAX} bytes"));
        }
        Ok((extent, header_payload))
    }

    /// INVARIANT (room-first): a commit is begun only if it fits and [`FREE_BYTES_MIN`] stays free, so that a full
    /// disk is met as a refusal that left nothing behind, and what is there can still be opened and read.
    fn check_space(&mut self, run_bytes: u64) -> Result<(), JournalError> {
        let needed_bytes = run_bytes + FREE_BYTES_MIN;
        match self.disk.free_bytes() {
            Some(free_bytes) if free_bytes < needed_bytes => Err(JournalError::NoSpace { free_bytes, needed_bytes }),
            Some(_) | None => Ok(()),
        }
    }

    fn write_run(&mut self, extent: RunExtent, header: &[u8], events: &[Vec<u8>]) -> Result<Appended, JournalError> {
        failpoint("journal.before-write");
        let start = self.place.end_offset;
        let mut encoder = Encoder {
            head: self.place.head,
            offset: start,
            pending: Vec::with_capacity(
                WRITE_BYTES.min((extent.rest_bytes as usize) + header.len() + RECORD_BYTES_MIN),
            ),
            pending_offset: start,
        };
        encoder.push(Kind::Header, header);
        #[cfg(feature = "failpoints")]
        self.write_pending(&mut encoder)?;
        failpoint("journal.mid-write");
        let mut places = Vec::with_capacity(events.len());
        for event in events {
            places.push(encoder.push(Kind::Event, event));
            if encoder.pending.len() >= WRITE_BYTES {
                self.write_pending(&mut encoder)?;
            }
        }
        let (_, mark_offset) = encoder.push(Kind::Mark, &header::mark_payload(extent.events));
        self.write_pending(&mut encoder)?;
        failpoint("journal.before-sync");
        let place = Place { head: encoder.head, mark_offset, end_offset: encoder.offset };
        if renewd_core::planted::is("watermark-before-sync") {
            self.watermark.at(place).write(&mut *self.disk, &self.id)?;
        }
        if !renewd_core::planted::is("commit-without-sync") {
            let synced = self.disk.sync(FILE).map_err(|error| JournalError::Poisoned(Arc::new(error)));
            synced
                .or_else(|error| if renewd_core::planted::is("sync-failure-ignored") { Ok(()) } else { Err(error) })?;
        }
        failpoint("journal.after-sync");
        self.watermark = self.watermark.at(place);
        self.watermark.write(&mut *self.disk, &self.id)?;
        failpoint("journal.after-watermark");
        self.place = place;
        Ok(Appended { place, header_offset: start, events: places })
    }

    fn write_pending(&mut self, encoder: &mut Encoder) -> Result<(), JournalError> {
        self.disk.write_at(FILE, encoder.pending_offset, &encoder.pending).map_err(during("writing to"))?;
        encoder.pending_offset = encoder.offset;
        encoder.pending.clear();
        Ok(())
    }

    /// Remembers that the index was closed in good order at the present head, or (`None`), durably, that it was not.
    ///
    /// A seal needs no sync: where it is lost, the next open checks an index that was good.
    pub(crate) fn seal(&mut self, sealed: Option<Sequence>) -> Result<(), JournalError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let result = self.write_seal(sealed.unwrap_or(Sequence::ZERO));
        if let Err(failure) = &result {
            self.failure = Some(failure.clone());
        }
        result
    }

    fn write_seal(&mut self, sealed: Sequence) -> Result<(), JournalError> {
        self.watermark = self.watermark.sealed(sealed);
        self.watermark.write(&mut *self.disk, &self.id)?;
        if sealed != Sequence::ZERO {
            return Ok(());
        }
        self.disk.sync(super::watermark::FILE).map_err(|error| JournalError::Poisoned(Arc::new(error)))
    }
}
