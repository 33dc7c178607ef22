//! Gateways as renewd asks them: the bank, behind a network on which everything can go wrong.

use crate::bank::{Bank, Charge, ChargeState, Line, Refund, RefundState};
use crate::chance::Chance;
use crate::world::World;
use chrono::DateTime;
use renewd_core::documents::Plugin;
use renewd_core::money::Money;
use renewd_core::refusal::Refusal;
use renewd_engine::{Gateway, Gateways};
use renewd_plugin_host::payment_wire::{ChargeRef, ChargeRequest, RefundRef, RefundRequest};
use renewd_plugin_host::{CancelOutcome, FindRefundResult, FindResult, FoundCharge, Outcome, RefundOutcome, Retry};
use rust_decimal::Decimal;
use std::sync::Arc;

/// What becomes of a request for money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Success,
    DeclineNever,
    DeclineLater,
    DeclineOther,
    DeclineNotBefore,
    TimeoutBefore,
    TimeoutAfter,
    ResetBefore,
    ResetAfter,
    ErrorAfter,
    Garbage,
    Late,
    PendingSuccess,
    PendingDecline,
    ActionConfirmed,
    ActionExpires,
    PriceMoved,
    Slow,
    Duplicate,
    Meanwhile,
    CrashBefore,
    CrashAfter,
}

const FATES: &[(u64, Fate, &str)] = &[
    (22, Fate::Success, "charge-success"),
    (6, Fate::DeclineNever, "charge-decline-never"),
    (8, Fate::DeclineLater, "charge-decline-later"),
    (6, Fate::DeclineOther, "charge-decline-other"),
    (4, Fate::DeclineNotBefore, "charge-decline-not-before"),
    (7, Fate::TimeoutBefore, "charge-timeout-before"),
    (9, Fate::TimeoutAfter, "charge-timeout-after"),
    (5, Fate::ResetBefore, "charge-reset-before"),
    (5, Fate::ResetAfter, "charge-reset-after"),
    (5, Fate::ErrorAfter, "charge-500-after"),
    (5, Fate::Garbage, "charge-garbage"),
    (6, Fate::Late, "charge-late-success"),
    (6, Fate::PendingSuccess, "charge-pending-success"),
    (5, Fate::PendingDecline, "charge-pending-decline"),
    (5, Fate::ActionConfirmed, "charge-action-confirmed"),
    (5, Fate::ActionExpires, "charge-action-expires"),
    (4, Fate::PriceMoved, "charge-price-moved"),
    (5, Fate::Slow, "charge-slow"),
    (5, Fate::Duplicate, "charge-duplicate"),
    (14, Fate::Meanwhile, "charge-meanwhile"),
    (6, Fate::CrashBefore, "crash-before-charge"),
    (8, Fate::CrashAfter, "crash-after-charge"),
];

/// Where gateways come from in a simulated world.
pub(crate) struct SimGateways(pub(crate) Arc<World>);

impl Gateways for SimGateways {
    fn gateway(&self, document: &Plugin) -> Result<Arc<dyn Gateway>, Refusal> {
        Ok(Arc::new(SimGateway { name: document.name.to_string(), world: Arc::clone(&self.0) }))
    }
}

struct SimGateway {
    name: String,
    world: Arc<World>,
}

fn unknown(reason: &str) -> Outcome {
    Outcome::Unknown { reason: reason.to_owned(), reference: None }
}

fn decline(retry: Retry, not_before: Option<i64>) -> Outcome {
    Outcome::Declined {
        code: "card-declined".to_owned(),
        message: "the card was declined".to_owned(),
        retry,
        not_before: not_before.and_then(|at| DateTime::from_timestamp(at, 0)).map(|at| at.fixed_offset()),
    }
}

pub(crate) fn money(amount: Decimal, currency: &str) -> Option<Money> {
    Money::new(amount, currency.parse().ok()?).ok()
}

/// The second since 1970 of a moment as gateways are told it.
fn second(moment: &str) -> i64 {
    DateTime::parse_from_rfc3339(moment).map_or(i64::MIN, |moment| moment.timestamp())
}

