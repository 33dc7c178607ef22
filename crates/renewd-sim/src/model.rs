//! The auditor's own model: accounts, resources and orders as the journal's records tell of them, added up here anew.
//!
//! Nothing of the product's own sums is used. Every record is held against the bank's ledger when it is read.

use crate::bank::{Bank, ChargeState, RefundState};
use crate::rules::Rules;
use renewd_core::documents::Windows;
use renewd_core::event::Event;
use renewd_core::ids::{AccountName, OrderId, ResourceId};
use renewd_core::order::{Attempt, Order, Origin, Outcome, Payment, Refund, RefundCause, RefundResult};
use renewd_core::quote::Quote;
use renewd_core::refusal::Reason;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// One line of an order.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) resource: String,
    pub(crate) old: i64,
    pub(crate) new: i64,
    total: Decimal,
    windows: Windows,
    quote: Box<Quote>,
}

/// One try to collect.
#[derive(Debug, Clone)]
pub(crate) struct Try {
    /// The gateway that was asked, and the key; after it paid, those of the charge that did.
    pub(crate) gateway: String,
    pub(crate) key: String,
    pub(crate) by_balance: bool,
    pub(crate) open: bool,
    pub(crate) succeeded: bool,
    /// The gateway has shown its charge after it was taken for declined, and has not said its end.
    shown: bool,
    /// Its order would have cost something else when it began.
    old_price: bool,
}

/// One try to give back.
#[derive(Debug, Clone)]
struct Back {
    key: String,
    line: Option<String>,
    attempt: u32,
    amount: Decimal,
    done: bool,
    declined: bool,
}

/// An order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ordered {
    pub(crate) account: String,
    currency: String,
    total: Decimal,
    pub(crate) lines: Vec<Line>,
    pub(crate) tries: BTreeMap<u32, Try>,
    backs: BTreeMap<u32, Back>,
    requests: Vec<String>,
    /// The attempt that paid it; 0 where nothing was to pay.
    pub(crate) settled: Option<u32>,
    /// A person said, and was wrong, that it was paid.
    pub(crate) misled: bool,
    /// A person said, and was wrong, that money had not gone back.
    pub(crate) misled_of_refund: bool,
    by_itself: bool,
    /// Nobody has approved it since it was held.
    pub(crate) held: bool,
    /// What people read of the charge for which it is held.
    told: Option<String>,
    pub(crate) closed: bool,
    undone: Vec<String>,
}

/// A row that records were about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Touched {
    Resource(ResourceId),
    Order(OrderId),
    Account(AccountName),
}

/// The model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) expiries: BTreeMap<String, i64>,
    pub(crate) orders: BTreeMap<String, Ordered>,
    pub(crate) balances: BTreeMap<(String, String), Decimal>,
    topups: BTreeMap<(String, String), Decimal>,
    used: BTreeMap<(String, String), String>,
    keys: BTreeMap<(String, String), String>,
    /// Resources whose expiry an inventory has moved.
    moved: BTreeSet<String>,
    pub(crate) renewals: u64,
    /// What the records were about since somebody last looked.
    pub(crate) touched: BTreeSet<Touched>,
    /// Documents and calendar.
    pub(crate) rules: Rules,
    /// Records of each kind.
    pub(crate) events: BTreeMap<&'static str, u32>,
    /// The record was read before: the bank has gone on since.
    pub(crate) again: bool,
}

/// What is wrong, in words that begin with the name of an invariant.
pub(crate) type Wrong = String;

fn ensure(holds: bool, wrong: impl FnOnce() -> Wrong) -> Result<(), Wrong> {
    if holds { Ok(()) } else { Err(wrong()) }
}

