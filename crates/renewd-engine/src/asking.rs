//! What gateways are asked, and their answers in the core's words.

use crate::pricing::local;
use chrono::{DateTime, TimeDelta, Utc};
use renewd_core::calendar::rfc3339_in;
use renewd_core::decide::{Earlier, FoundCharge, Seen};
use renewd_core::ids::{Digest, OrderId};
use renewd_core::order::{Attempt, Order, Outcome, Refund, RefundResult, Retry};
use renewd_core::quote::Quote;
use renewd_plugin_host as host;
use renewd_plugin_host::payment_wire::{ChargeLine, ChargeRef, ChargeRequest, RefundRef, RefundRequest};

/// Days before now from which a new store asks for earlier charges: a year's term, renewed a month early.
const SOUGHT_BACK_DAYS: i64 = 400;

/// The charge of an attempt.
pub(crate) fn charge_request(order: &Order, attempt: &Attempt) -> ChargeRequest {
    let zone = order.time_zone;
    ChargeRequest {
        order: order.id.to_string(),
        attempt: attempt.number,
        account: order.account.to_string(),
        method_reference: attempt.method.reference.clone(),
        currency: order.total.currency().code().to_owned(),
        minor_digits: order.total.currency().minor_digits(),
        amount: order.total.amount().to_string(),
        idempotency_key: attempt.key.to_string(),
        requested_at: rfc3339_in(attempt.started_at, zone),
        requested_on: attempt.started_at.with_timezone(&zone).date_naive().to_string(),
        lines: order
            .lines
            .iter()
            .map(|line| ChargeLine {
                item: line.prepared.resource.to_string(),
                external_id: None,
                description: format!("renewal of {} for {}", line.prepared.resource, line.prepared.dates.term),
                old_expiry: local(&line.prepared.old_end.expiry),
                new_expiry: local(line.prepared.new_expiry()),
                term: line.prepared.dates.term.to_string(),
                amount: line.total.amount().to_string(),
                key: line.prepared.line_key().to_string(),
            })
            .collect(),
        metadata: Vec::new(),
    }
}

/// Asks what became of an attempt.
pub(crate) fn charge_ref(order: &Order, attempt: &Attempt, now: DateTime<Utc>) -> ChargeRef {
    ChargeRef {
        order: order.id.to_string(),
        attempt: attempt.number,
        account: order.account.to_string(),
        method_reference: attempt.method.reference.clone(),
        idempotency_key: attempt.key.to_string(),
        currency: order.total.currency().code().to_owned(),
        minor_digits: order.total.currency().minor_digits(),
        amount: order.total.amount().to_string(),
        requested_at: rfc3339_in(attempt.started_at, order.time_zone),
        asked_at: rfc3339_in(now, order.time_zone),
        since: None,
        reference: attempt.reference().map(str::to_owned),
        line_keys: order.lines.iter().map(|line| line.prepared.line_key().to_string()).collect(),
        metadata: Vec::new(),
    }
}

/// Asks for any charge of an order's lines, before the first attempt of this store. `method_reference` is the account's
/// at the method.
pub(crate) fn earlier_ref(
    order: &Order,
    key: Digest,
    method_reference: Option<String>,
    now: DateTime<Utc>,
) -> ChargeRef {
    let since = now.checked_sub_signed(TimeDelta::days(SOUGHT_BACK_DAYS)).unwrap_or(now);
    let now = rfc3339_in(now, order.time_zone);
    ChargeRef {
        order: order.id.to_string(),
        attempt: u32::try_from(order.attempts.len()).unwrap_or(u32::MAX).saturating_add(1),
        account: order.account.to_string(),
        method_reference,
        idempotency_key: key.to_string(),
        currency: order.total.currency().code().to_owned(),
        minor_digits: order.total.currency().minor_digits(),
        amount: order.total.amount().to_string(),
        requested_at: now.clone(),
        asked_at: now,
        since: Some(rfc3339_in(since, order.time_zone)),
        reference: None,
        line_keys: order.lines.iter().map(|line| line.prepared.line_key().to_string()).collect(),
        metadata: Vec::new(),
    }
}

