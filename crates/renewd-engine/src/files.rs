//! Files that renewd writes for itself: saved quotes and plans.

use crate::error::EngineError;
use serde::{Serialize, de::DeserializeOwned};
use std::path::Path;

/// Largest saved file that is read, in bytes.
const SAVED_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Writes a value as JSON. The file appears whole or not at all.
pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), EngineError> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|error| EngineError::Bug(error.to_string()))?;
    write_whole(path, &bytes)
}

/// Writes bytes through a temporary file beside the target.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), EngineError> {
    let failed = |error: std::io::Error| {
        EngineError::input("cannot-write", format!("cannot write `{}`: {error}", path.display()), None)
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let temporary = path.with_file_name(format!(".{name}.tmp"));
    std::fs::write(&temporary, bytes).map_err(failed)?;
    std::fs::rename(&temporary, path).map_err(failed)
}

/// Reads a value that [`write_json`] wrote, checking its `kind` and `formatVersion`.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path, kind: &str, hint: &str) -> Result<T, EngineError> {
    let shown = path.display();
    let wrong = |what: String| EngineError::input("not-readable", what, hint.to_owned());
    let size = std::fs::metadata(path).map_err(|error| wrong(format!("cannot read `{shown}`: {error}")))?.len();
    if SAVED_BYTES_MAX < size {
        return Err(wrong(format!("`{shown}` has {size} bytes, more than {SAVED_BYTES_MAX}")));
    }
    let bytes = std::fs::read(path).map_err(|error| wrong(format!("cannot read `{shown}`: {error}")))?;
    let value: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| wrong(format!("`{shown}` is no saved {kind}: {error}")))?;
    let found = value.get("kind").and_then(serde_json::Value::as_str);
    let version = value.get("formatVersion").and_then(serde_json::Value::as_u64);
    if found != Some(kind) || version != Some(1) {
        return Err(wrong(format!("`{shown}` is no saved {kind} of this version")));
    }
    serde_json::from_value(value).map_err(|error| wrong(format!("`{shown}` is no saved {kind}: {error}")))
}