impl Model {
    /// Takes in one record, at a second since 1970.
    pub(crate) fn read(&mut self, at: i64, event: &Event, bank: &mut Bank, blobs: &Path) -> Result<(), Wrong> {
        self.rules.read(event, blobs)?;
        *self.events.entry(kind(event)).or_default() += 1;
        if let Event::ResourceAdded { resource } = event {
            self.touched.insert(Touched::Resource(resource.id.clone()));
            self.expiries.insert(resource.id.to_string(), resource.end.expiry.instant().timestamp());
        } else if let Event::ResourceImported { resource, change } = event {
            self.touched.insert(Touched::Resource(resource.clone()));
            if let Some(end) = &change.end {
                let open = |order: &&Ordered| {
                    let is_in = order.lines.iter().any(|line| line.resource == resource.as_str());
                    is_in && order.tries.values().any(|it| it.open && !it.by_balance)
                };
                ensure(!self.orders.values().any(|order| open(&order)), || {
                    format!("moved-while-open: an inventory moves {resource}, whose payment is not decided")
                })?;
                self.moved.insert(resource.to_string());
                self.expiries.insert(resource.to_string(), end.expiry.instant().timestamp());
            }
        } else if let Event::OrderPlaced { order } = event {
            self.rules.placed(order, at, bank.clock_went_back)?;
            self.placed(order)?;
        } else if let Event::BalanceToppedUp { account, amount, reference } = event {
            self.touched.insert(Touched::Account(account.clone()));
            let name = (account.to_string(), reference.clone());
            ensure(self.topups.insert(name, amount.amount()).is_none(), || {
                format!("topup-once: {account} was topped up twice under {reference}")
            })?;
            self.book(account.as_str(), amount.currency().code(), amount.amount())?;
        } else if let Event::PhaseEntered { resource, phase, expiry } = event {
            let known = self.expiries.get(resource.as_str()).copied();
            if *phase == renewd_core::resource::Phase::Released {
                ensure(known == Some(expiry.timestamp()), || {
                    format!("released-early: {resource} is released around {expiry}, and expires at {known:?}")
                })?;
                self.rules.may_release(resource.as_str(), expiry.timestamp(), at)?;
            }
        } else if let Some(order) = event.order() {
            let id = order.to_string();
            let known = self.orders.remove(&id).ok_or_else(|| format!("unknown-order: {id}"))?;
            self.touched.insert(Touched::Order(order.clone()));
            self.touched.extend(AccountName::new(known.account.as_str()).map(Touched::Account));
            let resources = known.lines.iter().map(|line| line.quote.prepared.resource.clone());
            self.touched.extend(resources.map(Touched::Resource));
            let order = self.read_of_order(&id, known, event, bank)?;
            self.orders.insert(id, order);
        }
        Ok(())
    }

    fn placed(&mut self, order: &Order) -> Result<(), Wrong> {
        let id = order.id.to_string();
        let lines: Vec<Line> = order
            .lines
            .iter()
            .map(|line| Line {
                resource: line.prepared.resource.to_string(),
                old: line.prepared.old_end.expiry.instant().timestamp(),
                new: line.prepared.new_expiry().instant().timestamp(),
                total: line.total.amount(),
                windows: line.prepared.windows,
                quote: Box::new(line.clone()),
            })
            .collect();
        for line in &lines {
            ensure(self.expiries.get(&line.resource) == Some(&line.old), || {
                format!("placed-elsewhere: {id} would extend {} from {}", line.resource, line.old)
            })?;
            let elsewhere = self.orders.iter().find(|(other, it)| {
                **other != id && !it.closed && it.lines.iter().any(|other| other.resource == line.resource)
            });
            ensure(elsewhere.is_none(), || {
                format!("two-open-orders: {} is in {id} and {}", line.resource, elsewhere.map_or("", |it| it.0))
            })?;
        }
        let sum: Decimal = lines.iter().map(|line| line.total).sum();
        ensure(sum == order.total.amount(), || format!("sums: the lines of {id} cost {sum}, not {}", order.total))?;
        ensure(!self.orders.contains_key(&id), || format!("order-twice: {id}"))?;
        let requests = match &order.origin {
            Origin::Request { request } => vec![request.to_string()],
            Origin::Manual | Origin::Auto => Vec::new(),
        };
        let ordered = Ordered {
            account: order.account.to_string(),
            currency: order.total.currency().code().to_owned(),
            total: order.total.amount(),
            lines,
            requests,
            by_itself: order.origin == Origin::Auto,
            held: !order.holds.is_empty(),
            ..Ordered::default()
        };
        self.orders.insert(id, ordered);
        Ok(())
    }

    fn book(&mut self, account: &str, currency: &str, change: Decimal) -> Result<(), Wrong> {
        let balance = self.balances.entry((account.to_owned(), currency.to_owned())).or_default();
        *balance += change;
        ensure(Decimal::ZERO <= *balance, || format!("overdrawn: the balance of {account} is {balance} {currency}"))
    }

