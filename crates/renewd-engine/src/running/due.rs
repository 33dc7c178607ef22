//! What is due: resources to be ordered, orders to be paid, and time as people read it.

use crate::charge::{NextCharge, charge_blocked, next_charge, next_charge_in_conflict};
use crate::quoting::Unquoted;
use crate::view::TimeNote;
use chrono::{DateTime, Days, Utc};
use renewd_core::calendar::Until;
use renewd_core::cover::{Cover, mode_of};
use renewd_core::decide;
use renewd_core::documents::{DocumentKey, DocumentKind, Mode};
use renewd_core::event::Event;
use renewd_core::ids::{OrderId, ResourceId};
use renewd_core::order::{Order, OrderStatus, Origin};
use renewd_core::quote::covering;
use renewd_core::refusal::{Reason, Refusal, Verdict};
use renewd_core::resource::{Phase, Resource};
use renewd_core::state::State;

/// Days between two tries to pay the order of a request, where no policy says otherwise.
const REQUEST_RETRY_DAYS: u32 = 1;

/// Due automatic renewals.
pub(crate) struct Due<'a> {
    /// Those that can be ordered.
    pub(crate) resources: Vec<&'a Resource>,
    /// Those that something stands in the way of.
    pub(crate) blocked: Vec<(ResourceId, Verdict, Refusal)>,
}

/// The automatic renewals that are due. What an order that runs pay already has is not among them.
pub(crate) fn due(state: &State, now: DateTime<Utc>) -> Due<'_> {
    let mut due = Due { resources: Vec::new(), blocked: Vec::new() };
    for resource in state.resources.values() {
        let cover = Cover::find(resource, state.policies());
        let order = resource.open_order.as_ref().and_then(|order| state.orders.get(order));
        if let Cover::Conflict(names) = &cover {
            let is_due = next_charge_in_conflict(resource, (state, names), now).is_due();
            if let (true, Err(why)) =
                (is_due && !order.is_some_and(|order| is_declared(state, order)), covering(&cover))
            {
                due.blocked.push((resource.id.clone(), Verdict::Held, why));
            }
            continue;
        }
        if !next_charge(resource, &cover, now).is_due() || order.is_some_and(|order| is_for_runs(state, order)) {
            continue;
        }
        match charge_blocked(resource) {
            None => due.resources.push(resource),
            Some(why) => {
                let reason = if resource.freeze.is_some() { Reason::Frozen } else { Reason::OpenOrder };
                let hint = order
                    .map(|order| format!("`renewd orders pay {}` or `renewd orders cancel {}`", order.id, order.id));
                let refusal = Refusal { hint, ..Refusal::new(reason, why) };
                due.blocked.push((resource.id.clone(), Verdict::Refused, refusal));
            }
        }
    }
    due
}

/// Whether runs pay an order: one of automatic renewal, or of a request that a document in force declares. What somebody
/// ordered by hand is paid by hand.
fn is_for_runs(state: &State, order: &Order) -> bool {
    order.origin == Origin::Auto || is_declared(state, order)
}

fn is_declared(state: &State, order: &Order) -> bool {
    order.requests().any(|name| {
        let key = DocumentKey { kind: DocumentKind::RenewalRequest, name: name.to_string() };
        state.documents.contains_key(&key)
    })
}

/// Orders of automatic renewal in which what is due waits for a line that is not, or not any more: each with the reason.
/// One whose gateway still works on a charge is none of them: what is due in it would be charged beside that.
pub(crate) fn standing_still(state: &State, now: DateTime<Utc>) -> Vec<(OrderId, String)> {
    let is_ready =
        |row: &Resource| row.freeze.is_none() && next_charge(row, &Cover::find(row, state.policies()), now).is_due();
    let open = state.orders.values().filter(|order| order.status == OrderStatus::Open && 1 < order.lines.len());
    let open = open.filter(|order| order.shown_attempt().is_none());
    let of_runs = open.filter(|order| order.origin == Origin::Auto && order.requests().next().is_none());
    let mut found = Vec::new();
    for order in of_runs {
        let rows =
            order.lines.iter().map(|line| (&line.prepared.resource, state.resources.get(&line.prepared.resource)));
        let (ready, still): (Vec<_>, Vec<_>) = rows.partition(|(_, row)| row.is_some_and(is_ready));
        let is_frozen = still.iter().any(|(_, row)| row.is_none_or(|row| row.freeze.is_some()));
        if let (false, Some((first, _))) = (ready.is_empty(), still.first())
            && (is_frozen || pays(state, order, now) == Pays::No)
        {
            found.push((order.id.clone(), format!("{first} is not renewed with the others any more")));
        }
    }
    found
}

/// Whether and how a run pays an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pays {
    /// Not now.
    No,
    /// With all of its methods.
    Anew,
    /// With the methods behind the one that declined last.
    GoesOn,
}

