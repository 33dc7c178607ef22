//! Reads a whole journal without changing anything, and says how far it is intact.
//!
//! For what must not be opened: backups, and damaged journals that are to be salvaged. Must never write.

use super::error::{Damage, JournalError};
use super::header::{self, StoreId};
use super::open::read_header;
use super::reader::Reader;
use super::scan::{self, Tail};
use super::watermark;
use crate::disk::Disk;
use crate::sequence::{Place, Sequence};
use std::cell::Cell;

/// How far a journal is intact, and what follows.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    pub(crate) id: StoreId,
    /// The last closed run of the intact prefix.
    pub(crate) place: Place,
    /// The length of the file.
    pub(crate) bytes: u64,
    /// What its watermark says, if an intact one is left.
    pub(crate) watermark: Option<Place>,
    /// Whether the file header is damaged and the chain was found to begin as that of the other source of the id.
    pub(crate) header_replaced: bool,
    /// The highest number of a record behind the intact prefix, read or only claimed.
    pub(crate) last_seen: Sequence,
    tail: Option<Tail>,
}

impl Survey {
    /// What is wrong with the journal; nothing if it is intact to its last byte.
    pub(crate) fn damage(&self) -> Option<Damage> {
        let (record, offset, reason) = match &self.tail {
            Some(tail) => (tail.record, tail.offset, tail.fault.reason()),
            None if self.watermark.is_some_and(|mark| mark.head.sequence > self.place.head.sequence) => {
                (self.place.head.sequence.next(), self.place.end_offset, "the journal ends before its watermark")
            }
            None => return None,
        };
        Some(Damage {
            record,
            offset,
            reason: reason.to_owned(),
            intact_records: self.place.head.sequence,
            intact_bytes: self.place.end_offset,
        })
    }
}

/// Surveys the journal on this disk. `other_id` is what another file says of the store, used only where the file
/// header is damaged, and only if the first record then continues the chain that begins with it.
pub(crate) fn survey(disk: &mut dyn Disk, other_id: Option<StoreId>) -> Result<Survey, JournalError> {
    let mut reader = Reader::new(disk)?;
    let bytes = reader.length();
    let read = read_header(&mut reader);
    let header_replaced = matches!(read, Err(JournalError::BadHeader(_)));
    let file_header = match (read, other_id) {
        (Err(error @ JournalError::BadHeader(_)), Some(id)) => {
            header::parse_file_header(&header::file_header(&id)).map_err(|_| error)?
        }
        (read, _) => read?,
    };
    let genesis = file_header.genesis;
    let scanned = scan::scan(&mut reader, genesis, |_| Ok::<(), JournalError>(()))?;
    if header_replaced && scanned.place == genesis {
        return Err(JournalError::BadHeader("the file header is damaged, and no commit shows which store it was"));
    }
    let last_seen = match &scanned.tail {
        Some(tail) => last_record_after(&mut reader, tail)?,
        None => scanned.place.head.sequence,
    };
    let watermark = watermark::read(disk, &file_header.id)?.map(|mark| mark.place);
    let claimed = watermark.map_or(Sequence::ZERO, |mark| mark.head.sequence);
    Ok(Survey {
        id: file_header.id,
        place: scanned.place,
        bytes,
        watermark,
        header_replaced,
        last_seen: last_seen.max(claimed),
        tail: scanned.tail,
    })
}

/// The highest number among the intact records from the tail on; that of the tail's first record if there are none.
fn last_record_after(reader: &mut Reader<'_>, tail: &Tail) -> Result<Sequence, JournalError> {
    let last = Cell::new(tail.record);
    let end = Cell::new(tail.offset);
    let take = |record: &super::record::Record, offset: u64| {
        last.set(last.get().max(record.sequence));
        end.set(offset + record.bytes());
        true
    };
    while reader.find_after(end.get(), take)?.is_some() {}
    Ok(last.get())
}
