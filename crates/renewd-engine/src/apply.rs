//! Applying: the events of a plan become one commit.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::files::{read_json, write_json, write_whole};
use crate::options::{Allow, Desired};
use crate::plan::{Planned, captured_windows, import_file};
use crate::report::order_summary;
use crate::view::{AppliedView, ImportView, PlannedOrder};
use renewd_core::documents::{Document, DocumentKey, DocumentKind};
use renewd_core::event::Event;
use renewd_core::ids::Digest;
use renewd_core::order::OrderStatus;
use renewd_core::state::State;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const PLAN_KIND: &str = "saved-plan";

/// What a saved plan holds: what it was made from and what it must still come to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SavedPlan {
    format_version: u32,
    kind: String,
    directory: Option<PathBuf>,
    resources: Option<PathBuf>,
    fingerprint: Digest,
}

impl Planned {
    /// Writes the plan to a file, for `apply --plan`.
    ///
    /// # Errors
    /// The file cannot be written, or a path cannot be made absolute.
    pub fn save(&self, path: &Path) -> Result<(), EngineError> {
        let absolute = |path: &Option<PathBuf>| {
            path.as_deref().map(std::path::absolute).transpose().map_err(|error| {
                EngineError::input("bad-path", format!("a path of the plan cannot be made absolute: {error}"), None)
            })
        };
        let saved = SavedPlan {
            format_version: 1,
            kind: PLAN_KIND.to_owned(),
            directory: absolute(&self.desired.directory)?,
            resources: absolute(&self.desired.resources)?,
            fingerprint: self.fingerprint,
        };
        write_json(path, &saved)
    }
}

impl Engine {
    /// Reads a saved plan and computes it again.
    ///
    /// # Errors
    /// The file is no plan, or what it would do is no longer what it was saved for.
    pub fn load_plan(&self, path: &Path) -> Result<Planned, EngineError> {
        let saved: SavedPlan = read_json(path, PLAN_KIND, "`renewd plan DIR --out FILE` writes one")?;
        let planned = self.plan(&Desired { directory: saved.directory, resources: saved.resources })?;
        if planned.fingerprint != saved.fingerprint {
            return Err(stale());
        }
        Ok(planned)
    }

    /// Applies a plan as one commit. Makes the store where there is none.
    ///
    /// # Errors
    /// A guard stands in the way, something moved since the plan, or the store fails.
    pub fn apply(&self, planned: Planned, allow: &Allow) -> Result<AppliedView, EngineError> {
        guard(&planned, allow)?;
        let created = !self.has_store();
        if created && planned.lock.store.is_none() {
            drop(self.home.create()?);
        }
        let mut desk = self.desk(planned.at)?;
        if let Some(pinned) = planned.lock.store.as_ref().filter(|pinned| **pinned != desk.store().id().to_string()) {
            return Err(EngineError::Guard {
                code: "other-store",
                message: format!("the lock is pinned to store {pinned}, not to {}", desk.store().id()),
                hint: "name the pinned store with `--store`, or pin this one with `renewd store init --pin DIR`"
                    .to_owned(),
            });
        }
        // A fresh store has the sequence of its first record, an absent one none: a plan made without a store fits.
        if !created && desk.sequence != planned.base {
            return Err(stale());
        }
        check_not_in_use(&desk.state, &planned.events)?;
        for bytes in planned.attachments.values() {
            desk.put_blob(bytes)?;
        }
        let changed = !planned.events.is_empty();
        desk.push(planned.events);
        let changed = changed || desk.has_events();
        desk.commit()?;
        let revision = desk.state.meta.revision;
        let placed = planned
            .requests
            .placed
            .iter()
            .filter_map(|order| desk.state.orders.get(&order.id))
            .map(|order| PlannedOrder {
                request: order.origin.request().map(ToString::to_string).unwrap_or_default(),
                order: order_summary(order, false, true),
            })
            .collect();
        drop(desk);
        let wrote_lock = match planned.lock.write {
            Some((path, text)) => {
                write_whole(&path, text.as_bytes())?;
                Some(path.display().to_string())
            }
            None => None,
        };
        let refused = if changed { planned.requests.refused_now } else { 0 };
        Ok(AppliedView { plan: planned.view, changed, revision, created_store: created, wrote_lock, placed, refused })
    }