    fn read_of_order(
        &mut self,
        id: &str,
        mut order: Ordered,
        event: &Event,
        bank: &mut Bank,
    ) -> Result<Ordered, Wrong> {
        if let Event::AttemptStarted { attempt, .. } = event {
            self.attempt_started(id, &mut order, attempt)?;
        } else if let Event::AttemptEnded { number, result, .. } = event {
            attempt_ended(id, &mut order, *number, result, bank)?;
        } else if let Event::AttemptChecked { number, next, shown, .. } = event {
            if let Some(it) = order.tries.get_mut(number) {
                it.shown = !it.open && next.is_some() && (it.shown || shown.is_some());
            }
        } else if let Event::ResolvedDeclined { number, .. } = event {
            if let Some(it) = order.tries.get_mut(number) {
                (it.open, it.shown) = (false, false);
                // A person may be wrong, and then two charges stand for a while.
                let tick = bank.tick();
                if let Some(charge) = bank.by_key(&it.gateway, &it.key) {
                    charge.given_up.get_or_insert(tick);
                }
            }
        } else if let Event::LateSuccess { number, .. } = event {
            self.late_success(id, &mut order, *number, bank)?;
        } else if let Event::OrderSettled { payment, .. } = event {
            self.settled(id, &mut order, payment, bank)?;
        } else if let Event::RefundStarted { refund, .. } = event {
            self.nothing_ordered_on(&order, refund)?;
            refund_started(id, &mut order, refund)?;
            let renewed_again = refund.line().filter(|line| self.rules.is_auto(line.as_str()));
            ensure(renewed_again.is_none(), || {
                format!("given-back-and-auto: {renewed_again:?} of {id} is given back, and would be renewed by itself")
            })?;
        } else if let Event::RefundEnded { number, result, .. } = event {
            if let RefundResult::Refunded { .. } = result {
                self.refunded(id, &mut order, *number, bank)?;
            } else if let RefundResult::Declined { code, .. } = result {
                if let Some(back) = order.backs.get_mut(number) {
                    back.declined = true;
                }
                if code != "resolved" {
                    return Ok(order);
                }
                ensure(bank.misled_of_refunds.contains(id), || {
                    format!("word-of-nobody: refund {number} of {id} is given up")
                })?;
                order.misled_of_refund = true;
            }
        } else if let Event::OrderCanceled { .. } | Event::OrderExpired { .. } = event {
            ensure(!order.tries.values().any(|it| it.open), || format!("closed-while-open: {id}"))?;
            ensure(order.settled.is_none(), || format!("closed-when-paid: {id}"))?;
            order.closed = true;
        } else if let Event::OrderAdopted { request, .. } = event {
            order.requests.push(request.to_string());
        } else if let Event::OrderHeld { hold, .. } = event {
            order.held = true;
            if hold.reason == Reason::ChargeFound {
                order.told = Some(hold.detail.clone());
            }
        } else if let Event::OrderApproved { .. } = event {
            order.held = false;
            if let Some(told) = order.told.take() {
                bank.accept(&told);
            }
        }
        Ok(order)
    }

    fn late_success(&mut self, id: &str, order: &mut Ordered, number: u32, bank: &mut Bank) -> Result<(), Wrong> {
        let Some(late) = order.tries.get(&number).cloned() else {
            return Err(format!("attempt-unknown: {number} of {id}"));
        };
        let paid = |it: &Ordered| it.paid_by().is_some_and(|it| it.is_same_charge(&late));
        if let Some((owner, _)) = self.orders.iter().find(|(_, it)| paid(it)) {
            return Err(format!("late-success-of-another: {id} gives back what {owner} was paid with"));
        }
        ensure(!order.paid_by().is_some_and(|it| it.is_same_charge(&late)), || {
            format!("paying-charge-given-back: {id} was paid with what attempt {number} gives back")
        })?;
        let taken = bank.by_key(&late.gateway, &late.key).is_some_and(|it| it.state == ChargeState::Captured);
        ensure(taken || bank.misled.contains(id), || format!("late-success-of-nothing: attempt {number} of {id}"))?;
        if let Some(it) = order.tries.get_mut(&number) {
            (it.open, it.succeeded) = (false, true);
        }
        Ok(())
    }

