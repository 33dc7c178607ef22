//! Events in one sentence each, for histories.

use crate::orders::outcome_words;
use crate::view::EventView;
use renewd_core::calendar::rfc3339_in;
use renewd_core::event::{Event, ImportChange};
use renewd_core::ids::OrderId;
use renewd_core::order::{Order, Payment, RefundResult};
use renewd_core::resource::{ModeOverride, Phase};
use renewd_store::HistoryEntry;

/// Entries of a history, oldest first, with times in a zone.
pub(crate) fn history(entries: Vec<HistoryEntry>, zone: chrono_tz::Tz) -> Vec<EventView> {
    entries
        .into_iter()
        .map(|entry| EventView {
            sequence: entry.sequence.get(),
            at: rfc3339_in(entry.at, zone),
            actor: entry.actor,
            command: entry.command,
            what: sentence(&entry.event, zone),
        })
        .collect()
}

fn because(reason: Option<&String>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

fn sentence(event: &Event, zone: chrono_tz::Tz) -> String {
    match event {
        Event::DocumentPut { document } => format!("{} was applied", document.key()),
        Event::DocumentRemoved { key } => format!("{key} was removed"),
        Event::RevisionApplied { revision, .. } => format!("revision {revision} took effect"),
        Event::WindowsCaptured { policy, windows, .. } => format!(
            "policy {policy} gave it its windows: expiring {}, grace {}, retention {}",
            windows.expiring, windows.grace, windows.retention
        ),
        Event::ResourceAdded { resource } => format!("imported, expiring {}", resource.end.expiry.rfc3339()),
        Event::ResourceImported { change, .. } => import_sentence(change),
        Event::ResourceFrozen { freeze, .. } => format!("frozen: {freeze}"),
        Event::ResourceThawed { .. } => "no longer frozen".to_owned(),
        Event::ModeChosen { chosen, .. } => chose(chosen),
        Event::ModeReturned { .. } => "given back to its policy".to_owned(),
        Event::OrderPlaced { order } => placed(order),
        Event::OrderAdopted { order, request, .. } => format!("request {request} adopted order {order}"),
        Event::OrderApproved { order, reason } => format!("order {order} was approved{}", because(reason.as_ref())),
        Event::OrderCanceled { order, reason } => format!("order {order} was canceled{}", because(reason.as_ref())),
        Event::OrderExpired { order } => format!("order {order} expired unpaid"),
        Event::AttemptStarted { order, attempt } => {
            format!("attempt {} to pay order {order} with {} began", attempt.number, attempt.method.method)
        }
        Event::AttemptEnded { order, number, result, .. } => {
            let (word, detail) = outcome_words(result);
            format!("attempt {number} to pay order {order}: {word}{}", because(detail.as_ref()))
        }
        Event::OrderHeld { order, hold, .. } => format!("order {order} was held: {}", hold.detail),
        Event::AttemptChecked { order, number, detail, .. } => {
            format!("the gateway was asked about attempt {number} of order {order}: {detail}")
        }
        Event::LateSuccess { order, number, reference } => {
            format!("attempt {number} of order {order} succeeded too late ({reference}); its money goes back")
        }
        Event::RefundStarted { order, refund } => {
            let what = refund.line().map_or_else(String::new, |resource| format!(" for {resource}"));
            format!("refund {} of order {order} began: {}{what}: {}", refund.number, refund.amount, refund.reason)
        }
        Event::RefundEnded { order, number, result } => format!("refund {number} of order {order} {}", went(result)),
        Event::RefundChecked { order, number, detail, .. } => {
            format!("the gateway was asked about refund {number} of order {order}: {detail}")
        }
        Event::PhaseEntered { phase, expiry, .. } => {
            format!("{} (expiry {})", entered(*phase), rfc3339_in(*expiry, zone))
        }
        Event::ResourceConverted { expiry, .. } => {
            format!("pay-per-use since its expiry, {}", rfc3339_in(*expiry, zone))
        }
        Event::ResourceEnded { expiry, .. } => format!("ended at its expiry, {}", rfc3339_in(*expiry, zone)),
        Event::AutoFailed { refusal, .. } => format!("its automatic renewal failed: {refusal}"),
        Event::AutoFinished { renewals, .. } => {
            format!("renewed automatically for the last time (number {renewals}); it is manual from now on")
        }
        Event::OrderSettled { order, payment } => paid(order, payment),
        Event::ResolvedDeclined { order, number, reason } => {
            format!("attempt {number} of order {order} was found to have taken nothing: {reason}")
        }
        Event::BalanceToppedUp { amount, reference, .. } => format!("{amount} was added to the balance ({reference})"),
        Event::EventsDelivered { sink, through, failed: None } => {
            format!("sink {sink} was told everything up to record {through}")
        }
        Event::EventsDelivered { sink, through, failed: Some(why) } => {
            format!("sink {sink} could not be told more than record {through}: {why}")
        }
    }
}

fn chose(chosen: &ModeOverride) -> String {
    let until = chosen.until.map_or_else(String::new, |until| format!(" until {}", until.to_rfc3339()));
    format!("{} chose {}{until}{}", chosen.actor, chosen.mode, because(chosen.reason.as_ref()))
}

fn placed(order: &Order) -> String {
    let held = if order.holds.is_empty() { "" } else { ", held" };
    let lines = order.lines.len();
    let plural = if lines == 1 { "" } else { "s" };
    format!("order {} was placed{held}: {lines} line{plural}, {}, {}", order.id, order.total, order.origin)
}

fn paid(order: &OrderId, payment: &Payment) -> String {
    match payment {
        Payment::Nothing => format!("order {order} was settled: there was nothing to pay"),
        Payment::Attempt { attempt, reference } => {
            format!("order {order} was paid by attempt {attempt} ({reference}); the term is extended")
        }
        Payment::Resolved { attempt, reason, .. } => {
            format!("attempt {attempt} of order {order} was found to have succeeded: {reason}; the term is extended")
        }
    }
}

fn went(result: &RefundResult) -> String {
    match result {
        RefundResult::InFlight => "is under way".to_owned(),
        RefundResult::Refunded { refund_reference } => format!("went back ({refund_reference})"),
        RefundResult::Declined { code, message } => format!("was declined: {message} ({code})"),
        RefundResult::Pending { refund_reference } => format!("is pending ({refund_reference})"),
        RefundResult::Unknown { detail } => format!("has an end that nobody knows: {detail}"),
    }
}

fn entered(phase: Phase) -> &'static str {
    match phase {
        Phase::Active => "active",
        Phase::Expiring => "expires soon",
        Phase::Grace => "entered grace",
        Phase::Retention => "entered retention",
        Phase::Released => "released",
    }
}

fn import_sentence(change: &ImportChange) -> String {
    let mut words = Vec::new();
    if let Some(end) = &change.end {
        words.push(format!("expiry {} and anchor day {}", end.expiry.rfc3339(), end.anchor.get()));
    }
    if change.description.is_some() {
        words.push("its description".to_owned());
    }
    if change.price {
        words.push("its price".to_owned());
    }
    if words.is_empty() {
        "an inventory was imported again".to_owned()
    } else {
        format!("an inventory changed {}", words.join(", "))
    }
}
