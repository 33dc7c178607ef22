//! The watermark: a second, small file that says how far the journal has been acknowledged.
//!
//! Two slots of 512 bytes (one sector each) are written in turn, so that a torn write leaves the older one.
//! It is written after the journal was synced, never before; it may fall back (power cut), never run ahead.
//! Must never be believed when its checksum does not fit or it belongs to another store.
//!
//! Slot: magic 8 · generation 8 · store id 16 · sequence 8 · hash 32 · mark offset 8 · end offset 8 ·
//! sealed sequence 8 · first 16 bytes of the sha256 of all before.

use super::error::{JournalError, during};
use super::header::StoreId;
use crate::disk::Disk;
use crate::failpoint::failpoint;
use crate::sequence::{Head, Place, Sequence};
use renewd_core::ids::Digest;

/// The name of the file.
pub(crate) const FILE: &str = "watermark";
const MAGIC: [u8; 8] = *b"renewdW\x01";
const SLOT_BYTES: u64 = 512;
const COVERED_BYTES: usize = 96;
const USED_BYTES: usize = COVERED_BYTES + 16;

/// How far the journal is acknowledged, and whether the index was closed in good order there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Watermark {
    generation: u64,
    /// The last acknowledged commit.
    pub(crate) place: Place,
    /// The head at which the index was last closed in good order.
    pub(crate) sealed: Sequence,
}

impl Watermark {
    /// The first watermark of a store.
    pub(crate) fn first(place: Place) -> Self {
        Self { generation: 1, place, sealed: Sequence::ZERO }
    }

    /// The next one, at this place.
    pub(crate) fn at(self, place: Place) -> Self {
        Self { generation: self.generation + 1, place, ..self }
    }

    /// The next one, with the index sealed at this sequence.
    pub(crate) fn sealed(self, sealed: Sequence) -> Self {
        Self { generation: self.generation + 1, sealed, ..self }
    }

    /// Whether none was written after the file was made.
    pub(crate) fn is_first(&self) -> bool {
        self.generation == 1
    }

    fn encode(&self, id: &StoreId) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SLOT_BYTES as usize);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.generation.to_le_bytes());
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(&self.place.head.sequence.get().to_le_bytes());
        bytes.extend_from_slice(self.place.head.hash.as_bytes());
        bytes.extend_from_slice(&self.place.mark_offset.to_le_bytes());
        bytes.extend_from_slice(&self.place.end_offset.to_le_bytes());
        bytes.extend_from_slice(&self.sealed.get().to_le_bytes());
        let digest = Digest::of(&bytes);
        bytes.extend_from_slice(digest.as_bytes().get(..16).unwrap_or_default());
        bytes.resize(SLOT_BYTES as usize, 0);
        bytes
    }

    fn decode(slot: &[u8], id: &StoreId) -> Option<Self> {
        let covered = slot.get(..COVERED_BYTES)?;
        let digest = Digest::of(covered);
        if slot.get(COVERED_BYTES..USED_BYTES)? != digest.as_bytes().get(..16)? {
            return None;
        }
        if covered.get(..8)? != MAGIC || covered.get(16..32)? != id.as_bytes() {
            return None;
        }
        let number = |at: usize| -> Option<u64> { Some(u64::from_le_bytes(covered.get(at..at + 8)?.try_into().ok()?)) };
        let hash = Digest::from_bytes(covered.get(40..72)?.try_into().ok()?);
        let head = Head { sequence: Sequence::new(number(32)?), hash };
        let place = Place { head, mark_offset: number(72)?, end_offset: number(80)? };
        Some(Self { generation: number(8)?, place, sealed: Sequence::new(number(88)?) })
    }

    /// Writes the watermark over the older slot, without a sync.
    pub(crate) fn write(&self, disk: &mut dyn Disk, id: &StoreId) -> Result<(), JournalError> {
        let offset = (self.generation % 2) * SLOT_BYTES;
        disk.write_at(FILE, offset, &self.encode(id)).map_err(during("writing the watermark of"))
    }

    /// Makes a new file with this watermark in both slots, durable under its name.
    pub(crate) fn create(&self, disk: &mut dyn Disk, id: &StoreId) -> Result<(), JournalError> {
        const NEW: &str = "watermark.new";
        let failed = during("creating the watermark of");
        let both = [self.encode(id), self.encode(id)].concat();
        failpoint("watermark.before-create");
        disk.create(NEW).map_err(&failed)?;
        disk.write_at(NEW, 0, &both).map_err(&failed)?;
        disk.sync(NEW).map_err(&failed)?;
        failpoint("watermark.before-name");
        disk.rename(NEW, FILE).map_err(&failed)?;
        if !renewd_core::planted::is("names-not-synced") {
            disk.sync_dir().map_err(&failed)?;
        }
        failpoint("watermark.after-name");
        Ok(())
    }
}

/// The newest intact watermark, if there is one.
pub(crate) fn read(disk: &mut dyn Disk, id: &StoreId) -> Result<Option<Watermark>, JournalError> {
    let failed = during("reading the watermark of");
    if disk.len(FILE).map_err(&failed)?.is_none() {
        return Ok(None);
    }
    let bytes = disk.read_at(FILE, 0, 2 * SLOT_BYTES as usize).map_err(&failed)?;
    let slots = bytes.chunks(SLOT_BYTES as usize).filter_map(|slot| Watermark::decode(slot, id));
    Ok(slots.max_by_key(|watermark| watermark.generation))
}
