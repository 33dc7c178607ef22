//! The expiry index: the ids of all resources that time can still change, in the order in which they expire.
//!
//! Derived from the resource rows and written with them; a row here has a key and no content. Must hold exactly
//! the resources that are prepaid: whoever acts on time reads this instead of every resource.

use super::error::{IndexError, damaged_row};
use super::{Index, row};
use chrono::{DateTime, Utc};
use renewd_core::ids::{Digest, ResourceId};
use renewd_core::resource::Resource;

/// The tree of the expiry index.
pub(super) const TREE: &str = "expiry";
const INSTANT_BYTES: usize = 12;

/// An instant as bytes that sort as instants do: seconds since the epoch with the sign bit turned, then nanoseconds.
fn instant_bytes(instant: DateTime<Utc>) -> [u8; INSTANT_BYTES] {
    let mut bytes = [0; INSTANT_BYTES];
    let seconds = (instant.timestamp() ^ i64::MIN).to_be_bytes();
    let nanoseconds = instant.timestamp_subsec_nanos().to_be_bytes();
    bytes.iter_mut().zip(seconds.into_iter().chain(nanoseconds)).for_each(|(byte, value)| *byte = value);
    bytes
}

/// The key of a resource in the expiry index; none where it has no place there.
pub(super) fn key(resource: &Resource) -> Option<Vec<u8>> {
    let id = resource.id.as_str().as_bytes();
    resource.is_prepaid().then(|| [&instant_bytes(resource.end.expiry.instant()), id].concat())
}

/// The digest of the row of a key.
pub(super) fn digest(key: &[u8]) -> Digest {
    row::digest(TREE, key, &[])
}

impl Index {
    /// Moves a resource from one key to another.
    pub(super) fn move_expiry(&mut self, from: Option<&[u8]>, to: Option<&[u8]>) -> Result<(), IndexError> {
        if from == to {
            return Ok(());
        }
        if let Some(key) = from {
            self.replace(TREE, key, Some(&digest(key)), None)?;
        }
        match to {
            Some(key) => self.replace(TREE, key, None, Some(&[])),
            None => Ok(()),
        }
    }

    /// The resources of the expiry index that expire at `until` or before, in the order in which they do. Nothing
    /// but their keys is read.
    pub(crate) fn expiring_until(&self, until: DateTime<Utc>) -> Result<Vec<ResourceId>, IndexError> {
        let mut found = Vec::new();
        // No id sorts after this one: a byte of text is never 0xFF.
        let last = [&instant_bytes(until)[..], &[0xFF]].concat();
        self.trees.scan_to(TREE, &last, &mut |key, stored| {
            let id = key.get(INSTANT_BYTES..).and_then(|id| std::str::from_utf8(id).ok());
            row::decode(TREE, key, stored)?;
            found.push(id.and_then(|id| ResourceId::new(id).ok()).ok_or_else(|| damaged_row(TREE, key))?);
            Ok(())
        })?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_sort_as_bytes() {
        let parts = [(i64::from(i32::MIN) * 9, 0), (-62, 5), (-1, 0), (-1, 999_999_999), (0, 0), (0, 1), (1, 0)];
        let last = (253_402_300_799, 0);
        let keys: Vec<_> = parts
            .into_iter()
            .chain([last])
            .map(|(seconds, nanos)| instant_bytes(DateTime::from_timestamp(seconds, nanos).unwrap()))
            .collect();
        assert!(keys.is_sorted() && keys.windows(2).all(|pair| pair[0] != pair[1]), "{keys:?}");
    }
}
