//! Placing orders: quotes become an order, open or held.

use super::holds::limit_holds;
use crate::documents::AccountMethod;
use crate::event::{Event, UseKey};
use crate::ids::{AccountName, Digest, OrderId};
use crate::money::Money;
use crate::order::{Hold, MonthKey, ORDER_EXPIRES_HOURS, ORDER_LINES_MAX, Order, OrderStatus, Origin};
use crate::quote::{Prepared, Quote, frozen_refusal};
use crate::refusal::{Reason, Refusal};
use crate::state::State;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

/// An order to be placed. All quotes are of one account and currency.
#[derive(Debug, Clone)]
pub struct Placing {
    /// The payer.
    pub account: AccountName,
    /// Methods in the order in which they are tried.
    pub methods: Vec<AccountMethod>,
    /// What the order comes from.
    pub origin: Origin,
    /// The accepted quotes.
    pub quotes: Vec<Quote>,
    /// Holds beside those of the limits, for instance a request's `maxTotal`.
    pub holds: Vec<Hold>,
    /// Number that no other order of this store was placed at: the journal's next sequence.
    pub sequence: u64,
}

/// Checks that one quote can still be accepted.
///
/// # Errors
/// Why not: the resource moved, is frozen, or is in another order; the quote is stale; the request is used up.
pub fn check_quote(state: &State, quote: &Quote, origin: &Origin, now: DateTime<Utc>) -> Result<(), Refusal> {
    let prepared = &quote.prepared;
    let Some(resource) = state.resources.get(&prepared.resource) else {
        return Err(Refusal::new(Reason::NoResource, format!("there is no resource `{}`", prepared.resource)));
    };
    check_use(state, quote, origin)?;
    if let Some(freeze) = &resource.freeze {
        return Err(frozen_refusal(freeze));
    }
    if let Some(order) = &resource.open_order {
        return Err(open_order_refusal(order));
    }
    if !prepared.extends(resource) {
        return Err(Refusal::new(
            Reason::ExpiryMoved,
            format!(
                "it now expires on {}, not on {} as quoted",
                resource.end.expiry.rfc3339(),
                prepared.old_end.expiry.rfc3339()
            ),
        )
        .hint("quote it again"));
    }
    if quote.valid_until <= now && !crate::planted::is("quote-never-stale") {
        return Err(Refusal::new(
            Reason::StaleQuote,
            format!(
                "the quote was valid until {}",
                crate::calendar::rfc3339_in(quote.valid_until, prepared.old_end.expiry.zone)
            ),
        )
        .hint("quote it again"));
    }
    Ok(())
}

fn check_use(state: &State, quote: &Quote, origin: &Origin) -> Result<(), Refusal> {
    let Some(request) = origin.request() else { return Ok(()) };
    let key = UseKey { request: request.clone(), resource: quote.prepared.resource.clone() };
    match state.uses.get(&key) {
        Some(used) if used.done && !crate::planted::is("request-unchecked") => Err(Refusal::new(
            Reason::AlreadyRenewed,
            format!("request `{request}` was used for it by order {}", used.order),
        )),
        Some(_) | None => Ok(()),
    }
}

fn open_order_refusal(order: &OrderId) -> Refusal {
    Refusal::new(Reason::OpenOrder, format!("it is in the open order {order}"))
        .hint(format!("`renewd orders pay {order}` or `renewd orders cancel {order}`"))
}

/// Whether two quotes promise the same renewal: dates and total alike.
pub fn same_renewal(left: &Quote, right: &Quote) -> bool {
    let extends_the_same = left.prepared.generation == right.prepared.generation
        && left.prepared.dates.new_expiry.instant() == right.prepared.dates.new_expiry.instant();
    left.prepared.resource == right.prepared.resource
        && left.prepared.account == right.prepared.account
        && (extends_the_same || crate::planted::is("no-compare-and-set"))
        && left.prepared.dates.term == right.prepared.dates.term
        && left.total == right.total
}

