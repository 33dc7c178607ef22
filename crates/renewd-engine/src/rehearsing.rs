//! Rehearsals: a store of their own, copied from the real one at first use, with a clock of their own.
//!
//! A rehearsal never touches the real store, and its plugins send requests to this machine only.

use crate::engine::{Clock, Engine, EngineOptions};
use crate::error::EngineError;
use crate::files::{read_json, write_json};
use chrono::{DateTime, Utc};
use renewd_core::documents::Days;
use renewd_store::Store;
use serde::{Deserialize, Serialize};
use std::path::Path;

const CLOCK_KIND: &str = "rehearsal-clock";
const CLOCK_FILE: &str = "clock.json";
const FOLDER: &str = "rehearsal";

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
        if !folder.exists() && Store::exists(&options.store) {
            renewd_store::copy_for_rehearsal(&options.store, &folder, options.wait)?;
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
        std::fs::create_dir_all(&folder).map_err(|error| cannot_make(&folder, &error))?;
        write_json(&clock_file, &RehearsalClock { format_version: 1, kind: CLOCK_KIND.to_owned(), now })?;
        Ok(Self::new(EngineOptions { store: folder, clock: Clock::Fixed(now), ..options }).within_this_machine())
    }
}

fn cannot_make(path: &Path, error: &std::io::Error) -> EngineError {
    EngineError::input("cannot-write", format!("cannot make `{}` for the rehearsal: {error}", path.display()), None)
}