    fn attempt_started(&mut self, id: &str, order: &mut Ordered, attempt: &Attempt) -> Result<(), Wrong> {
        let number = attempt.number;
        ensure(!order.closed && order.settled.is_none(), || format!("attempt-on-closed: {number} of {id}"))?;
        ensure(!order.held, || format!("charged-while-held: attempt {number} of {id}, which nobody has approved"))?;
        ensure(!order.tries.values().any(|it| it.open), || {
            format!("attempt-while-open: attempt {number} of {id} begins and another is not decided")
        })?;
        ensure(!order.tries.values().any(|it| it.shown), || {
            format!("attempt-while-shown: attempt {number} of {id} begins, and the gateway still works on another")
        })?;
        for line in &order.lines {
            ensure(self.expiries.get(&line.resource) == Some(&line.old), || {
                format!("attempt-elsewhere: {id} would extend {} from {}", line.resource, line.old)
            })?;
            let open = |other: &&Ordered| {
                let shares = other.lines.iter().any(|it| it.resource == line.resource && it.old == line.old);
                shares && other.tries.values().any(|it| it.open && !it.by_balance)
            };
            ensure(!self.orders.values().any(|other| open(&other)), || {
                format!("frozen: {} is charged for {id} while another order's payment is not decided", line.resource)
            })?;
        }
        let old_price = !order.lines.iter().all(|line| self.rules.price_holds(&line.quote));
        let key = attempt.key.to_string();
        let owner = format!("{id}/{number}");
        let by_balance = attempt.method.method.is_balance();
        let gateway = attempt.document.as_ref().map(|plugin| plugin.name.to_string()).unwrap_or_default();
        if let Some(other) = self.keys.insert((gateway.clone(), key.clone()), owner.clone())
            && other != owner
            && !by_balance
        {
            // Two orders may have one key only where they buy the very same: the gateway then pays once.
            let same = other.split('/').next().and_then(|it| self.orders.get(it)).is_some_and(|it| {
                it.total == order.total && it.lines.len() == order.lines.len() && it.settled.is_none()
            });
            ensure(same, || format!("key-regenerated: {key} is for {owner} and {other}"))?;
        }
        order
            .tries
            .insert(number, Try { gateway, key, by_balance, open: true, succeeded: false, shown: false, old_price });
        Ok(())
    }

    fn settled(&mut self, id: &str, order: &mut Ordered, payment: &Payment, bank: &mut Bank) -> Result<(), Wrong> {
        ensure(order.settled.is_none() && !order.closed, || format!("settled-twice: {id}"))?;
        let (number, reference) = match payment {
            Payment::Nothing => {
                ensure(order.total.is_zero(), || format!("paid-by-nothing: {id} costs {}", order.total))?;
                (0, None)
            }
            Payment::Attempt { attempt, reference } => (*attempt, Some(reference)),
            Payment::Resolved { attempt, reference, .. } => {
                order.misled = bank.misled.contains(id);
                (*attempt, reference.as_ref())
            }
        };
        if let Some(it) = order.tries.get_mut(&number) {
            price_in_force(id, number, it, bank)?;
            (it.open, it.succeeded) = (false, true);
            if it.by_balance {
                let (account, currency, total) = (order.account.clone(), order.currency.clone(), order.total);
                self.book(&account, &currency, -total)?;
            } else {
                // A restored store takes a charge of the history that it lost, which another attempt had made.
                let charge = reference.and_then(|reference| bank.by_reference(&it.gateway, reference));
                it.key = charge.as_ref().map_or(it.key.clone(), |charge| charge.key.clone());
                let again = self.again;
                let fits = charge.is_some_and(|charge| {
                    let is_kept = again || charge.refunded_knowingly().is_zero();
                    charge.state == ChargeState::Captured
                        && is_kept
                        && charge.amount == order.total
                        && charge.currency == order.currency
                });
                ensure(fits || order.misled, || {
                    let total = order.total;
                    format!("extension-without-money: {id} is settled by attempt {number}, and no gateway took {total}")
                })?;
                let it = it.clone();
                let holds = |other: &Ordered| other.tries.values().any(|of| of.succeeded && of.is_same_charge(&it));
                if let Some((other, holder)) = self.orders.iter().find(|(_, other)| holds(other)) {
                    let name = match holder.paid_by().is_some_and(|paid| paid.is_same_charge(&it)) {
                        true => "paid-by-one-charge",
                        false => "late-success-of-another",
                    };
                    return Err(format!("{name}: {other} and {id} have the same charge"));
                }
            }
        }
        for line in &order.lines {
            self.rules.settled(&line.resource, line.windows, order.by_itself);
            let expiry = self.expiries.insert(line.resource.clone(), line.new);
            ensure(expiry == Some(line.old), || {
                format!(
                    "extended-from-elsewhere: {id} extends {} from {}, it stood at {expiry:?}",
                    line.resource, line.old
                )
            })?;
            for request in &order.requests {
                let other = self.used.insert((request.clone(), line.resource.clone()), id.to_owned());
                ensure(other.is_none(), || {
                    format!("request-twice: {} is renewed under {request} by {id} and {other:?}", line.resource)
                })?;
            }
        }
        self.renewals += 1;
        order.settled = Some(number);
        order.closed = true;
        Ok(())
    }