    /// Imports an inventory into a store that has documents.
    ///
    /// # Errors
    /// The inventory has findings (nothing is changed), there is no account to import to, or the store fails.
    pub fn import(&self, path: &Path, options: &crate::options::ImportOptions) -> Result<ImportView, EngineError> {
        let now = self.now();
        if !self.has_store() {
            import_file(&State::default(), path, options, now)?;
            drop(self.home.create()?);
        }
        let mut desk = self.desk(now)?;
        let before = crate::changes::sights(&desk.state, &std::collections::BTreeMap::new(), now);
        let (merged, mut view) = import_file(&desk.state, path, options, now)?;
        desk.push(merged.events);
        let windows = captured_windows(&desk.state);
        desk.push(windows);
        desk.commit()?;
        let after = crate::changes::sights(&desk.state, &std::collections::BTreeMap::new(), now);
        view.changes = crate::changes::resource_changes(&before, &after, Some(&view));
        Ok(view)
    }
}

/// What an undecided payment needs must stay until it is decided.
fn check_not_in_use(state: &State, events: &[Event]) -> Result<(), EngineError> {
    for order in state.orders.values() {
        if !matches!(order.status, OrderStatus::Unknown | OrderStatus::Paying) {
            continue;
        }
        let Some(attempt) = order.last_attempt() else { continue };
        let in_use = |key: &DocumentKey| match (key.kind, state.documents.get(key)) {
            (DocumentKind::PaymentMethod, _) => key.name == attempt.method.method.as_str(),
            (_, Some(Document::Plugin(plugin))) => attempt.plugin == Some(plugin.digest),
            _ => false,
        };
        let removed = events.iter().find_map(|event| match event {
            Event::DocumentRemoved { key } if in_use(key) => Some(key),
            _ => None,
        });
        if let Some(key) = removed {
            return Err(EngineError::Guard {
                code: "in-use",
                message: format!("{key} cannot be removed while the payment of order {} is unknown", order.id),
                hint: format!("`renewd orders resolve {} --as succeeded|declined --reason TEXT` first", order.id),
            });
        }
    }
    Ok(())
}

fn stale() -> EngineError {
    EngineError::Guard {
        code: "plan-stale",
        message: "the store, the documents or the inventory moved since the plan was made".to_owned(),
        hint: "plan again and look at what is different".to_owned(),
    }
}

fn guard(planned: &Planned, allow: &Allow) -> Result<(), EngineError> {
    let view = &planned.view;
    if planned.lock.mismatch {
        return Err(EngineError::Guard {
            code: "lock",
            message: format!("the plugins do not match their lock: {}", planned.lock.words()),
            hint: "if the change is meant, run `renewd plugin lock DIR --upgrade NAME`".to_owned(),
        });
    }
    let removed: Vec<String> = view
        .documents
        .iter()
        .filter(|change| change.change == crate::view::DocumentChangeKind::Removed)
        .map(|change| format!("{} {}", change.kind, change.name))
        .collect();
    if !removed.is_empty() && !allow.removals {
        let uncovered: Vec<&str> =
            view.resources.iter().filter(|r| r.loses_cover).map(|r| r.resource.as_str()).take(10).collect();
        let more = view.resources.iter().filter(|r| r.loses_cover).count().saturating_sub(uncovered.len());
        let mut message = format!("{} would be removed", removed.join(", "));
        if !uncovered.is_empty() {
            message.push_str(&format!("; no policy would cover {}", uncovered.join(", ")));
            if 0 < more {
                message.push_str(&format!(" and {more} more"));
            }
        }
        return Err(EngineError::Guard {
            code: "removals",
            message,
            hint: "if that is meant, add `--allow removals`".to_owned(),
        });
    }
    if !view.grants.is_empty() && !allow.grants {
        return Err(EngineError::Guard {
            code: "grants",
            message: format!("this would newly grant {}", view.grants.join(", ")),
            hint: "if that is meant, add `--allow grants`".to_owned(),
        });
    }
    Ok(())
}
