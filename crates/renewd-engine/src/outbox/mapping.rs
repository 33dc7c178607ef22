//! Records of the journal as the events that sinks are told.
//!
//! What an event says comes from its record, and from the parts of its order that never change: the same record
//! always becomes the same events in the same order.

use super::cloud_event::{CloudEvent, Data, Line, Teller};
use chrono::{DateTime, Utc};
use renewd_core::calendar::rfc3339_in;
use renewd_core::documents::EventKind;
use renewd_core::event::Event;
use renewd_core::ids::{OrderId, ResourceId};
use renewd_core::order::{Hold, Order, OrderStatus, Outcome, Payment, Refund, RefundResult};
use renewd_core::quote::Quote;
use renewd_core::resource::{ModeOverride, Phase};
use renewd_core::state::State;
use renewd_store::HistoryEntry;

/// The events of a record. `rows` has the order and the resources that the record names.
pub(super) fn cloud_events(teller: &Teller, entry: &HistoryEntry, rows: &State) -> Vec<(EventKind, CloudEvent)> {
    let told = told(&entry.event, rows).into_iter().enumerate();
    told.map(|(nth, Told { kind, subject, data })| {
        let event = CloudEvent {
            specversion: "1.0",
            id: teller.id_of(entry.sequence, nth),
            source: teller.source(),
            kind: format!("renewd.{kind}.v1"),
            subject,
            time: entry.at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
            datacontenttype: "application/json",
            data,
        };
        (kind, event)
    })
    .collect()
}

struct Told {
    kind: EventKind,
    subject: String,
    data: Data,
}

fn told(event: &Event, rows: &State) -> Vec<Told> {
    match event {
        Event::OrderPlaced { order } => placed(order),
        Event::OrderHeld { order, hold, .. } => about(rows, order, EventKind::Held, |order| held(order, hold)),
        Event::OrderExpired { order } => about(rows, order, EventKind::OrderExpired, of_order),
        Event::AttemptEnded { order, number, result, .. } => attempt_ended(rows, order, *number, result),
        Event::ResolvedDeclined { order, number, reason } => about(rows, order, EventKind::Declined, |order| Data {
            reason: Some("resolved".to_owned()),
            message: Some(reason.clone()),
            ..of_attempt(order, *number)
        }),
        Event::LateSuccess { order, number, reference } => about(rows, order, EventKind::LateSuccess, |order| Data {
            amount: Some(order.total),
            reference: Some(reference.clone()),
            ..of_attempt(order, *number)
        }),
        Event::OrderSettled { order, payment } => {
            rows.orders.get(order).map(|order| settled(order, payment)).unwrap_or_default()
        }
        Event::RefundEnded { order, number, result } => refund_ended(rows, order, *number, result),
        Event::PhaseEntered { resource, phase, expiry } => {
            let kind = match phase {
                Phase::Active => return Vec::new(),
                Phase::Expiring => EventKind::Expiring,
                Phase::Grace => EventKind::Grace,
                Phase::Retention => EventKind::Retention,
                Phase::Released => EventKind::Released,
            };
            vec![at_expiry(rows, resource, kind, *expiry)]
        }
        Event::ResourceConverted { resource, expiry } => {
            vec![at_expiry(rows, resource, EventKind::Converted, *expiry)]
        }
        Event::ResourceEnded { resource, expiry } => vec![at_expiry(rows, resource, EventKind::Ended, *expiry)],
        Event::AutoFailed { resource, expiry, refusal } => {
            let mut told = at_expiry(rows, resource, EventKind::Declined, *expiry);
            told.data.reason = Some(refusal.reason.as_str().to_owned());
            told.data.message = Some(refusal.message.clone());
            vec![told]
        }
        Event::ModeChosen { resource, chosen } => vec![mode_chosen(rows, resource, chosen)],
        Event::ModeReturned { resource } => {
            vec![mode_changed(rows, resource, Data { mode: Some("policy".to_owned()), ..Data::default() })]
        }
        Event::AutoFinished { resource, renewals } => {
            let (mode, reason) = (Some("manual".to_owned()), Some("auto-finished".to_owned()));
            let data = Data { mode, reason, renewals: Some(*renewals), ..Data::default() };
            vec![mode_changed(rows, resource, data)]
        }
        Event::DocumentPut { .. }
        | Event::DocumentRemoved { .. }
        | Event::RevisionApplied { .. }
        | Event::WindowsCaptured { .. }
        | Event::ResourceAdded { .. }
        | Event::ResourceImported { .. }
        | Event::ResourceFrozen { .. }
        | Event::ResourceThawed { .. }
        | Event::OrderAdopted { .. }
        | Event::OrderApproved { .. }
        | Event::OrderCanceled { .. }
        | Event::AttemptStarted { .. }
        | Event::AttemptChecked { .. }
        | Event::RefundStarted { .. }
        | Event::RefundChecked { .. }
        | Event::BalanceToppedUp { .. }
        | Event::EventsDelivered { .. } => Vec::new(),
    }
}

