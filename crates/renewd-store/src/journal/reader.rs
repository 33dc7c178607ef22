//! Reads records of the journal file through a window, so that a long journal needs little memory.
//!
//! Must never write, and never judge what a bad record means: that is `tail`.

use super::FILE;
use super::error::{JournalError, during};
use super::record::{self, Decoded, HEAD_BYTES, MARKER, RECORD_BYTES_MIN};
use crate::disk::Disk;
use crate::limits::RECORD_BYTES_MAX;
use memchr::memmem;

const WINDOW_BYTES: usize = 4 << 20;
/// The window for one record that is read by itself.
const RECORD_WINDOW_BYTES: usize = 16 << 10;

/// A window onto the journal file.
pub(crate) struct Reader<'a> {
    disk: &'a mut dyn Disk,
    length: u64,
    window: Vec<u8>,
    window_offset: u64,
    window_bytes: usize,
}

impl<'a> Reader<'a> {
    /// Reads the journal of this disk, as long as it is now.
    pub(crate) fn new(disk: &'a mut dyn Disk) -> Result<Self, JournalError> {
        let length = disk.len(FILE).map_err(during("measuring"))?.ok_or(JournalError::Missing)?;
        Ok(Self { disk, length, window: Vec::new(), window_offset: 0, window_bytes: WINDOW_BYTES })
    }

    /// As [`Reader::new`], for a single record: little more than that record is read.
    pub(crate) fn of_record(disk: &'a mut dyn Disk) -> Result<Self, JournalError> {
        Ok(Self { window_bytes: RECORD_WINDOW_BYTES, ..Self::new(disk)? })
    }

    /// The length of the file.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Up to `wanted` bytes from `offset`; fewer only where the file ends.
    pub(crate) fn bytes(&mut self, offset: u64, wanted: usize) -> Result<&[u8], JournalError> {
        let available = self.length.saturating_sub(offset).min(wanted as u64) as usize;
        if !self.holds(offset, available) {
            let length = self.length.saturating_sub(offset).min(wanted.max(self.window_bytes) as u64) as usize;
            self.window = self.disk.read_at(FILE, offset, length).map_err(during("reading"))?;
            self.window_offset = offset;
        }
        let start = offset.saturating_sub(self.window_offset) as usize;
        let end = (start + available).min(self.window.len());
        Ok(self.window.get(start..end).unwrap_or_default())
    }

    fn holds(&self, offset: u64, length: usize) -> bool {
        offset >= self.window_offset && offset + length as u64 <= self.window_offset + self.window.len() as u64
    }

    /// What is at `offset`, where a record should begin.
    pub(crate) fn record(&mut self, offset: u64) -> Result<Decoded, JournalError> {
        let head = self.bytes(offset, HEAD_BYTES)?;
        let length = match record::claimed_payload_bytes(head) {
            Ok(Some(length)) => length,
            Ok(None) => return Ok(Decoded::Short),
            Err(reason) => return Ok(Decoded::Bad(reason)),
        };
        Ok(record::decode(self.bytes(offset, length + RECORD_BYTES_MIN)?))
    }

    /// The first record at or after `offset` whose own check fits and that `wanted` accepts.
    pub(crate) fn find_after(
        &mut self,
        offset: u64,
        wanted: impl Fn(&record::Record, u64) -> bool,
    ) -> Result<Option<u64>, JournalError> {
        let mut at = offset;
        while at + RECORD_BYTES_MIN as u64 <= self.length {
            let bytes = self.bytes(at, WINDOW_BYTES - RECORD_BYTES_MAX)?;
            let Some(step) = memmem::find(bytes, &MARKER) else {
                at += bytes.len().saturating_sub(MARKER.len() - 1).max(1) as u64;
                continue;
            };
            at += step as u64;
            if let Decoded::Good(found) = self.record(at)?
                && wanted(&found, at)
            {
                return Ok(Some(at));
            }
            at += 1;
        }
        Ok(None)
    }
}
