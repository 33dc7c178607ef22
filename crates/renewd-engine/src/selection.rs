//! Selecting resources by what the command line says.

use crate::options::Selector;
use chrono::{DateTime, Utc};
use renewd_core::cover::{Cover, mode_of};
use renewd_core::documents::Pattern;
use renewd_core::ids::ResourceId;
use renewd_core::resource::Resource;
use renewd_core::state::State;
use std::collections::BTreeMap;

/// The selected resources, by id.
pub(crate) fn select<'a>(state: &'a State, selector: &Selector, now: DateTime<Utc>) -> Vec<&'a Resource> {
    state.resources.values().filter(|resource| matches(state, resource, selector, now)).collect()
}

/// Ids that a person named exactly and that do not exist.
pub(crate) fn missing(state: &State, selector: &Selector) -> Vec<ResourceId> {
    let named = selector
        .ids
        .iter()
        .filter(|pattern| !pattern.is_glob())
        .filter_map(|pattern| ResourceId::new(pattern.as_str()).ok());
    let listed = selector.from_file.iter().flatten().cloned();
    let mut missing: Vec<ResourceId> = named.chain(listed).filter(|id| !state.resources.contains_key(id)).collect();
    missing.sort();
    missing.dedup();
    missing
}

fn matches(state: &State, resource: &Resource, selector: &Selector, now: DateTime<Utc>) -> bool {
    let one_of = |patterns: &[Pattern], text: &str| patterns.is_empty() || patterns.iter().any(|p| p.matches(text));
    let description = &resource.description;
    one_of(&selector.ids, resource.id.as_str())
        && one_of(&selector.accounts, description.account.as_str())
        && one_of(&selector.kinds, &description.kind)
        && one_of(&selector.skus, &description.sku)
        && one_of(&selector.regions, &description.region)
        && labels_match(&selector.labels, &description.labels)
        && selector.from_file.as_ref().is_none_or(|ids| ids.contains(&resource.id))
        && (selector.phases.is_empty() || selector.phases.contains(&resource.phase(now)))
        && expiry_matches(resource, selector, now)
        && selector.search.as_deref().is_none_or(|text| found(resource, text))
        && tab_matches(state, resource, selector, now)
}

fn labels_match(wanted: &[(String, Pattern)], labels: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(key, _)| {
        let value = labels.get(key);
        wanted.iter().filter(|(other, _)| other == key).any(|(_, p)| value.is_some_and(|value| p.matches(value)))
    })
}

fn expiry_matches(resource: &Resource, selector: &Selector, now: DateTime<Utc>) -> bool {
    let expiry = resource.end.expiry.instant();
    let zone = resource.end.expiry.zone;
    let before = selector.expires_before.is_none_or(|moment| expiry < moment.instant(zone));
    let within = selector.expires_within.is_none_or(|days| {
        let end = now.with_timezone(&zone).naive_local().checked_add_days(chrono::Days::new(days.0.into()));
        let end = end.map(|end| renewd_core::calendar::resolve_local(end, zone));
        now < expiry && end.is_none_or(|end| expiry <= end)
    });
    before && within
}

fn tab_matches(state: &State, resource: &Resource, selector: &Selector, now: DateTime<Utc>) -> bool {
    if selector.tabs.is_empty() {
        return true;
    }
    let cover = Cover::find(resource, state.policies());
    selector.tabs.contains(&mode_of(resource, &cover, now).0)
}

fn found(resource: &Resource, text: &str) -> bool {
    let text = text.to_lowercase();
    let description = &resource.description;
    let labels = description.labels.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
    [resource.id.as_str(), &description.name]
        .into_iter()
        .chain(labels)
        .any(|field| field.to_lowercase().contains(&text))
}

#[cfg(test)]
mod tests;
