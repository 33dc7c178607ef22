//! The store as its keeper sees it.

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
}

/// The answer of `store verify` and `store rebuild`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreVerifyView {
    /// Its directory.
    pub directory: String,
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