/// An event about a whole order.
fn about(rows: &State, order: &OrderId, kind: EventKind, data: impl FnOnce(&Order) -> Data) -> Vec<Told> {
    let order = rows.orders.get(order);
    order.map(|order| Told { kind, subject: order.id.to_string(), data: data(order) }).into_iter().collect()
}

fn of_order(order: &Order) -> Data {
    Data {
        account: Some(order.account.to_string()),
        order: Some(order.id.to_string()),
        origin: Some(order.origin.to_string()),
        total: Some(order.total),
        lines: order.lines.iter().map(line).collect(),
        ..Data::default()
    }
}

fn line(line: &Quote) -> Line {
    Line {
        resource: line.prepared.resource.to_string(),
        policy: line.prepared.policy.to_string(),
        term: line.prepared.dates.term.to_string(),
        old_expiry: line.prepared.old_end.expiry.rfc3339(),
        new_expiry: line.prepared.new_expiry().rfc3339(),
        total: line.total,
    }
}

fn of_attempt(order: &Order, number: u32) -> Data {
    let method = order.attempt(number).map(|attempt| attempt.method.method.to_string());
    Data { method, attempt: Some(number), ..of_order(order) }
}

fn held(order: &Order, hold: &Hold) -> Data {
    Data { reason: Some(hold.reason.as_str().to_owned()), message: Some(hold.detail.clone()), ..of_order(order) }
}

/// An order that is held from the beginning is placed and held.
fn placed(order: &Order) -> Vec<Told> {
    let subject = order.id.to_string();
    let mut told = vec![Told { kind: EventKind::OrderPlaced, subject: subject.clone(), data: of_order(order) }];
    if order.status == OrderStatus::Held {
        let words: Vec<&str> = order.holds.iter().map(|hold| hold.detail.as_str()).collect();
        let data = Data {
            reason: order.holds.first().map(|hold| hold.reason.as_str().to_owned()),
            message: Some(words.join("; ")),
            ..of_order(order)
        };
        told.push(Told { kind: EventKind::Held, subject, data });
    }
    told
}

fn attempt_ended(rows: &State, order: &OrderId, number: u32, result: &Outcome) -> Vec<Told> {
    match result {
        Outcome::Declined { code, message, retry, .. } => about(rows, order, EventKind::Declined, |order| Data {
            reason: Some(code.clone()),
            message: Some(message.clone()),
            retry: Some(*retry),
            ..of_attempt(order, number)
        }),
        Outcome::Unknown { detail, reference } => about(rows, order, EventKind::Unknown, |order| Data {
            reason: Some("payment-unknown".to_owned()),
            message: Some(detail.clone()),
            reference: reference.clone(),
            ..of_attempt(order, number)
        }),
        Outcome::PriceMoved { actual } => about(rows, order, EventKind::Held, |order| Data {
            reason: Some("price-moved".to_owned()),
            message: Some(format!("the gateway would take {actual}, and {} was agreed", order.total)),
            ..of_attempt(order, number)
        }),
        Outcome::InFlight | Outcome::Succeeded { .. } | Outcome::Pending { .. } | Outcome::RequiresAction { .. } => {
            Vec::new()
        }
    }
}

/// One event for each resource, so that whoever cares for a resource needs to know nothing of orders.
fn settled(order: &Order, payment: &Payment) -> Vec<Told> {
    let (attempt, reference, reason) = match payment {
        Payment::Nothing => (None, None, None),
        Payment::Attempt { attempt, reference } => (Some(*attempt), Some(reference.clone()), None),
        Payment::Resolved { attempt, reference, reason } => (Some(*attempt), reference.clone(), Some(reason.clone())),
    };
    let method = attempt.and_then(|number| order.attempt(number)).map(|attempt| attempt.method.method.to_string());
    let renewed = |of: &Quote| {
        let Line { resource, policy, term, old_expiry, new_expiry, total } = line(of);
        let data = Data {
            resource: Some(resource.clone()),
            account: Some(order.account.to_string()),
            order: Some(order.id.to_string()),
            origin: Some(order.origin.to_string()),
            policy: Some(policy),
            term: Some(term),
            old_expiry: Some(old_expiry),
            new_expiry: Some(new_expiry),
            total: Some(total),
            method: method.clone(),
            attempt,
            reference: reference.clone(),
            message: reason.clone(),
            ..Data::default()
        };
        Told { kind: EventKind::Renewed, subject: resource, data }
    };
    order.lines.iter().map(renewed).collect()
}

