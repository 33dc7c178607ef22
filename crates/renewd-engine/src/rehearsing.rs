//! Rehearsals: a store of their own, copied from the real one at first use, with a clock of their own.
//!
//! A rehearsal never touches the real store, and in this version no plugin reaches any network.

use crate::engine::{Clock, Engine, EngineOptions};
use crate::error::EngineError;
use crate::files::{read_json, write_json};
use chrono::{DateTime, Utc};
use renewd_core::documents::Days;
use renewd_store::{Mode, Store};
use serde::{Deserialize, Serialize};
use std::path::Path;

const CLOCK_KIND: &str = "rehearsal-clock";
const CLOCK_FILE: &str = "clock.json";
const FOLDER: &str = "rehearsal";

/// Folders and files of the store that are not copied: other rehearsals, locks, compiled plugins, the index.
const NOT_COPIED: [&str; 4] = [FOLDER, "cache", "inflight", "lock"];

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RehearsalClock {
    format_version: u32,
    kind: String,
    now: DateTime<Utc>,
}

impl Engine {
    /// An engine on the rehearsal of a store, at a moment of its own: `at`, else where the last rehearsal stopped,
    /// else now; then `advance` days on.
    ///
    /// # Errors
    /// The real store cannot be copied, or the clock would go back.
    pub fn rehearse(
        options: EngineOptions,
        at: Option<DateTime<Utc>>,
        advance: Option<Days>,
    ) -> Result<Self, EngineError> {
        let folder = options.store.join(FOLDER);
        if !folder.exists() {
            copy_store(&options, &folder)?;
        }
        let clock_file = folder.join(CLOCK_FILE);
        let last = if clock_file.exists() {
            let clock: RehearsalClock =
                read_json(&clock_file, CLOCK_KIND, "remove the rehearsal folder and start again")?;
            Some(clock.now)
        } else {
            None
        };
        let start = at.or(last).unwrap_or_else(|| options.clock.now());
        let days = chrono::Days::new(advance.map_or(0, |days| days.0).into());
        let now = start.checked_add_days(days).unwrap_or(start);
        if let Some(last) = last.filter(|last| now < *last) {
            return Err(EngineError::input(
                "clock-back",
                format!("the rehearsal is already at {}", last.to_rfc3339()),
                format!("choose a later time, or remove `{}` to start again", folder.display()),
            ));
        }
        std::fs::create_dir_all(&folder).map_err(|error| cannot_copy(&folder, &error))?;
        write_json(&clock_file, &RehearsalClock { format_version: 1, kind: CLOCK_KIND.to_owned(), now })?;
        Ok(Self::new(EngineOptions { store: folder, clock: Clock::Fixed(now), ..options }))
    }
}

fn copy_store(options: &EngineOptions, folder: &Path) -> Result<(), EngineError> {
    if !Store::exists(&options.store) {
        return Ok(());
    }
    // Holding the store keeps every file still while it is copied.
    let held = Store::open(&options.store, options.wait, Mode::Read)?;
    let temporary = options.store.join(".rehearsal.tmp");
    if temporary.exists() {
        std::fs::remove_dir_all(&temporary).map_err(|error| cannot_copy(&temporary, &error))?;
    }
    copy_folder(&options.store, &temporary, true)?;
    std::fs::rename(&temporary, folder).map_err(|error| cannot_copy(folder, &error))?;
    drop(held);
    Ok(())
}

fn copy_folder(from: &Path, to: &Path, top: bool) -> Result<(), EngineError> {
    std::fs::create_dir_all(to).map_err(|error| cannot_copy(to, &error))?;
    private(to)?;
    for entry in std::fs::read_dir(from).map_err(|error| cannot_copy(from, &error))? {
        let entry = entry.map_err(|error| cannot_copy(from, &error))?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if top && (NOT_COPIED.contains(&text.as_ref()) || text.starts_with('.')) {
            continue;
        }
        let (source, target) = (entry.path(), to.join(&name));
        if source.is_dir() {
            copy_folder(&source, &target, false)?;
        } else {
            std::fs::copy(&source, &target).map_err(|error| cannot_copy(&source, &error))?;
        }
    }
    Ok(())
}

/// Only the owner may look into a store.
fn private(folder: &Path) -> Result<(), EngineError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
            .map_err(|error| cannot_copy(folder, &error))?;
    }
    Ok(())
}

fn cannot_copy(path: &Path, error: &std::io::Error) -> EngineError {
    EngineError::input("cannot-copy", format!("cannot copy `{}` for the rehearsal: {error}", path.display()), None)
}
