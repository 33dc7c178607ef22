//! The auditor's own model: accounts, resources and orders as the journal's records tell of them, added up here anew.
//!
//! Nothing of the product's own sums is used. Every record is held against the bank's ledger when it is read.

use crate::bank::{Bank, ChargeState, RefundState};
use renewd_core::event::Event;
use renewd_core::order::{Attempt, Order, Origin, Outcome, Payment, Refund, RefundCause, RefundResult};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// One line of an order.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) resource: String,
    pub(crate) old: i64,
    pub(crate) new: i64,
    total: Decimal,
    months: i64,
}

/// One try to collect.
#[derive(Debug, Clone)]
pub(crate) struct Try {
    pub(crate) key: String,
    pub(crate) by_balance: bool,
    pub(crate) open: bool,
    pub(crate) succeeded: bool,
}

/// One try to give back.
#[derive(Debug, Clone)]
struct Back {
    key: String,
    line: Option<String>,
    attempt: u32,
    amount: Decimal,
    done: bool,
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
    /// A person said so.
    pub(crate) by_word: bool,
    pub(crate) closed: bool,
    undone: Vec<String>,
}

/// The model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) expiries: BTreeMap<String, i64>,
    pub(crate) orders: BTreeMap<String, Ordered>,
    pub(crate) balances: BTreeMap<(String, String), Decimal>,
    topups: BTreeMap<(String, String), Decimal>,
    used: BTreeMap<(String, String), String>,
    keys: BTreeMap<String, String>,
    /// Resources whose expiry an inventory has moved.
    moved: BTreeSet<String>,
    pub(crate) renewals: u64,
}

/// What is wrong, in words that begin with the name of an invariant.
pub(crate) type Wrong = String;

fn ensure(holds: bool, wrong: impl FnOnce() -> Wrong) -> Result<(), Wrong> {
    if holds { Ok(()) } else { Err(wrong()) }
}

