//! The lock file beside the documents: what `apply` adds to it, and what does not match.

use crate::error::EngineError;
use crate::load::Documents;
use crate::view::LockChange;
use renewd_policy::lock::LOCK_FILE_NAME;
use renewd_policy::{Lock, LockDifference, LockEntry, LockError, compare};
use std::path::{Path, PathBuf};

/// What happens to the lock.
#[derive(Debug, Clone, Default)]
pub(crate) struct LockPlan {
    pub(crate) changes: Vec<LockChange>,
    /// Whether something that is pinned differs, which only `plugin lock --upgrade` may change.
    pub(crate) mismatch: bool,
    /// The file and the text that it is to have, where missing entries are to be written.
    pub(crate) write: Option<(PathBuf, String)>,
    /// The store that the lock is pinned to.
    pub(crate) store: Option<String>,
}

impl LockPlan {
    /// The differences in words.
    pub(crate) fn words(&self) -> String {
        self.changes.iter().map(|change| change.detail.as_str()).collect::<Vec<_>>().join("; ")
    }
}

/// Reads the lock beside the documents.
pub(crate) fn read_lock(directory: &Path) -> Result<Option<Lock>, EngineError> {
    Lock::read(directory).map_err(|error: LockError| {
        let hint = error.hint();
        EngineError::input("bad-lock", error.to_string(), hint)
    })
}

/// Compares documents with their lock.
pub(crate) fn plan_lock(directory: Option<&Path>, documents: Option<&Documents>) -> Result<LockPlan, EngineError> {
    let (Some(directory), Some(documents)) = (directory, documents) else { return Ok(LockPlan::default()) };
    let mut lock = read_lock(directory)?.unwrap_or_default();
    let mut plan = LockPlan { store: lock.store.clone(), ..LockPlan::default() };
    let mut writes = false;
    for difference in compare(&lock, &documents.set) {
        let change = match &difference {
            LockDifference::Missing { .. } => "added",
            LockDifference::Stale { .. } => "removed",
            LockDifference::Digest { .. }
            | LockDifference::Role { .. }
            | LockDifference::Limits { .. }
            | LockDifference::Grants { .. }
            | LockDifference::File { .. } => "changed",
        };
        match change {
            "added" => writes |= add_entry(&mut lock, documents, &difference),
            "removed" => writes |= lock.plugins.remove(difference.plugin()).is_some(),
            _ => plan.mismatch = true,
        }
        plan.changes.push(LockChange {
            plugin: difference.plugin().to_string(),
            change: change.to_owned(),
            detail: difference.to_string(),
        });
    }
    if writes {
        plan.write = Some((Lock::path_of(directory), lock.to_text()));
    }
    Ok(plan)
}

fn add_entry(lock: &mut Lock, documents: &Documents, difference: &LockDifference) -> bool {
    let name = difference.plugin();
    let (Some(plugin), Some(world)) = (documents.set.plugin(name.as_str()), documents.worlds.get(name)) else {
        return false;
    };
    lock.plugins.insert(name.clone(), LockEntry::of(plugin, world.clone()));
    true
}

/// Makes the lock's entries those of the documents: all of them, or one plugin's.
pub(crate) fn upgrade(
    directory: &Path,
    documents: &Documents,
    only: Option<&str>,
) -> Result<(PathBuf, String, Vec<LockChange>), EngineError> {
    let mut lock = read_lock(directory)?.unwrap_or_default();
    let mut changes = Vec::new();
    for difference in compare(&lock, &documents.set) {
        let missing = matches!(difference, LockDifference::Missing { .. });
        if !missing && only != Some(difference.plugin().as_str()) {
            if only.is_some() {
                continue;
            }
            let message = difference.to_string();
            return Err(EngineError::Guard { code: "lock", message, hint: difference.hint() });
        }
        if matches!(difference, LockDifference::Stale { .. }) {
            lock.plugins.remove(difference.plugin());
        } else {
            add_entry(&mut lock, documents, &difference);
        }
        changes.push(LockChange {
            plugin: difference.plugin().to_string(),
            change: if missing { "added" } else { "changed" }.to_owned(),
            detail: difference.to_string(),
        });
    }
    if let Some(name) = only
        && documents.set.plugin(name).is_none()
        && changes.is_empty()
    {
        return Err(EngineError::input(
            "unknown-plugin",
            format!("there is no plugin `{name}` in `{}`", directory.display()),
            format!("{LOCK_FILE_NAME} has an entry for each Plugin document"),
        ));
    }
    Ok((Lock::path_of(directory), lock.to_text(), changes))
}