    /// INVARIANT (refund-under-open-order): a renewal is not given back while the one after it is ordered.
    /// More of one that went back already may follow at any time.
    fn nothing_ordered_on(&self, order: &Ordered, refund: &Refund) -> Result<(), Wrong> {
        let RefundCause::Line { resource } = &refund.cause else { return Ok(()) };
        if order.undone.iter().any(|undone| undone == resource.as_str()) {
            return Ok(());
        }
        let orders_it = |order: &Ordered| order.lines.iter().any(|line| line.resource == resource.as_str());
        let open = self.orders.iter().find(|(_, order)| !order.closed && orders_it(order));
        open.map_or(Ok(()), |(id, _)| Err(format!("refund-under-open-order: {resource} goes back, and is in {id}")))
    }

    fn refunded(&mut self, id: &str, order: &mut Ordered, number: u32, bank: &mut Bank) -> Result<(), Wrong> {
        let Some(back) = order.backs.get_mut(&number) else { return Err(format!("refund-unknown: {number} of {id}")) };
        ensure(!back.done, || format!("refunded-twice: refund {number} of {id}"))?;
        back.done = true;
        let back = back.clone();
        let (account, currency) = (order.account.clone(), order.currency.clone());
        match order.tries.get(&back.attempt) {
            Some(it) if it.by_balance => self.book(&account, &currency, back.amount)?,
            Some(it) => {
                let charge = bank.by_key(&it.gateway, &it.key);
                let done = charge.is_some_and(|charge| {
                    let same = |it: &&crate::bank::Refund| it.key == back.key && it.amount == back.amount;
                    charge.refunds.iter().filter(same).any(|it| it.state == RefundState::Done)
                });
                ensure(done || bank.misled_of_refunds.contains(id), || {
                    format!("refund-of-nothing: refund {number} of {id}")
                })?;
            }
            None => return Err(format!("refund-of-no-attempt: refund {number} of {id}")),
        }
        let Some(resource) = back.line else { return Ok(()) };
        let line = order.lines.iter().find(|line| line.resource == resource);
        let line = line.ok_or_else(|| format!("refund-of-no-line: {resource} in {id}"))?.clone();
        let sum: Decimal =
            order.backs.values().filter(|it| it.done && it.line.as_ref() == Some(&resource)).map(|it| it.amount).sum();
        ensure(sum <= line.total, || format!("refunded-too-much: {sum} of {} for {resource} in {id}", line.total))?;
        if !order.undone.contains(&resource) {
            order.undone.push(resource.clone());
            let stands = self.expiries.get(&resource) == Some(&line.new);
            ensure(stands || self.moved.contains(&resource), || {
                format!("refund-of-older: {id} gives {resource} back, which was renewed again since")
            })?;
            if stands {
                self.expiries.insert(resource, line.old);
            }
        }
        Ok(())
    }
}

/// INVARIANT (price-in-force): an attempt asks for what the order costs when it begins. One that only takes a charge of
/// the lost history asks for nothing.
fn price_in_force(id: &str, number: u32, it: &Try, bank: &mut Bank) -> Result<(), Wrong> {
    let own = bank.by_key(&it.gateway, &it.key).is_some_and(|charge| charge.order == id && !charge.lost);
    ensure(!it.old_price || !(own || it.by_balance), || {
        format!("charged-old-price: attempt {number} of {id} asked for what it would not cost any more")
    })
}