/// Asks for money back.
pub(crate) fn refund_request(order: &Order, refund: &Refund) -> RefundRequest {
    RefundRequest {
        order: order.id.to_string(),
        account: order.account.to_string(),
        reference: refund.reference.clone(),
        currency: refund.amount.currency().code().to_owned(),
        minor_digits: refund.amount.currency().minor_digits(),
        amount: refund.amount.amount().to_string(),
        idempotency_key: refund.key.to_string(),
        requested_at: rfc3339_in(refund.started_at, order.time_zone),
        reason: refund.reason.clone(),
        line_keys: refund_lines(order, refund),
        metadata: Vec::new(),
    }
}

fn refund_lines(order: &Order, refund: &Refund) -> Vec<String> {
    let undone = |line: &&Quote| refund.line().is_none_or(|resource| line.prepared.resource == *resource);
    order.lines.iter().filter(undone).map(|line| line.prepared.line_key().to_string()).collect()
}

/// Asks what became of a refund.
pub(crate) fn refund_ref(order: &Order, refund: &Refund, now: DateTime<Utc>) -> RefundRef {
    let known = match &refund.outcome {
        RefundResult::Refunded { refund_reference } | RefundResult::Pending { refund_reference } => {
            Some(refund_reference.clone())
        }
        RefundResult::InFlight | RefundResult::Declined { .. } | RefundResult::Unknown { .. } => None,
    };
    RefundRef {
        order: order.id.to_string(),
        account: order.account.to_string(),
        reference: refund.reference.clone(),
        refund_reference: known,
        currency: refund.amount.currency().code().to_owned(),
        minor_digits: refund.amount.currency().minor_digits(),
        amount: refund.amount.amount().to_string(),
        idempotency_key: refund.key.to_string(),
        requested_at: rfc3339_in(refund.started_at, order.time_zone),
        asked_at: rfc3339_in(now, order.time_zone),
        metadata: Vec::new(),
    }
}

/// What a charge answered. The amount must be the whole amount; anything else is unknown.
pub(crate) fn outcome(answer: host::Outcome, order: &Order) -> Outcome {
    use host::Outcome as Answer;
    match answer {
        Answer::Succeeded { reference, amount, .. }
            if amount == order.total || renewd_core::planted::is("amount-unchecked") =>
        {
            Outcome::Succeeded { reference }
        }
        Answer::Succeeded { reference, amount, .. } => Outcome::Unknown {
            detail: format!("the plugin took {amount} instead of {} as `{reference}`", order.total),
            reference: Some(reference),
        },
        Answer::Declined { code, message, retry, not_before } => Outcome::Declined {
            code,
            message,
            retry: retry_word(retry),
            not_before: not_before.map(|moment| moment.to_utc()),
        },
        Answer::Pending { reference } => Outcome::Pending { reference },
        Answer::RequiresAction { url, expires, reference } => {
            Outcome::RequiresAction { url, expires: expires.to_utc(), reference }
        }
        Answer::PriceMoved { actual } => Outcome::PriceMoved { actual },
        Answer::Unknown { reason, .. } if renewd_core::planted::is("timeout-is-declined") => {
            Outcome::declined("timeout", reason, Retry::Later)
        }
        Answer::Unknown { reason, reference } => Outcome::Unknown { detail: reason, reference },
    }
}

fn retry_word(retry: host::Retry) -> Retry {
    match retry {
        host::Retry::Never => Retry::Never,
        host::Retry::Later => Retry::Later,
        host::Retry::OtherMethod => Retry::OtherMethod,
    }
}

/// What `find-charge` answered.
pub(crate) fn seen(answer: host::FindResult, order: &Order) -> Seen {
    match answer {
        host::FindResult::Found(charge) => Seen::Found(found(charge, order)),
        host::FindResult::NotFound => Seen::NotFound,
        host::FindResult::Unknown { .. } if renewd_core::planted::is("cannot-tell-is-not-found") => Seen::NotFound,
        host::FindResult::Unknown { reason } => Seen::CannotTell { detail: reason },
    }
}

fn found(charge: host::FoundCharge, order: &Order) -> FoundCharge {
    FoundCharge {
        reference: charge.reference,
        amount: charge.amount,
        outcome: outcome(charge.outcome, order),
        line_keys: charge.line_keys,
        key: charge.key,
    }
}

/// What became of the search for earlier charges.
#[derive(Debug, Clone)]
pub(crate) enum Sought {
    /// The gateway knows none.
    None,
    /// It knows one, or several of other orders, made for these where it says so.
    Found(Earlier, Vec<OrderId>),
    /// Nobody can tell, so nothing may be charged.
    CannotTell(String),
}

