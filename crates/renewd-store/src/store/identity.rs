//! `store.json`: the format and the random identity of a store. It is written last when a store is made, so a
//! store exists exactly when this file does.

use super::error::StoreError;
use super::files::{Boundaries, read_if_there, write_whole};
use crate::journal::{FORMAT_VERSION, StoreId};
use serde::{Deserialize, Serialize};
use std::path::Path;

const NAME: &str = "store.json";

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Identity {
    format_version: u32,
    id: StoreId,
}

/// Writes the identity.
pub(crate) fn write(dir: &Path, id: StoreId) -> Result<(), StoreError> {
    let identity = Identity { format_version: FORMAT_VERSION, id };
    let mut bytes = serde_json::to_vec(&identity).map_err(|error| StoreError::BadIdentity(error.to_string()))?;
    bytes.push(b'\n');
    let here = "store.before-identity";
    let at = Boundaries { before_write: here, before_sync: here, before_rename: here, after_rename: here };
    write_whole(dir, NAME, &bytes, &at)
}

/// Reads the identity; none if there is no store.
pub(crate) fn read(dir: &Path) -> Result<Option<StoreId>, StoreError> {
    let Some(bytes) = read_if_there(&dir.join(NAME))? else { return Ok(None) };
    let identity: Identity =
        serde_json::from_slice(&bytes).map_err(|error| StoreError::BadIdentity(error.to_string()))?;
    if identity.format_version != FORMAT_VERSION {
        return Err(StoreError::Version(identity.format_version));
    }
    Ok(Some(identity.id))
}