/// Places one order.
///
/// # Errors
/// A quote that cannot be accepted (see [`check_quote`]) or stands there twice, no method, too many lines, or a total
/// that is too large.
pub fn place(state: &State, placing: Placing, now: DateTime<Utc>) -> Result<(Order, Vec<Event>), Refusal> {
    if placing.methods.is_empty() {
        return Err(Refusal::new(
            Reason::NoPaymentMethod,
            format!("account {} has no payment method", placing.account),
        )
        .hint("list some under `paymentMethods` of the account"));
    }
    let Some(account) = state.account(&placing.account) else {
        return Err(Refusal::new(Reason::NoAccount, format!("there is no account `{}`", placing.account)));
    };
    if placing.quotes.is_empty() || ORDER_LINES_MAX < placing.quotes.len() {
        return Err(Refusal::new(
            Reason::OrderState,
            format!("an order has 1 to {ORDER_LINES_MAX} lines, not {}", placing.quotes.len()),
        ));
    }
    check_one_account(&placing)?;
    for quote in &placing.quotes {
        check_quote(state, quote, &placing.origin, now)?;
    }
    let total = Money::sum(account.currency, placing.quotes.iter().map(|quote| quote.total))
        .map_err(|error| Refusal::new(Reason::PricingFailed, error.to_string()))?;
    let month = MonthKey::of(now, account.time_zone);
    let mut holds = limit_holds(state, account, &placing.quotes, &month);
    holds.extend(placing.holds);
    let order = Order {
        id: order_id(&placing.account, &placing.quotes, placing.sequence),
        account: placing.account,
        methods: placing.methods,
        origin: placing.origin,
        adopted_by: Vec::new(),
        lines: placing.quotes,
        total,
        placed_at: now,
        expires_at: now.checked_add_signed(TimeDelta::hours(ORDER_EXPIRES_HOURS)).unwrap_or(now),
        time_zone: account.time_zone,
        month,
        status: if holds.is_empty() { OrderStatus::Open } else { OrderStatus::Held },
        holds,
        sought: None,
        attempts: Vec::new(),
        refunds: Vec::new(),
    };
    let events = vec![Event::OrderPlaced { order: Box::new(order.clone()) }];
    Ok((order, events))
}

/// The quotes may come from a file: each must be of the payer's own resources, and none may stand there twice, which
/// would be paid twice and extended once.
fn check_one_account(placing: &Placing) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for quote in &placing.quotes {
        let Prepared { resource, account, .. } = &quote.prepared;
        if *account != placing.account {
            return Err(Refusal::new(
                Reason::NoAccount,
                format!("{resource} was quoted for account {account}, not for {}", placing.account),
            ));
        }
        if !seen.insert(resource) {
            return Err(Refusal::new(Reason::OpenOrder, format!("{resource} stands twice in the order"))
                .hint("name each resource once"));
        }
    }
    Ok(())
}

fn order_id(account: &AccountName, quotes: &[Quote], sequence: u64) -> OrderId {
    let keys: Vec<Digest> = quotes.iter().map(|quote| quote.prepared.renewal_key()).collect();
    let number = sequence.to_be_bytes();
    let mut parts: Vec<&[u8]> = vec![b"order", account.as_str().as_bytes(), &number];
    parts.extend(keys.iter().map(|key| key.as_bytes().as_slice()));
    OrderId::from_key(&Digest::of_parts(parts))
}

/// Whether an order may be adopted: not by a request that is used up for one of its resources.
pub fn may_adopt(state: &State, order: &Order, origin: &Origin) -> bool {
    order.lines.iter().all(|line| check_use(state, line, origin).is_ok())
}

/// Lets a request adopt an open order (see [`may_adopt`]) that another, or nobody, had asked for: it uses the
/// request up as well. `methods`: what the request wants it to be paid with, where it says so. Over the request's limit
/// it is held; adopting never releases a hold.
pub fn adopt(order: &Order, origin: &Origin, methods: Option<Vec<AccountMethod>>, over: Option<&Hold>) -> Vec<Event> {
    let Some(request) = origin.request() else { return Vec::new() };
    if order.requests().any(|known| known == request) {
        return Vec::new();
    }
    let methods = methods.filter(|methods| *methods != order.methods);
    let mut events = vec![Event::OrderAdopted { order: order.id.clone(), request: request.clone(), methods }];
    let hold = over.filter(|_| order.status == OrderStatus::Open);
    events.extend(hold.map(|hold| Event::OrderHeld {
        order: order.id.clone(),
        hold: hold.clone(),
        sought: order.sought,
        month: None,
    }));
    events
}