/// The code of a decline that says that the money was taken and has gone back, wholly: nothing is left to be stopped.
const GIVEN_BACK: &str = "refunded";

/// Whether a charge that took no money could still take some, so that it has to be stopped before that is believed.
pub(crate) fn may_revive(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Declined { code, .. } if code != GIVEN_BACK)
}

/// Asks for earlier charges of an order's lines, before the first attempt, which would be made under this key. Where
/// there is one of other lines or another total, the gateway is asked again for the lines that are not in it: whoever
/// decides about it has to read of all.
pub(crate) fn seek(
    mut asked: ChargeRef,
    order: &Order,
    key: Digest,
    ask: impl Fn(&ChargeRef) -> host::FindResult,
) -> Sought {
    let mut others: Vec<String> = Vec::new();
    let mut made_for = Vec::new();
    loop {
        let answer = ask(&asked);
        let in_it = match &answer {
            host::FindResult::Found(charge) => charge.line_keys.clone(),
            host::FindResult::NotFound | host::FindResult::Unknown { .. } => Vec::new(),
        };
        match sought(answer, order, key) {
            Sought::Found(Earlier::Other { detail }, orders) => {
                others.push(detail);
                made_for.extend(orders);
            }
            // An attempt that took nothing is put down first; what others there are is found again after it.
            Sought::Found(earlier @ Earlier::Same { .. }, _) if !others.is_empty() && !earlier.took_nothing() => {
                others.push(format!("it has one over {}, too", order.total));
                break;
            }
            Sought::None => {}
            other @ (Sought::Found(Earlier::Same { .. }, _) | Sought::CannotTell(_)) => return other,
        }
        let lines = asked.line_keys.len();
        asked.line_keys.retain(|line| !in_it.contains(line));
        if asked.line_keys.is_empty() || asked.line_keys.len() == lines {
            break;
        }
    }
    if others.is_empty() {
        return Sought::None;
    }
    Sought::Found(Earlier::Other { detail: others.join("; ") }, made_for)
}

/// What `find-charge` answered before the first attempt, which would be made under this key. A charge of that very key
/// that took no money counts as an attempt: what the gateway keeps under the key must not be taken for the next one's.
fn sought(answer: host::FindResult, order: &Order, key: Digest) -> Sought {
    let (charge, made_for) = match answer {
        host::FindResult::Found(charge) => {
            let made_for = charge.order.clone();
            (found(charge, order), made_for)
        }
        host::FindResult::NotFound => return Sought::None,
        host::FindResult::Unknown { reason } => return Sought::CannotTell(reason),
    };
    let own = charge.key.as_deref().and_then(|text| text.parse::<Digest>().ok());
    let made_for = made_for.and_then(|id| OrderId::new(id).ok()).into_iter().collect();
    match (&charge.outcome, charge.differs_from(order)) {
        (Outcome::Declined { .. }, _) if own == Some(key) => {
            Sought::Found(Earlier::Same { outcome: charge.outcome, key: own }, made_for)
        }
        (Outcome::Declined { .. } | Outcome::PriceMoved { .. }, _) => Sought::None,
        (Outcome::Unknown { detail, .. }, None) => Sought::CannotTell(detail.clone()),
        (_, Some(detail)) => Sought::Found(Earlier::Other { detail }, made_for),
        (_, None) => Sought::Found(Earlier::Same { outcome: charge.outcome, key: own }, made_for),
    }
}

/// What `refund` answered. The amount must be the whole amount; anything else is unknown.
pub(crate) fn refund_result(answer: host::RefundOutcome, refund: &Refund) -> RefundResult {
    match answer {
        host::RefundOutcome::Refunded { reference, amount } if amount != refund.amount => RefundResult::Unknown {
            detail: format!("the gateway has given back {amount} instead of {} as `{reference}`", refund.amount),
        },
        host::RefundOutcome::Refunded { reference, .. } => RefundResult::Refunded { refund_reference: reference },
        host::RefundOutcome::Declined { code, message, .. } => RefundResult::Declined { code, message },
        host::RefundOutcome::Pending { reference } => RefundResult::Pending { refund_reference: reference },
        host::RefundOutcome::Unknown { reason } => RefundResult::Unknown { detail: reason },
    }
}
