//! `store.json`: the format and the random identity of a store, and whether it is a copy. It is written last when a
//! store is made, so a store exists exactly when this file does.
//!
//! INVARIANT (marked-copies): a backup is no store until it is restored, and a store that was restored or salvaged
//! says so for ever: what its original did since, above all which charges it made, is not in its journal.

use super::error::StoreError;
use super::files::{Boundaries, read_if_there, write_whole};
use crate::journal::{FORMAT_VERSION, StoreId};
use crate::sequence::{Head, Place};
use renewd_core::ids::Digest;
use serde::{Deserialize, Serialize};
use std::path::Path;

pub(super) const NAME: &str = "store.json";

/// More often than that nobody restores a store.
const RESTORES_MAX: u32 = 1 << 20;

/// What a copy was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// A backup.
    Backup,
    /// The intact part of a damaged store.
    Salvage,
}

/// The mark of a store that was made from a copy: gateways may know of charges that it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Restored {
    /// How often this history was restored or salvaged, this time included.
    pub epoch: u32,
    /// From what, the last time.
    pub origin: Origin,
    /// The last commit that was taken over. What the original did after it is unknown here.
    pub head: Head,
}

/// What a backup holds, so that a part that is missing is noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Contents {
    pub(super) place: Place,
    pub(super) blobs: Vec<Digest>,
}

/// The content of `store.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Identity {
    format_version: u32,
    pub(super) id: StoreId,
    /// Set once and for ever when the store was made from a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) restored: Option<Restored>,
    /// Set in a backup, which is no store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) backup: Option<Contents>,
    /// The digest of all of this without it, where there is more than format and id (the journal has those too).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    check: Option<Digest>,
}

impl Identity {
    /// The identity of a new store.
    pub(super) fn of_new(id: StoreId) -> Self {
        Self { format_version: FORMAT_VERSION, id, restored: None, backup: None, check: None }
    }

    /// The identity of a store whose own is lost, and with it how often it was restored: in an epoch that no restored
    /// store of this history has had, so that its gateways are asked for earlier charges again. Only a journal that has
    /// grown since can come to another one.
    pub(super) fn of_lost(id: StoreId, head: Head) -> Self {
        let grown = u32::try_from(head.sequence.get()).unwrap_or(u32::MAX / 2).min(u32::MAX / 2);
        let mark = Restored { epoch: RESTORES_MAX.saturating_add(grown), origin: Origin::Salvage, head };
        Self { restored: Some(mark), ..Self::of_new(id) }
    }

    /// The identity of a backup of this store.
    pub(super) fn of_backup(self, contents: Contents) -> Self {
        Self { backup: Some(contents), ..self }
    }

    /// The identity of a store that was made from a copy of this one, up to `head`.
    pub(super) fn of_restored(self, origin: Origin, head: Head) -> (Self, Restored) {
        let epoch = self.restored.map_or(0, |restored| restored.epoch).saturating_add(1);
        let mark = Restored { epoch, origin, head };
        (Self { restored: Some(mark), backup: None, ..self }, mark)
    }

    fn expected_check(&self) -> Result<Option<Digest>, serde_json::Error> {
        if self.restored.is_none() && self.backup.is_none() {
            return Ok(None);
        }
        serde_json::to_vec(&Self { check: None, ..self.clone() }).map(|bytes| Some(Digest::of(&bytes)))
    }
}

fn bad(error: impl std::fmt::Display) -> StoreError {
    StoreError::BadIdentity(error.to_string())
}

/// Writes the identity.
pub(super) fn write(dir: &Path, identity: &Identity) -> Result<(), StoreError> {
    let checked = Identity { check: identity.expected_check().map_err(bad)?, ..identity.clone() };
    let mut bytes = serde_json::to_vec(&checked).map_err(bad)?;
    bytes.push(b'\n');
    let here = "store.before-identity";
    let at = Boundaries { before_write: here, before_sync: here, before_rename: here, after_rename: here };
    write_whole(dir, NAME, &bytes, &at)
}

/// Reads the identity; none if there is no store.
pub(super) fn read(dir: &Path) -> Result<Option<Identity>, StoreError> {
    let Some(bytes) = read_if_there(&dir.join(NAME))? else { return Ok(None) };
    let identity: Identity = serde_json::from_slice(&bytes).map_err(bad)?;
    if identity.format_version != FORMAT_VERSION {
        return Err(StoreError::Version(identity.format_version));
    }
    if identity.check != identity.expected_check().map_err(bad)? {
        return Err(bad("its check does not fit"));
    }
    Ok(Some(identity))
}