/// What is said of a charge of which everything went back.
fn given_back() -> Outcome {
    Outcome::Declined {
        code: "refunded".to_owned(),
        message: "the charge was given back".to_owned(),
        retry: Retry::Later,
        not_before: None,
    }
}

fn answer(charge: &Charge) -> Outcome {
    let reference = charge.reference.clone();
    match charge.state {
        ChargeState::OnItsWay(_) => unknown("nobody knows yet"),
        ChargeState::Pending(..) => Outcome::Pending { reference },
        ChargeState::Action(expires, _) => match DateTime::from_timestamp(expires, 0) {
            Some(expires) => Outcome::RequiresAction {
                url: "https://gateway.example/confirm".to_owned(),
                expires: expires.fixed_offset(),
                reference: Some(reference),
            },
            None => unknown("it never expires"),
        },
        ChargeState::Captured => match money(charge.amount, &charge.currency) {
            Some(amount) => Outcome::Succeeded { reference, amount, metadata: Vec::new() },
            None => unknown("its amount cannot be told"),
        },
        ChargeState::Declined => decline(Retry::Later, None),
        ChargeState::Canceled => Outcome::Declined {
            code: "canceled".to_owned(),
            message: "the charge was canceled".to_owned(),
            retry: Retry::Later,
            not_before: None,
        },
    }
}

impl SimGateway {
    fn fate(&self, bank: &mut Bank, chances: &mut Chance) -> Fate {
        if !bank.chaos {
            return Fate::Success;
        }
        let dealt: Vec<(u64, usize)> = FATES
            .iter()
            .enumerate()
            .filter(|(index, (_, fate, _))| *fate == Fate::Success || self.world.profile.deals(*index))
            .map(|(index, (weight, _, _))| (*weight, index))
            .collect();
        let Some((_, fate, name)) = chances.weighted(&dealt).and_then(|index| FATES.get(index)) else {
            return Fate::Success;
        };
        bank.fire(name);
        *fate
    }

    fn enter(&self, bank: &mut Bank, request: &ChargeRequest, state: ChargeState) -> Outcome {
        let key = request.idempotency_key.clone();
        let lag = i64::try_from(self.world.profile.visibility_seconds).unwrap_or_default();
        let lag = bank.chances("lag", &key).between(0, lag);
        let requested_at = second(&request.requested_at);
        let charge = Charge {
            gateway: self.name.clone(),
            reference: format!("ch_{}_{}", self.name, key.get(..12).unwrap_or(&key)),
            order: request.order.clone(),
            attempt: request.attempt,
            amount: request.amount.parse().unwrap_or_default(),
            currency: request.currency.clone(),
            lines: request.lines.iter().map(|line| Line { item: line.item.clone(), key: line.key.clone() }).collect(),
            requested_at,
            visible_at: requested_at + lag,
            state,
            key,
            ..Charge::default()
        };
        let answer = answer(&charge);
        bank.enter(charge);
        answer
    }

    /// A key that the gateway knows is answered as before, if it is for the same.
    fn replay(&self, bank: &mut Bank, request: &ChargeRequest) -> Option<Outcome> {
        let known = bank.by_key(&self.name, &request.idempotency_key)?;
        let amount: Decimal = request.amount.parse().unwrap_or_default();
        let same = known.amount == amount
            && known.currency == request.currency
            && known.lines.len() == request.lines.len()
            && known.lines.iter().all(|line| request.lines.iter().any(|it| it.key == line.key));
        if !same {
            let complaint = format!("key-reused: {} pays {} and something else", known.key, known.order);
            bank.violations.push(complaint);
            return Some(unknown("the key was used for another charge"));
        }
        Some(answer(known))
    }

    /// An answer, and perhaps another process that acts before it is given, or before it is written down.
    fn beside_others<T>(&self, what: &'static str, key: &str, answer: impl FnOnce() -> T) -> T {
        let mut chances = self.world.bank().chances(what, key);
        let acts = self.world.bank().chaos && !self.world.is_dead() && chances.percent(self.world.profile.meanwhile);
        if !acts {
            return answer();
        }
        self.world.bank().fire(what);
        if chances.percent(50) {
            self.world.meanwhile(&mut chances);
            return answer();
        }
        let answer = answer();
        self.world.meanwhile(&mut chances);
        answer
    }