impl Model {
    /// Takes in one record, at a second since 1970.
    pub(crate) fn read(&mut self, at: i64, event: &Event, bank: &mut Bank) -> Result<(), Wrong> {
        if let Event::ResourceAdded { resource } = event {
            self.expiries.insert(resource.id.to_string(), resource.end.expiry.instant().timestamp());
        } else if let Event::ResourceImported { resource, change } = event {
            if let Some(end) = &change.end {
                self.moved.insert(resource.to_string());
                self.expiries.insert(resource.to_string(), end.expiry.instant().timestamp());
            }
        } else if let Event::OrderPlaced { order } = event {
            self.placed(order)?;
        } else if let Event::BalanceToppedUp { account, amount, reference } = event {
            let name = (account.to_string(), reference.clone());
            ensure(self.topups.insert(name, amount.amount()).is_none(), || {
                format!("topup-once: {account} was topped up twice under {reference}")
            })?;
            self.book(account.as_str(), amount.currency().code(), amount.amount())?;
        } else if let Event::PhaseEntered { resource, phase, expiry } = event {
            let known = self.expiries.get(resource.as_str()).copied();
            if *phase == renewd_core::resource::Phase::Released {
                ensure(known == Some(expiry.timestamp()) && expiry.timestamp() < at, || {
                    format!("released-early: {resource} is released around {expiry}, and expires at {known:?}")
                })?;
            }
        } else if let Some(order) = event.order() {
            let id = order.to_string();
            let known = self.orders.remove(&id).ok_or_else(|| format!("unknown-order: {id}"))?;
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
                months: i64::from(line.prepared.dates.term.months()),
            })
            .collect();
        for line in &lines {
            ensure(self.expiries.get(&line.resource) == Some(&line.old), || {
                format!("placed-elsewhere: {id} would extend {} from {}", line.resource, line.old)
            })?;
            let days = (line.new - line.old) / 86_400;
            let (least, most) = (line.months * 28 - 1, line.months * 31 + 32 + 40);
            ensure(least <= days && days <= most, || {
                format!("odd-term: {id} extends {} by {days} days for {} months", line.resource, line.months)
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
        } else if let Event::ResolvedDeclined { number, .. } = event {
            if let Some(it) = order.tries.get_mut(number) {
                it.open = false;
                // A person may be wrong, and then two charges stand for a while.
                if let Some(charge) = bank.by_key(&it.key) {
                    charge.doubted |= charge.may_have_moved();
                }
            }
        } else if let Event::LateSuccess { number, .. } = event {
            let key = order.tries.get(number).map(|it| it.key.clone()).unwrap_or_default();
            let paid =
                |it: &Ordered| it.settled.and_then(|number| it.tries.get(&number)).is_some_and(|it| it.key == key);
            if let Some((owner, _)) = self.orders.iter().find(|(_, it)| paid(it)) {
                return Err(format!("late-success-of-another: {id} gives back what {owner} was paid with"));
            }
            let taken = bank.by_key(&key).is_some_and(|it| it.state == ChargeState::Captured);
            ensure(taken || order.by_word, || format!("late-success-of-nothing: attempt {number} of {id}"))?;
            if let Some(it) = order.tries.get_mut(number) {
                (it.open, it.succeeded) = (false, true);
            }
        } else if let Event::OrderSettled { payment, .. } = event {
            self.settled(id, &mut order, payment, bank)?;
        } else if let Event::RefundStarted { refund, .. } = event {
            refund_started(id, &mut order, refund)?;
        } else if let Event::RefundEnded { number, result, .. } = event {
            if let RefundResult::Refunded { .. } = result {
                self.refunded(id, &mut order, *number, bank)?;
            } else if let RefundResult::Declined { code, .. } = result {
                order.by_word |= code == "resolved";
            }
        } else if let Event::OrderCanceled { .. } | Event::OrderExpired { .. } = event {
            ensure(!order.tries.values().any(|it| it.open), || format!("closed-while-open: {id}"))?;
            ensure(order.settled.is_none(), || format!("closed-when-paid: {id}"))?;
            order.closed = true;
        } else if let Event::OrderAdopted { request, .. } = event {
            order.requests.push(request.to_string());
        }
        Ok(order)
    }

    fn attempt_started(&mut self, id: &str, order: &mut Ordered, attempt: &Attempt) -> Result<(), Wrong> {
        let number = attempt.number;
        ensure(!order.closed && order.settled.is_none(), || format!("attempt-on-closed: {number} of {id}"))?;
        ensure(!order.tries.values().any(|it| it.open), || {
            format!("attempt-while-open: attempt {number} of {id} begins and another is not decided")
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
        let key = attempt.key.to_string();
        let owner = format!("{id}/{number}");
        let by_balance = attempt.method.method.is_balance();
        if let Some(other) = self.keys.insert(key.clone(), owner.clone())
            && other != owner
            && !by_balance
        {
            // Two orders may have one key only where they buy the very same: the gateway then pays once.
            let same = other.split('/').next().and_then(|it| self.orders.get(it)).is_some_and(|it| {
                it.total == order.total && it.lines.len() == order.lines.len() && it.settled.is_none()
            });
            ensure(same, || format!("key-regenerated: {key} is for {owner} and {other}"))?;
        }
        order.tries.insert(number, Try { key, by_balance, open: true, succeeded: false });
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
                order.by_word = true;
                (*attempt, reference.as_ref())
            }
        };
        if let Some(it) = order.tries.get_mut(&number) {
            (it.open, it.succeeded) = (false, true);
            if it.by_balance {
                let (account, currency, total) = (order.account.clone(), order.currency.clone(), order.total);
                self.book(&account, &currency, -total)?;
            } else {
                // A restored store takes a charge of the history that it lost, which another attempt had made.
                let charge = bank.charges.iter().find(|it| reference == Some(&it.reference));
                it.key = charge.map_or(it.key.clone(), |charge| charge.key.clone());
                let fits = charge.is_some_and(|it| it.state == ChargeState::Captured && it.amount == order.total);
                ensure(fits || order.by_word, || {
                    let total = order.total;
                    format!("extension-without-money: {id} is settled by attempt {number}, and no gateway took {total}")
                })?;
                let given_back = |other: &Ordered| other.tries.values().any(|of| of.key == it.key && of.succeeded);
                if let Some((other, _)) = self.orders.iter().find(|(_, other)| given_back(other)) {
                    return Err(format!("late-success-of-another: {other} gives back what {id} was paid with"));
                }
            }
        }
        for line in &order.lines {
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

    fn refunded(&mut self, id: &str, order: &mut Ordered, number: u32, bank: &mut Bank) -> Result<(), Wrong> {
        let Some(back) = order.backs.get_mut(&number) else { return Err(format!("refund-unknown: {number} of {id}")) };
        ensure(!back.done, || format!("refunded-twice: refund {number} of {id}"))?;
        back.done = true;
        let back = back.clone();
        let (account, currency) = (order.account.clone(), order.currency.clone());
        match order.tries.get(&back.attempt) {
            Some(it) if it.by_balance => self.book(&account, &currency, back.amount)?,
            Some(it) => {
                let charge = bank.by_key(&it.key);
                let done = charge.is_some_and(|charge| {
                    charge.refunds.iter().any(|it| it.key == back.key && it.state == RefundState::Done)
                });
                ensure(done || order.by_word, || format!("refund-of-nothing: refund {number} of {id}"))?;
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

fn attempt_ended(id: &str, order: &mut Ordered, number: u32, result: &Outcome, bank: &mut Bank) -> Result<(), Wrong> {
    let Some(it) = order.tries.get_mut(&number) else { return Err(format!("attempt-unknown: {number} of {id}")) };
    let declined = matches!(result, Outcome::Declined { .. } | Outcome::PriceMoved { .. });
    it.open = !declined;
    if declined && !it.by_balance {
        let of_order =
            |charge: &&mut crate::bank::Charge| charge.order == id && !charge.doubted && charge.may_have_moved();
        let taken = bank.by_key(&it.key).filter(of_order);
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
    };
    ensure(order.backs.insert(refund.number, back).is_none(), || format!("refund-number-twice: {id}"))
}

impl Ordered {
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
            if order.tries.get(&number).is_some_and(|it| !it.by_balance) {
                let sum: &mut Decimal = sums.entry(order.currency.clone()).or_default();
                *sum += order.total - order.given_back(number);
            }
        }
        sums
    }
}
