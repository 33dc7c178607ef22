//! When automatic renewal charges a resource next.

use chrono::{DateTime, Utc};
use renewd_core::calendar::{Until, next_auto_try};
use renewd_core::cover::{Cover, mode_of};
use renewd_core::documents::{Mode, RenewalPolicy};
use renewd_core::ids::PolicyName;
use renewd_core::resource::{Freeze, Phase, Resource};
use renewd_core::state::State;

/// The next automatic charge of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextCharge {
    /// The resource is not renewed automatically, or not any more.
    Never,
    /// At this moment.
    At(DateTime<Utc>),
    /// At the next run; it has been due since this moment.
    Due(DateTime<Utc>),
}

impl NextCharge {
    pub(crate) fn at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Never => None,
            Self::At(at) | Self::Due(at) => Some(at),
        }
    }

    pub(crate) fn is_due(self) -> bool {
        matches!(self, Self::Due(_))
    }

    /// The moment at which the charge will be quoted.
    pub(crate) fn quoted_at(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Never => None,
            Self::At(at) => Some(at.max(now)),
            Self::Due(_) => Some(now),
        }
    }
}

/// The next automatic charge: the first at `chargeBefore`, then every `retry` until `until` ends.
pub(crate) fn next_charge(resource: &Resource, cover: &Cover<'_>, now: DateTime<Utc>) -> NextCharge {
    let Some(policy) = cover.policy() else { return NextCharge::Never };
    if mode_of(resource, cover, now).0 != Mode::Auto {
        return NextCharge::Never;
    }
    let stops = charging_ends(resource, policy);
    let phase = resource.phase(now);
    if !resource.description.renewable || !resource.is_prepaid() || phase == Phase::Released || stops <= now {
        return NextCharge::Never;
    }
    let auto = &policy.auto;
    let tried = resource.auto_tried().map(|tried| tried.at);
    let next = next_auto_try(&resource.end.expiry, auto.charge_before.0, auto.charge_at, auto.retry.0, tried);
    if stops <= next {
        return NextCharge::Never;
    }
    if now < next { NextCharge::At(next) } else { NextCharge::Due(next) }
}

/// The next automatic charge of a resource over which policies of one priority contend, if one of them were alone: the
/// soonest that there would be.
pub(crate) fn next_charge_in_conflict(
    resource: &Resource,
    (state, names): (&State, &[&PolicyName]),
    now: DateTime<Utc>,
) -> NextCharge {
    let contending = state.policies().filter(|policy| names.contains(&&policy.name));
    let charges = contending.map(|policy| next_charge(resource, &Cover::Policy(policy), now));
    charges.filter(|charge| charge.at().is_some()).min_by_key(|charge| charge.at()).unwrap_or(NextCharge::Never)
}

/// The moment from which automatic renewal no longer tries.
fn charging_ends(resource: &Resource, policy: &RenewalPolicy) -> DateTime<Utc> {
    let changes = resource.phase_changes();
    match policy.auto.until {
        Until::Expiry => changes.expiry,
        Until::Grace => changes.retention,
        Until::Retention => changes.released,
    }
}

/// Why a due charge cannot be made as things stand, where it cannot.
pub(crate) fn charge_blocked(resource: &Resource) -> Option<String> {
    if let Some(freeze) = &resource.freeze {
        return Some(match freeze {
            Freeze::UnknownPayment { .. } | Freeze::ImportConflict { .. } | Freeze::Refunding { .. } => {
                freeze.to_string()
            }
        });
    }
    resource.open_order.as_ref().map(|order| format!("it is in the open order {order}"))
}

#[cfg(test)]
mod tests;