    fn deal(&self, fate: Fate, request: &ChargeRequest, now: i64, chances: &mut Chance) -> Outcome {
        let mut bank = self.world.bank();
        let bank = &mut *bank;
        let mut enter = |state| self.enter(bank, request, state);
        match fate {
            Fate::Success | Fate::Duplicate | Fate::Slow | Fate::Meanwhile => enter(ChargeState::Captured),
            Fate::DeclineNever | Fate::DeclineLater | Fate::DeclineOther | Fate::DeclineNotBefore => {
                enter(ChargeState::Declined);
                match fate {
                    Fate::DeclineNever => decline(Retry::Never, None),
                    Fate::DeclineOther => decline(Retry::OtherMethod, None),
                    Fate::DeclineNotBefore => decline(Retry::Later, Some(now + chances.between(60, 3 * 86_400))),
                    _ => decline(Retry::Later, None),
                }
            }
            Fate::TimeoutBefore | Fate::ResetBefore | Fate::CrashBefore => unknown("the connection was lost"),
            Fate::TimeoutAfter | Fate::ResetAfter | Fate::ErrorAfter | Fate::CrashAfter => {
                enter(ChargeState::Captured);
                unknown("no answer came")
            }
            Fate::Garbage => {
                let state = if chances.percent(50) { ChargeState::Captured } else { ChargeState::Declined };
                enter(state);
                let amount: Decimal = request.amount.parse().unwrap_or_default();
                match money(amount + Decimal::ONE, &request.currency) {
                    Some(amount) => {
                        Outcome::Succeeded { reference: "garbage".to_owned(), amount, metadata: Vec::new() }
                    }
                    None => unknown("garbage"),
                }
            }
            Fate::Late => {
                enter(ChargeState::OnItsWay(now + chances.between(600, 6 * 86_400)));
                unknown("no answer came")
            }
            Fate::PendingSuccess => enter(ChargeState::Pending(now + chances.between(60, 4 * 86_400), true)),
            Fate::PendingDecline => enter(ChargeState::Pending(now + chances.between(60, 4 * 86_400), false)),
            Fate::ActionConfirmed => {
                let expires = now + chances.between(3_600, 2 * 86_400);
                enter(ChargeState::Action(expires, Some(chances.between(now + 60, expires))))
            }
            Fate::ActionExpires => enter(ChargeState::Action(now + chances.between(600, 2 * 86_400), None)),
            Fate::PriceMoved => {
                let amount: Decimal = request.amount.parse().unwrap_or_default();
                match money(amount + Decimal::TEN, &request.currency) {
                    Some(actual) => Outcome::PriceMoved { actual },
                    None => unknown("the price cannot be told"),
                }
            }
        }
    }

    /// What the gateway shows, if it says what it knows. Asked since when, it looks for the lines too: a payment of one
    /// that has not gone back, else one that is not decided. Its own one, of that key, counts also where it is dead.
    fn look(&self, bank: &mut Bank, asked: &ChargeRef, lies: bool, now: i64) -> Option<Charge> {
        let since = asked.since.as_deref().map(second);
        let is_own = |charge: &Charge| charge.key == asked.idempotency_key;
        let shares = |charge: &Charge| {
            let wanted = |key: &String| charge.lines.iter().any(|line| line.key == *key) && !charge.is_back(key);
            asked.line_keys.iter().any(wanted)
        };
        let fits = |charge: &Charge| {
            let alike = since.is_some_and(|since| since <= charge.requested_at) && shares(charge);
            charge.gateway == self.name && (is_own(charge) || (alike && charge.may_have_moved()))
        };
        let is_hidden = |charge: &Charge| matches!(charge.state, ChargeState::OnItsWay(_)) || now < charge.visible_at;
        let (mut denied, mut lagging, mut shown) = (Vec::new(), Vec::new(), Vec::new());
        for (index, charge) in bank.charges.iter().enumerate().rev().filter(|(_, charge)| fits(charge)) {
            if lies {
                denied.push(index);
            } else if is_hidden(charge) {
                lagging.push(index);
            } else {
                let rank = match charge.state {
                    ChargeState::Captured if since.is_none() || shares(charge) => 0,
                    _ if since.is_none() || charge.may_have_moved() && !charge.is_all_back() => 1,
                    _ => 2,
                };
                shown.push((rank, index));
            }
        }
        let shown = shown.into_iter().min_by_key(|(rank, _)| *rank).map(|(_, index)| index);
        for (name, indices) in [("find-denied", denied), ("find-late", lagging)] {
            if indices.is_empty() {
                continue;
            }
            bank.fire(name);
            // Nobody tells since when a charge of another key may lag.
            let asked_at = second(&asked.requested_at);
            let window = i64::try_from(self.world.profile.visibility_seconds).unwrap_or_default();
            if shown.is_none() {
                bank.deny(&indices, now, since.is_some() || asked_at + window <= now);
            }
        }
        shown.and_then(|index| bank.show(index))
    }
}