/// What kind of record it is: an exhaustive list, so that a new kind has to be thought of here.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::DocumentPut { .. } => "document-put",
        Event::DocumentRemoved { .. } => "document-removed",
        Event::RevisionApplied { .. } => "revision-applied",
        Event::WindowsCaptured { .. } => "windows-captured",
        Event::ResourceAdded { .. } => "resource-added",
        Event::ResourceImported { .. } => "resource-imported",
        Event::ResourceFrozen { .. } => "resource-frozen",
        Event::ResourceThawed { .. } => "resource-thawed",
        Event::ModeChosen { .. } => "mode-chosen",
        Event::ModeReturned { .. } => "mode-returned",
        Event::OrderPlaced { .. } => "order-placed",
        Event::OrderAdopted { .. } => "order-adopted",
        Event::OrderApproved { .. } => "order-approved",
        Event::OrderHeld { .. } => "order-held",
        Event::OrderCanceled { .. } => "order-canceled",
        Event::OrderExpired { .. } => "order-expired",
        Event::AttemptStarted { .. } => "attempt-started",
        Event::AttemptEnded { .. } => "attempt-ended",
        Event::AttemptChecked { .. } => "attempt-checked",
        Event::LateSuccess { .. } => "late-success",
        Event::RefundStarted { .. } => "refund-started",
        Event::RefundEnded { .. } => "refund-ended",
        Event::RefundChecked { .. } => "refund-checked",
        Event::OrderSettled { .. } => "order-settled",
        Event::ResolvedDeclined { .. } => "resolved-declined",
        Event::PhaseEntered { .. } => "phase-entered",
        Event::ResourceConverted { .. } => "resource-converted",
        Event::ResourceEnded { .. } => "resource-ended",
        Event::AutoFailed { .. } => "auto-failed",
        Event::AutoFinished { .. } => "auto-finished",
        Event::BalanceToppedUp { .. } => "balance-topped-up",
        Event::EventsDelivered { .. } => "events-delivered",
    }
}

fn attempt_ended(id: &str, order: &mut Ordered, number: u32, result: &Outcome, bank: &mut Bank) -> Result<(), Wrong> {
    let Some(it) = order.tries.get_mut(&number) else { return Err(format!("attempt-unknown: {number} of {id}")) };
    let declined = matches!(result, Outcome::Declined { .. } | Outcome::PriceMoved { .. });
    (it.open, it.shown) = (!declined, false);
    price_in_force(id, number, it, bank)?;
    if declined && !it.by_balance {
        let of_order = |charge: &&mut crate::bank::Charge| {
            charge.order == id && charge.given_up.is_none() && charge.may_have_moved() && !charge.is_all_back()
        };
        let taken = bank.by_key(&it.gateway, &it.key).filter(of_order);
        let undecided = taken.filter(|charge| !matches!(charge.state, ChargeState::Action(..)));
        ensure(undecided.is_none(), || format!("money-read-as-decline: attempt {number} of {id}: {result:?}"))?;
    }
    Ok(())
}

fn refund_started(id: &str, order: &mut Ordered, refund: &Refund) -> Result<(), Wrong> {
    let line = match &refund.cause {
        RefundCause::Line { resource } => Some(resource.to_string()),
        RefundCause::LateSuccess => None,
    };
    ensure(line.is_none() || order.settled.is_some(), || format!("refund-of-unpaid: {id}"))?;
    let back = Back {
        key: refund.key.to_string(),
        line,
        attempt: refund.attempt,
        amount: refund.amount.amount(),
        done: false,
        declined: false,
    };
    ensure(order.backs.insert(refund.number, back).is_none(), || format!("refund-number-twice: {id}"))
}

impl Ordered {
    /// Whether a gateway, or a person, said that nothing of an attempt is given back.
    pub(crate) fn is_denied_back(&self, attempt: u32) -> bool {
        self.backs.values().any(|it| it.attempt == attempt && it.line.is_none() && it.declined)
    }

    /// Whether a refund has not ended.
    pub(crate) fn goes_back(&self) -> bool {
        self.backs.values().any(|it| !it.done && !it.declined)
    }
}

impl Try {
    /// Whether both have the same charge of the same gateway.
    fn is_same_charge(&self, other: &Self) -> bool {
        !self.by_balance && !other.by_balance && self.gateway == other.gateway && self.key == other.key
    }
}

impl Ordered {
    /// The attempt that paid it.
    pub(crate) fn paid_by(&self) -> Option<&Try> {
        self.settled.and_then(|number| self.tries.get(&number))
    }

    /// What went back of an attempt, as the journal has it.
    pub(crate) fn given_back(&self, attempt: u32) -> Decimal {
        self.backs.values().filter(|it| it.done && it.attempt == attempt).map(|it| it.amount).sum()
    }
}

impl Model {
    /// What settled orders cost that gateways were paid for, less what went back, by currency.
    pub(crate) fn paid_to_gateways(&self) -> BTreeMap<String, Decimal> {
        let mut sums = BTreeMap::new();
        for order in self.orders.values() {
            let Some(number) = order.settled else { continue };
            if !order.misled && order.tries.get(&number).is_some_and(|it| !it.by_balance) {
                let sum: &mut Decimal = sums.entry(order.currency.clone()).or_default();
                *sum += order.total - order.given_back(number);
            }
        }
        sums
    }
}
