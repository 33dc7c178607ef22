//! A row as it is stored: a check, then the content. And the sum over all rows of a tree, which tells a complete
//! index from one that lost rows.
//!
//! INVARIANT (row-check): the check covers tree, key and content, so a changed bit, or a row under another's key,
//! is noticed whenever the row is read.
//! INVARIANT (row-sums): the sum of a tree changes with every row that is put or removed, and is stored with the
//! watermark of the index. sled may lose or bring back rows without an error; the sum then differs.

use super::error::{IndexError, damaged_row};
use renewd_core::ids::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const CHECK_BYTES: usize = 8;

/// The digest of a row, by which it is checked and summed.
pub(crate) fn digest(tree: &str, key: &[u8], content: &[u8]) -> Digest {
    Digest::of_parts([tree.as_bytes(), key, content])
}

/// A row's stored bytes.
pub(crate) fn encode(digest: &Digest, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(CHECK_BYTES + content.len());
    bytes.extend(digest.as_bytes().iter().take(CHECK_BYTES));
    bytes.extend_from_slice(content);
    bytes
}

/// The content of a stored row, checked.
pub(crate) fn decode(tree: &str, key: &[u8], stored: &[u8]) -> Result<(Digest, Vec<u8>), IndexError> {
    let (Some(check), Some(content)) = (stored.get(..CHECK_BYTES), stored.get(CHECK_BYTES..)) else {
        return Err(damaged_row(tree, key));
    };
    let digest = digest(tree, key, content);
    if digest.as_bytes().get(..CHECK_BYTES) != Some(check) {
        return Err(damaged_row(tree, key));
    }
    Ok((digest, content.to_vec()))
}

/// The number of rows of a tree, and the exclusive or of their digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sum {
    pub(crate) rows: u64,
    digest: Digest,
}

impl Default for Sum {
    fn default() -> Self {
        Self { rows: 0, digest: Digest::from_bytes([0; 32]) }
    }
}

impl Sum {
    fn flip(&mut self, digest: &Digest) {
        let mut bytes = *self.digest.as_bytes();
        bytes.iter_mut().zip(digest.as_bytes()).for_each(|(sum, byte)| *sum ^= byte);
        self.digest = Digest::from_bytes(bytes);
    }

    /// Counts a row in.
    pub(crate) fn add(&mut self, digest: &Digest) {
        self.rows = self.rows.saturating_add(1);
        self.flip(digest);
    }

    /// Counts a row out.
    pub(crate) fn remove(&mut self, digest: &Digest) {
        self.rows = self.rows.saturating_sub(1);
        self.flip(digest);
    }
}

/// The sums of all trees.
pub(crate) type Sums = BTreeMap<String, Sum>;