/// What becomes of a request for a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RefundFate {
    Success,
    TimeoutBefore,
    TimeoutAfter,
    PendingSuccess,
    PendingDecline,
    Declined,
    CrashAfter,
}

const REFUND_FATES: &[(u64, (RefundFate, &str))] = &[
    (3, (RefundFate::Success, "refund-success")),
    (2, (RefundFate::TimeoutBefore, "refund-timeout-before")),
    (1, (RefundFate::TimeoutAfter, "refund-timeout-after")),
    (1, (RefundFate::PendingSuccess, "refund-pending-success")),
    (1, (RefundFate::PendingDecline, "refund-pending-decline")),
    (1, (RefundFate::Declined, "refund-declined")),
    (1, (RefundFate::CrashAfter, "crash-after-refund")),
];

impl SimGateway {
    fn stop(&self, asked: &ChargeRef) -> CancelOutcome {
        let now = self.world.now();
        if self.world.is_dead() {
            return CancelOutcome::Unknown { reason: "the process is dead".to_owned() };
        }
        let mut bank = self.world.bank();
        bank.pass(now);
        let mut chances = bank.chances("cancel", &asked.idempotency_key);
        if bank.chaos && chances.percent(self.world.profile.cannot_tell) {
            bank.fire("cancel-cannot-tell");
            return CancelOutcome::Unknown { reason: "the gateway does not answer".to_owned() };
        }
        let Some(charge) = bank.by_key(&self.name, &asked.idempotency_key) else { return CancelOutcome::NotFound };
        match charge.state {
            ChargeState::Captured => match money(charge.amount, &charge.currency) {
                Some(amount) => CancelOutcome::Charged { reference: charge.reference.clone(), amount },
                None => CancelOutcome::Unknown { reason: "its amount cannot be told".to_owned() },
            },
            ChargeState::OnItsWay(_) => CancelOutcome::NotFound,
            ChargeState::Pending(..) => CancelOutcome::Pending { reference: charge.reference.clone() },
            ChargeState::Action(..) | ChargeState::Declined | ChargeState::Canceled => {
                charge.state = ChargeState::Canceled;
                CancelOutcome::Canceled
            }
        }
    }

    fn find_back(&self, asked: &RefundRef) -> FindRefundResult {
        let now = self.world.now();
        if self.world.is_dead() {
            return FindRefundResult::Unknown { reason: "the process is dead".to_owned() };
        }
        let mut bank = self.world.bank();
        bank.pass(now);
        let mut chances = bank.chances("find-refund", &asked.idempotency_key);
        if bank.chaos && chances.percent(self.world.profile.cannot_tell) {
            bank.fire("find-refund-cannot-tell");
            return FindRefundResult::Unknown { reason: "the gateway does not answer".to_owned() };
        }
        let own = bank.charges.iter().filter(|charge| charge.gateway == self.name);
        let refunds = own.flat_map(|charge| &charge.refunds);
        match refunds.filter(|it| it.visible_at <= now).find(|it| it.key == asked.idempotency_key) {
            Some(refund) => FindRefundResult::Found { refund: refund_answer(refund, &asked.currency) },
            None => FindRefundResult::NotFound,
        }
    }