fn refund_ended(rows: &State, order: &OrderId, number: u32, result: &RefundResult) -> Vec<Told> {
    let (kind, reason, message, reference) = match result {
        RefundResult::Refunded { refund_reference } => {
            (EventKind::Refunded, None, None, Some(refund_reference.clone()))
        }
        RefundResult::Declined { code, message } => {
            (EventKind::Declined, Some(code.clone()), Some(message.clone()), None)
        }
        RefundResult::Unknown { detail } => {
            (EventKind::Unknown, Some("refund-unknown".to_owned()), Some(detail.clone()), None)
        }
        RefundResult::InFlight | RefundResult::Pending { .. } => return Vec::new(),
    };
    let Some(order) = rows.orders.get(order) else { return Vec::new() };
    let Some(refund) = order.refunds.iter().find(|refund| refund.number == number) else { return Vec::new() };
    let subject = refund.line().map_or_else(|| order.id.to_string(), ToString::to_string);
    let undone = undone(order, refund, result).map(line);
    let (old_expiry, new_expiry) = undone.map_or((None, None), |of| (Some(of.new_expiry), Some(of.old_expiry)));
    let data = Data { reason, message, reference, old_expiry, new_expiry, ..of_refund(order, refund) };
    vec![Told { kind, subject, data }]
}

/// The line whose renewal a refund takes back: the first money that goes back does, what follows is money only.
fn undone<'a>(order: &'a Order, refund: &Refund, result: &RefundResult) -> Option<&'a Quote> {
    let is_back = |result: &RefundResult| matches!(result, RefundResult::Refunded { .. });
    let before = |known: &&Refund| known.line() == refund.line() && known.number < refund.number;
    let first = !order.refunds.iter().filter(before).any(|known| is_back(&known.outcome));
    order.line(refund.line().filter(|_| first && is_back(result))?)
}

fn of_refund(order: &Order, refund: &Refund) -> Data {
    Data {
        resource: refund.line().map(ToString::to_string),
        account: Some(order.account.to_string()),
        order: Some(order.id.to_string()),
        amount: Some(refund.amount),
        method: order.attempt(refund.attempt).map(|attempt| attempt.method.method.to_string()),
        attempt: Some(refund.attempt),
        refund: Some(refund.number),
        ..Data::default()
    }
}

fn of_resource(rows: &State, resource: &ResourceId) -> Data {
    let account = rows.resources.get(resource).map(|row| row.description.account.to_string());
    Data { resource: Some(resource.to_string()), account, ..Data::default() }
}

fn zone(rows: &State, resource: &ResourceId) -> chrono_tz::Tz {
    rows.resources.get(resource).map_or(chrono_tz::UTC, |row| row.end.expiry.zone)
}

fn at_expiry(rows: &State, resource: &ResourceId, kind: EventKind, expiry: DateTime<Utc>) -> Told {
    let expiry = Some(rfc3339_in(expiry, zone(rows, resource)));
    Told { kind, subject: resource.to_string(), data: Data { expiry, ..of_resource(rows, resource) } }
}

fn mode_chosen(rows: &State, resource: &ResourceId, chosen: &ModeOverride) -> Told {
    let data = Data {
        mode: Some(chosen.mode.as_str().to_owned()),
        actor: Some(chosen.actor.clone()),
        message: chosen.reason.clone(),
        until: chosen.until.map(|until| rfc3339_in(until, zone(rows, resource))),
        ..Data::default()
    };
    mode_changed(rows, resource, data)
}

fn mode_changed(rows: &State, resource: &ResourceId, data: Data) -> Told {
    let Data { resource: named, account, .. } = of_resource(rows, resource);
    let data = Data { resource: named, account, ..data };
    Told { kind: EventKind::ModeChanged, subject: resource.to_string(), data }
}
