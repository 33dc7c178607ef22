//! The store as its keeper sees it.

use renewd_store::{Origin, Restored};
use serde::Serialize;
use std::collections::BTreeMap;

/// The answer of `store info` and `store init`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreInfoView {
    /// Its directory.
    pub directory: String,
    /// Its id.
    pub id: String,
    /// Its format version.
    pub format: u32,
    /// Sequence of the journal's last record.
    pub sequence: u64,
    /// Hash of that record.
    pub head: String,
    /// Bytes of the journal.
    pub journal_bytes: u64,
    /// Bytes of the sled folder.
    pub index_bytes: u64,
    /// Rows by tree.
    pub rows: BTreeMap<String, u64>,
    /// The revision in force.
    pub revision: u32,
    /// Its mark, where it was made from a copy.
    pub restored: Option<RestoredView>,
}

/// The answer of `store verify` and `store rebuild`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreVerifyView {
    /// Its directory.
    pub directory: String,
    /// Whether it is a backup, and no store.
    pub backup: bool,
    /// Whether nothing is wrong.
    pub clean: bool,
    /// Records read.
    pub records: u64,
    /// Bytes of an unclosed run at the end that was ignored.
    pub torn_bytes: u64,
    /// Rows of the new index, where it was made anew.
    pub rows: Option<u64>,
    /// What is wrong or was mended, in words.
    pub notes: Vec<String>,
}

/// The mark of a store that was made from a copy: gateways may know of charges that it does not.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoredView {
    /// How often its history was restored or salvaged.
    pub epoch: u32,
    /// From what, the last time: `backup` or `salvage`.
    pub origin: Origin,
    /// Sequence of the last record that was taken over.
    pub sequence: u64,
}

impl RestoredView {
    /// The view of a mark.
    pub(crate) fn of(mark: Restored) -> Self {
        Self { epoch: mark.epoch, origin: mark.origin, sequence: mark.head.sequence.get() }
    }
}

/// The answer of `store backup` and `store restore`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreCopyView {
    /// What was copied.
    pub from: String,
    /// The directory of the copy.
    pub directory: String,
    /// Sequence of the last record in it.
    pub sequence: u64,
    /// Hash of that record.
    pub head: String,
    /// Bytes of its journal and blobs.
    pub bytes: u64,
    /// How many blobs it has.
    pub blobs: u64,
    /// Its mark, where it is a store and no backup.
    pub restored: Option<RestoredView>,
}

/// The answer of `store salvage`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreSalvageView {
    /// The new store.
    #[serde(flatten)]
    pub copy: StoreCopyView,
    /// What is wrong with the journal, in words.
    pub damage: Vec<String>,
    /// Whether nothing was lost.
    pub complete: bool,
    /// What is not in the new store.
    pub lost: LostView,
}

/// What could not be salvaged.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LostView {
    /// Records behind the last intact commit, at least.
    pub records: u64,
    /// How many of them were acknowledged for certain; none where nothing is left that could tell.
    pub acknowledged: Option<u64>,
    /// Bytes of the journal behind the last intact commit.
    pub bytes: u64,
    /// Digests of blobs that are damaged.
    pub blobs: Vec<String>,
}