    fn give_back(&self, request: &RefundRequest) -> RefundOutcome {
        let reason = |text: &str| RefundOutcome::Unknown { reason: text.to_owned() };
        if self.world.is_dead() {
            return reason("the process is dead");
        }
        self.world.expect_durable("a gateway is asked for a refund");
        let now = self.world.now();
        let mut bank = self.world.bank();
        bank.pass(now);
        let mut chances = bank.chances("refund", &request.idempotency_key);
        let dealt = if bank.chaos { chances.weighted(REFUND_FATES) } else { None };
        let (fate, name) = dealt.unwrap_or((RefundFate::Success, "refund-success"));
        let tick = bank.tick();
        let Some(charge) = bank.by_reference(&self.name, &request.reference) else {
            let complaint = format!("refund-elsewhere: {} has no {} to give back", self.name, request.reference);
            bank.violations.push(complaint);
            return declined("no-charge");
        };
        if let Some(known) = charge.refunds.iter().find(|it| it.key == request.idempotency_key) {
            return refund_answer(known, &request.currency);
        }
        if fate == RefundFate::TimeoutBefore {
            bank.fire(name);
            return reason("the connection was lost");
        }
        let amount: Decimal = request.amount.parse().unwrap_or_default();
        if charge.state != ChargeState::Captured || charge.amount < charge.refunded() + amount {
            return declined("nothing-left");
        }
        let state = match fate {
            RefundFate::PendingSuccess => RefundState::Pending(now + chances.between(60, 2 * 86_400), true),
            RefundFate::PendingDecline => RefundState::Pending(now + chances.between(60, 2 * 86_400), false),
            RefundFate::Declined => RefundState::Declined,
            RefundFate::Success | RefundFate::TimeoutBefore | RefundFate::TimeoutAfter | RefundFate::CrashAfter => {
                RefundState::Done
            }
        };
        let lag = i64::try_from(self.world.profile.visibility_seconds).unwrap_or_default();
        let refund = Refund {
            key: request.idempotency_key.clone(),
            amount,
            lines: request.line_keys.clone(),
            visible_at: now + chances.between(0, lag),
            state,
            tick,
            lost: false,
        };
        let answer = refund_answer(&refund, &request.currency);
        charge.refunds.push(refund);
        let note = format!("bank: refund of {amount} {} from {}: {state:?}", request.currency, request.reference);
        bank.notes.push(note);
        bank.fire(name);
        drop(bank);
        if fate == RefundFate::CrashAfter {
            self.world.kill();
        }
        match fate {
            RefundFate::TimeoutAfter | RefundFate::CrashAfter => reason("no answer came"),
            RefundFate::Success
            | RefundFate::TimeoutBefore
            | RefundFate::PendingSuccess
            | RefundFate::PendingDecline
            | RefundFate::Declined => answer,
        }
    }

    fn find(&self, asked: &ChargeRef) -> FindResult {
        let (now, reason) = (self.world.now(), |text: &str| FindResult::Unknown { reason: text.to_owned() });
        if self.world.is_dead() {
            return reason("the process is dead");
        }
        let chaos = self.world.profile.clone();
        let mut bank = self.world.bank();
        bank.pass(now);
        let mut chances = bank.chances("find", &asked.idempotency_key);
        if bank.chaos && chances.percent(chaos.cannot_tell) {
            bank.fire("find-cannot-tell");
            bank.cannot_tell(&self.name, &asked.idempotency_key);
            return reason("the gateway does not answer");
        }
        let lies = bank.chaos && chances.percent(chaos.denies);
        let shown = self.look(&mut bank, asked, lies, now);
        match shown {
            None => FindResult::NotFound,
            Some(charge) => match money(charge.amount, &charge.currency) {
                None => reason("its amount cannot be told"),
                Some(amount) => FindResult::Found(FoundCharge {
                    reference: charge.reference.clone(),
                    amount,
                    outcome: if charge.is_all_back() { given_back() } else { answer(&charge) },
                    line_keys: charge.lines.iter().map(|line| line.key.clone()).collect(),
                    key: Some(charge.key.clone()),
                    order: Some(charge.order.clone()),
                }),
            },
        }
    }
}

