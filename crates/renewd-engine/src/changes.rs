//! What differs between two states, in the words of a plan.

use crate::charge::next_charge;
use crate::view::{DocumentChange, DocumentChangeKind, FieldChange, ImportView, ResourceChange};
use chrono::{DateTime, Utc};
use renewd_core::calendar::rfc3339_in;
use renewd_core::cover::{Cover, mode_of};
use renewd_core::documents::{AlignPolicy, Document, DocumentKey, Mode};
use renewd_core::ids::ResourceId;
use renewd_core::state::State;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a plan compares of a resource.
pub(crate) struct Sight {
    pub(crate) mode: Mode,
    covered: bool,
    fields: Vec<(&'static str, Option<String>)>,
}

/// The sight of every resource of a state.
pub(crate) fn sights(
    state: &State,
    prices: &BTreeMap<ResourceId, String>,
    now: DateTime<Utc>,
) -> BTreeMap<ResourceId, Sight> {
    state
        .resources
        .values()
        .map(|resource| {
            let cover = Cover::find(resource, state.policies());
            let mode = mode_of(resource, &cover, now).0;
            let zone = resource.end.expiry.zone;
            let policy = match &cover {
                Cover::Policy(policy) => Some(policy.name.to_string()),
                Cover::None => None,
                Cover::Conflict(names) => {
                    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
                    Some(format!("conflict of {}", names.join(" and ")))
                }
            };
            let account = state.account(&resource.description.account);
            let day = cover
                .policy()
                .filter(|policy| policy.align == AlignPolicy::Always)
                .and_then(|policy| policy.renewal_day.or(account.and_then(|account| account.renewal_day)));
            let charge = next_charge(resource, &cover, now);
            let fields = vec![
                ("expiry", Some(resource.end.expiry.rfc3339())),
                ("policy", policy),
                ("mode", Some(mode.to_string())),
                ("renewalDay", day.map(|day| day.to_string())),
                ("nextCharge", charge.at().map(|at| rfc3339_in(at, zone))),
                ("price", prices.get(&resource.id).cloned()),
            ];
            (resource.id.clone(), Sight { mode, covered: cover.policy().is_some(), fields })
        })
        .collect()
}

/// Resources that are new or whose sight differs.
pub(crate) fn resource_changes(
    before: &BTreeMap<ResourceId, Sight>,
    after: &BTreeMap<ResourceId, Sight>,
    import: Option<&ImportView>,
) -> Vec<ResourceChange> {
    let mut changes = Vec::new();
    for (id, sight) in after {
        let old = before.get(id);
        let fields: Vec<FieldChange> = sight
            .fields
            .iter()
            .filter_map(|(field, value)| {
                let was = old.and_then(|old| old.fields.iter().find(|(name, _)| name == field)?.1.clone());
                (was != *value).then(|| FieldChange { field: (*field).to_owned(), before: was, after: value.clone() })
            })
            .collect();
        if old.is_some() && fields.is_empty() {
            continue;
        }
        let imported = fields.iter().any(|field| field.field == "expiry") && import.is_some();
        changes.push(ResourceChange {
            resource: id.clone(),
            change: match old {
                None => "added",
                Some(_) if imported => "imported",
                Some(_) => "affected",
            }
            .to_owned(),
            fields,
            loses_cover: old.is_some_and(|old| old.covered) && !sight.covered,
        });
    }
    changes
}

/// Documents that are new, changed or gone.
pub(crate) fn document_changes(before: &State, after: &State) -> Vec<DocumentChange> {
    let keys: BTreeSet<&DocumentKey> = before.documents.keys().chain(after.documents.keys()).collect();
    keys.into_iter()
        .filter_map(|key| {
            let (old, new) = (before.documents.get(key), after.documents.get(key));
            let change = match (old, new) {
                (Some(old), Some(new)) if old == new => return None,
                (Some(_), Some(_)) => DocumentChangeKind::Changed,
                (None, _) => DocumentChangeKind::Added,
                (Some(_), None) => DocumentChangeKind::Removed,
            };
            let fields = match change {
                DocumentChangeKind::Changed => field_changes(&flat(old), &flat(new)),
                DocumentChangeKind::Added | DocumentChangeKind::Removed => Vec::new(),
            };
            Some(DocumentChange { change, kind: key.kind.to_string(), name: key.name.clone(), fields })
        })
        .collect()
}

fn flat(document: Option<&Document>) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    if let Some(Ok(value)) = document.map(serde_json::to_value) {
        flatten("", &value, &mut fields);
    }
    fields
}

fn flatten(prefix: &str, value: &Value, fields: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&path, value, fields);
            }
        }
        Value::Null => {}
        Value::String(text) => {
            fields.insert(prefix.to_owned(), text.clone());
        }
        Value::Array(_) | Value::Bool(_) | Value::Number(_) => {
            fields.insert(prefix.to_owned(), value.to_string());
        }
    }
}

fn field_changes(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<FieldChange> {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    keys.into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
        .map(|key| FieldChange { field: key.clone(), before: before.get(key).cloned(), after: after.get(key).cloned() })
        .collect()
}
