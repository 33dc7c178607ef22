//! Copies the closed part of a journal to another disk.
//!
//! Needs no lock on the source: a byte of a closed run is never changed, so the copy is consistent while others go
//! on appending. Must never copy a byte behind `place`.

use super::FILE;
use super::error::{JournalError, during};
use super::header::{self, FILE_HEADER_BYTES, StoreId};
use super::watermark::Watermark;
use crate::disk::Disk;
use crate::sequence::Place;
use std::sync::Arc;

const CHUNK_BYTES: u64 = 4 << 20;

/// Copies the journal of the store `id` up to `place`, and gives the copy a watermark there; durable on return.
///
/// The file header is written anew: it holds nothing but the id.
pub(crate) fn copy_prefix(
    from: &mut dyn Disk,
    id: &StoreId,
    place: Place,
    to: &mut dyn Disk,
) -> Result<(), JournalError> {
    to.create(FILE).map_err(during("creating"))?;
    to.write_at(FILE, 0, &header::file_header(id)).map_err(during("writing to"))?;
    let mut offset = FILE_HEADER_BYTES;
    while offset < place.end_offset {
        let wanted = (place.end_offset - offset).min(CHUNK_BYTES);
        let bytes = from.read_at(FILE, offset, wanted as usize).map_err(during("reading"))?;
        if bytes.is_empty() {
            return Err(during("reading")(std::io::ErrorKind::UnexpectedEof.into()));
        }
        to.write_at(FILE, offset, &bytes).map_err(during("writing to"))?;
        offset += bytes.len() as u64;
    }
    to.sync(FILE).map_err(|error| JournalError::Poisoned(Arc::new(error)))?;
    Watermark::first(place).create(to, id)
}