impl Gateway for SimGateway {
    fn charge(&self, _config: &str, request: &ChargeRequest) -> Outcome {
        if self.world.is_dead() {
            return unknown("the process is dead");
        }
        self.world.expect_durable("a gateway is asked to charge");
        let now = self.world.now();
        let (fate, mut chances) = {
            let mut bank = self.world.bank();
            bank.pass(now);
            if let Some(known) = self.replay(&mut bank, request) {
                return known;
            }
            let mut chances = bank.chances("charge", &request.idempotency_key);
            (self.fate(&mut bank, &mut chances), chances)
        };
        if fate == Fate::CrashBefore {
            self.world.kill();
        }
        if fate == Fate::Meanwhile && chances.percent(50) {
            self.world.meanwhile(&mut chances);
        }
        let now = self.world.now();
        let mut answer = self.deal(fate, request, now, &mut chances);
        match fate {
            Fate::CrashAfter => self.world.kill(),
            Fate::Slow => self.world.advance(chances.between(30, 900)),
            Fate::Meanwhile => self.world.meanwhile(&mut chances),
            Fate::Duplicate => answer = self.replay(&mut self.world.bank(), request).unwrap_or(answer),
            Fate::Success
            | Fate::DeclineNever
            | Fate::DeclineLater
            | Fate::DeclineOther
            | Fate::DeclineNotBefore
            | Fate::TimeoutBefore
            | Fate::TimeoutAfter
            | Fate::ResetBefore
            | Fate::ResetAfter
            | Fate::ErrorAfter
            | Fate::Garbage
            | Fate::Late
            | Fate::PendingSuccess
            | Fate::PendingDecline
            | Fate::ActionConfirmed
            | Fate::ActionExpires
            | Fate::PriceMoved
            | Fate::CrashBefore => {}
        }
        answer
    }

    fn find_charge(&self, _config: &str, asked: &ChargeRef) -> FindResult {
        self.beside_others("find-meanwhile", &asked.idempotency_key, || self.find(asked))
    }

    fn refund(&self, _config: &str, request: &RefundRequest) -> RefundOutcome {
        self.beside_others("refund-meanwhile", &request.idempotency_key, || self.give_back(request))
    }

    fn find_refund(&self, _config: &str, asked: &RefundRef) -> FindRefundResult {
        self.beside_others("find-refund-meanwhile", &asked.idempotency_key, || self.find_back(asked))
    }

    fn cancel(&self, _config: &str, asked: &ChargeRef) -> CancelOutcome {
        self.beside_others("cancel-meanwhile", &asked.idempotency_key, || self.stop(asked))
    }

    fn can_cancel(&self) -> bool {
        true
    }

    fn visibility_seconds(&self) -> u64 {
        self.world.profile.visibility_seconds
    }

    fn idempotency_seconds(&self) -> u64 {
        365 * 86_400
    }

    fn has_memory(&self) -> bool {
        true
    }
}

fn declined(code: &str) -> RefundOutcome {
    RefundOutcome::Declined {
        code: code.to_owned(),
        message: "it cannot be given back".to_owned(),
        retry: Retry::Later,
        not_before: None,
    }
}

fn refund_answer(refund: &Refund, currency: &str) -> RefundOutcome {
    let reference = format!("re_{}", refund.key.get(..12).unwrap_or(&refund.key));
    match (refund.state, money(refund.amount, currency)) {
        (RefundState::Done, Some(amount)) => RefundOutcome::Refunded { reference, amount },
        (RefundState::Done, None) => RefundOutcome::Unknown { reason: "its amount cannot be told".to_owned() },
        (RefundState::Pending(..), _) => RefundOutcome::Pending { reference },
        (RefundState::Declined, _) => declined("refund-declined"),
    }
}
