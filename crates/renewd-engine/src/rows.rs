//! Resources as people see them.

use crate::charge::next_charge;
use crate::view::ResourceRow;
use chrono::{DateTime, Utc};
use renewd_core::calendar::rfc3339_in;
use renewd_core::cover::{Cover, mode_of};
use renewd_core::resource::{Phase, Resource};
use renewd_core::state::State;

/// One resource as a row of a list.
pub(crate) fn resource_row(state: &State, resource: &Resource, now: DateTime<Utc>) -> ResourceRow {
    let cover = Cover::find(resource, state.policies());
    let charge = next_charge(resource, &cover, now);
    let zone = resource.end.expiry.zone;
    let chosen = resource.active_override(now);
    let description = &resource.description;
    ResourceRow {
        id: resource.id.clone(),
        name: description.name.clone(),
        account: description.account.clone(),
        kind: description.kind.clone(),
        sku: description.sku.clone(),
        quantity: description.quantity,
        region: description.region.clone(),
        labels: description.labels.clone(),
        expiry: resource.end.expiry.rfc3339(),
        anchor_day: resource.end.anchor.get(),
        days_left: days_left(resource, now),
        phase: resource.phase(now),
        mode: mode_of(resource, &cover, now).0,
        overridden: chosen.is_some(),
        chosen_mode: chosen.map(|chosen| chosen.mode),
        policy: cover.policy().map(|policy| policy.name.to_string()),
        next_charge: charge.at().map(|at| rfc3339_in(at, zone)),
        charge_due: charge.is_due(),
        open_order: resource.open_order.as_ref().map(ToString::to_string),
        blocked: blocked(resource, &cover, now),
        price: resource.shown_price().map(|price| price.to_string()),
        external_id: description.external_id.clone(),
        renewable: description.renewable,
    }
}

/// Whole local days from now to the expiry; negative once it has passed.
pub(crate) fn days_left(resource: &Resource, now: DateTime<Utc>) -> i64 {
    let today = now.with_timezone(&resource.end.expiry.zone).date_naive();
    resource.end.expiry.date.signed_duration_since(today).num_days()
}

/// Why a resource cannot be renewed as things stand.
pub(crate) fn blocked(resource: &Resource, cover: &Cover<'_>, now: DateTime<Utc>) -> Option<String> {
    if resource.phase(now) == Phase::Released {
        return Some("released".to_owned());
    }
    if !resource.description.renewable {
        return Some("not renewable".to_owned());
    }
    if resource.freeze.is_some() {
        return Some("frozen".to_owned());
    }
    match cover {
        Cover::Policy(_) => None,
        Cover::None => Some("no policy".to_owned()),
        Cover::Conflict(_) => Some("policy conflict".to_owned()),
    }
}