/// Whether a run pays an order now: one of automatic renewal while its resources are due, one of a declared request
/// unless it was tried within its retry period. A decline that came late leaves the methods behind it to be tried at once.
pub(crate) fn pays(state: &State, order: &Order, now: DateTime<Utc>) -> Pays {
    if order.status != OrderStatus::Open || order.shown_attempt().is_some() {
        return Pays::No;
    }
    if is_due(state, order, now) {
        return Pays::Anew;
    }
    let mut rows = order.lines.iter().filter_map(|line| state.resources.get(&line.prepared.resource));
    let is_wanted = |row: &Resource| next_charge(row, &Cover::find(row, state.policies()), now) != NextCharge::Never;
    let wanted = is_declared(state, order) || (order.origin == Origin::Auto && rows.all(is_wanted));
    if wanted && !decide::methods_left(state, order, now).is_empty() { Pays::GoesOn } else { Pays::No }
}

/// Whether a run tries the next method of an order that it has begun to pay: its resources are due no longer since that
/// was tried, but nobody has turned their renewal off meanwhile.
pub(crate) fn still_pays(state: &State, order: &Order, now: DateTime<Utc>) -> Pays {
    let mut rows = order.lines.iter().filter_map(|line| state.resources.get(&line.prepared.resource));
    let is_auto = |row: &Resource| mode_of(row, &Cover::find(row, state.policies()), now).0 == Mode::Auto;
    let is_wanted = is_declared(state, order) || (order.origin == Origin::Auto && rows.all(is_auto));
    if is_wanted { Pays::Anew } else { Pays::No }
}

fn is_due(state: &State, order: &Order, now: DateTime<Utc>) -> bool {
    let row = |line: &renewd_core::quote::Quote| state.resources.get(&line.prepared.resource);
    if is_declared(state, order) {
        let retry = order.lines.first().and_then(row).and_then(|row| Cover::find(row, state.policies()).policy());
        let days = retry.map_or(REQUEST_RETRY_DAYS, |policy| policy.auto.retry.0.max(1));
        let tried = order.last_attempt().map(|attempt| attempt.started_at.with_timezone(&order.time_zone));
        let again = tried.and_then(|tried| tried.checked_add_days(Days::new(days.into())));
        return again.is_none_or(|again| again <= now);
    }
    order.origin == Origin::Auto
        && order.lines.iter().filter_map(row).all(|row| {
            let cover = Cover::find(row, state.policies());
            next_charge(row, &cover, now).is_due()
        })
}

/// Automatic renewals that are not tried any more: the phase in which they could be charged is over. What was over before
/// any run saw it is none of them.
pub(super) fn missed(state: &State, events: &[Event], now: DateTime<Utc>) -> Vec<Unquoted> {
    let missed = |event: &Event| {
        let Event::PhaseEntered { resource, phase, .. } = event else { return None };
        let row = state.resources.get(resource)?;
        let cover = Cover::find(row, state.policies());
        let policy = cover.policy().filter(|_| mode_of(row, &cover, now).0 == Mode::Auto)?;
        let (over, when) = match policy.auto.until {
            Until::Expiry => (Phase::Grace, "it expired"),
            Until::Grace => (Phase::Retention, "its grace ended"),
            Until::Retention => (Phase::Released, "it was released"),
        };
        let was_seen = row.noted_phase().is_some() || row.auto_tried().is_some();
        let is_new = row.noted_phase().unwrap_or(Phase::Active) < over && over <= *phase;
        let message = format!("its automatic renewal did not succeed before {when}");
        let hint = format!("`renewd show {resource}` tells what was tried");
        let refusal = Refusal::new(Reason::NotRenewed, message).hint(hint);
        (was_seen && is_new).then(|| (resource.clone(), Verdict::Refused, refusal))
    };
    events.iter().filter_map(missed).collect()
}

/// What declared requests wanted, and had in an order that has just expired unpaid.
pub(super) fn expired_requests(state: &State) -> Vec<Unquoted> {
    let expired = state.orders.values().filter(|order| matches!(order.status, OrderStatus::Expired { .. }));
    let of_order = |order: &Order| {
        let message = format!("order {} of a request that is still declared has expired unpaid", order.id);
        let refusal = Refusal::new(Reason::OrderState, message).hint("`renewd apply` orders it anew");
        let lines = order.lines.iter().map(|line| line.prepared.resource.clone());
        lines.map(|resource| (resource, Verdict::Refused, refusal.clone())).collect::<Vec<_>>()
    };
    expired.filter(|order| is_declared(state, order)).flat_map(of_order).collect()
}

/// What time did to a resource, for people.
pub(super) fn time_note(state: &State, event: &Event) -> Option<TimeNote> {
    let (resource, what) = if let Event::PhaseEntered { resource, phase, .. } = event {
        (resource, phase.as_str())
    } else if let Event::ResourceConverted { resource, .. } = event {
        (resource, "pay-per-use")
    } else if let Event::ResourceEnded { resource, .. } = event {
        (resource, "ended")
    } else {
        return None;
    };
    let row = state.resources.get(resource)?;
    Some(TimeNote { resource: resource.clone(), entered: what.to_owned(), expiry: row.end.expiry.rfc3339() })
}
