//! One file of the simulated disk, and what a power cut does to it.

use super::rng::Rng;

const SECTOR_BYTES: usize = 512;

/// A change that is not durable.
#[derive(Debug, Clone)]
pub(super) enum Pending {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate { length: usize },
}

/// A file: what the disk has, what reads show, and the changes in between.
#[derive(Debug, Clone, Default)]
pub(super) struct Inode {
    pub(super) durable: Vec<u8>,
    pub(super) current: Vec<u8>,
    pub(super) pending: Vec<Pending>,
}

impl Inode {
    /// Brings a change to the disk, whole.
    pub(super) fn harden(&mut self, change: Pending) {
        match change {
            Pending::Truncate { length } => self.durable.resize(length, 0),
            Pending::Write { offset, bytes } => write(&mut self.durable, offset, &bytes),
        }
    }

    /// Keeps, loses or tears each change that is not durable.
    pub(super) fn power_cut(&mut self, rng: &mut Rng) {
        for pending in std::mem::take(&mut self.pending) {
            match pending {
                Pending::Truncate { length } => {
                    if rng.chance(50) {
                        self.durable.resize(length, 0);
                    }
                }
                Pending::Write { offset, bytes } => match rng.below(3) {
                    0 => {}
                    1 => write(&mut self.durable, offset, &bytes),
                    _ => self.torn_write(offset, &bytes, rng),
                },
            }
        }
    }

    fn torn_write(&mut self, offset: usize, bytes: &[u8], rng: &mut Rng) {
        let mut start = 0;
        while start < bytes.len() {
            let to_boundary = SECTOR_BYTES - (offset + start) % SECTOR_BYTES;
            let end = (start + to_boundary).min(bytes.len());
            if rng.chance(50) {
                write(&mut self.durable, offset + start, bytes.get(start..end).unwrap_or_default());
            }
            start = end;
        }
    }
}

/// Writes into a file in memory, making it longer where needed.
pub(super) fn write(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    if let Some(place) = file.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}
