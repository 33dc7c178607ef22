//! The gateways' side of the world: one ledger of charges and refunds, kept apart from everything that renewd knows.
//!
//! Keys are replayed and line keys kept for ever, as an honest gateway does. The ledger notices by itself when a line is
//! paid for twice. It must never look at the store.

use crate::chance::Chance;
use renewd_core::ids::Digest;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// Where a charge stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum ChargeState {
    /// The request is on its way and nobody can find it before this second.
    OnItsWay(i64),
    /// Undecided until this second; then captured, or declined.
    Pending(i64, bool),
    /// A person must act before the first second; they do at the second, where there is one.
    Action(i64, Option<i64>),
    /// The money is taken.
    Captured,
    /// Nothing was taken.
    #[default]
    Declined,
    /// It was stopped.
    Canceled,
}

/// What is paid for.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) item: String,
    pub(crate) key: String,
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefundState {
    /// Undecided until this second; then done, or declined.
    Pending(i64, bool),
    /// The money went back.
    Done,
    /// It did not.
    Declined,
}

/// Money that goes back.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) key: String,
    pub(crate) amount: Decimal,
    pub(crate) lines: Vec<String>,
    pub(crate) visible_at: i64,
    pub(crate) state: RefundState,
    /// When it was asked for, in the ledger's own count.
    pub(crate) tick: u64,
    /// It was asked for by a store that is gone: a backup from before it took that store's place.
    pub(crate) lost: bool,
}

/// Seconds after its request from which a charge that the gateway always denied may be believed not to exist: an hour,
/// a day, three days and seven.
const BELIEVED_SECONDS: i64 = 3_600 + 11 * 86_400;

/// How often a charge that was given up must have been asked for before that is believed.
const LOOKS: u32 = 4;

/// A charge.
#[derive(Debug, Clone, Default)]
pub(crate) struct Charge {
    pub(crate) gateway: String,
    pub(crate) key: String,
    pub(crate) order: String,
    pub(crate) attempt: u32,
    pub(crate) reference: String,
    pub(crate) amount: Decimal,
    pub(crate) currency: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) visible_at: i64,
    pub(crate) state: ChargeState,
    pub(crate) refunds: Vec<Refund>,
    /// When it was asked for, in the ledger's own count.
    pub(crate) tick: u64,
    /// When it was asked for, in seconds since 1970.
    pub(crate) requested_at: i64,
    /// From when on, in the ledger's own count, nobody could know of it: the gateway said that it has none when it
    /// should have shown it, or a person said so and was believed. What is charged after that may be a second charge.
    pub(crate) given_up: Option<u64>,
    /// From when on, in the ledger's own count, a person who read of it lets another be made beside it.
    pub(crate) accepted: Option<u64>,
    /// Looks since it was given up that did not show it.
    pub(crate) looks: u32,
    /// The second at which the gateway denied it, where that was the last that it said of it.
    pub(crate) denied_at: Option<i64>,
    /// It was made by a store that is gone: a backup from before it took that store's place.
    pub(crate) lost: bool,
    /// Restores of the store before it was made.
    pub(crate) era: u32,
}

impl Charge {
    /// The gateway says that there is no such charge.
    fn deny(&mut self, tick: u64, now: i64, beyond_window: bool) {
        if beyond_window {
            self.given_up.get_or_insert(tick);
        }
        self.denied_at = Some(now);
        self.looks += u32::from(self.given_up.is_some());
    }

    /// Whether it was denied at every moment at which it had to be asked for again, until it could be believed not to
    /// exist. Whoever denies a charge to the last keeps it.
    pub(crate) fn was_denied_to_the_last(&self, clock_went_back: bool) -> bool {
        let long = |at: i64| clock_went_back || self.requested_at + BELIEVED_SECONDS <= at;
        self.given_up.is_some() && LOOKS <= self.looks && self.denied_at.is_some_and(long)
    }

    /// What went back of it, what a store that is gone asked for aside.
    pub(crate) fn refunded_knowingly(&self) -> Decimal {
        self.refunds.iter().filter(|it| it.state == RefundState::Done && !it.lost).map(|it| it.amount).sum()
    }

    /// What went back of it.
    pub(crate) fn refunded(&self) -> Decimal {
        self.refunds.iter().filter(|it| it.state == RefundState::Done).map(|it| it.amount).sum()
    }

    /// Whether it was paid, and all of it went back.
    pub(crate) fn is_all_back(&self) -> bool {
        self.state == ChargeState::Captured && self.refunded() == self.amount
    }

    /// Whether money of this line went back.
    pub(crate) fn is_back(&self, line: &str) -> bool {
        let of_line = |it: &&Refund| it.state == RefundState::Done && it.lines.iter().any(|key| key == line);
        self.refunds.iter().any(|it| of_line(&it))
    }

    /// Whether money may have moved, or may still.
    pub(crate) fn may_have_moved(&self) -> bool {
        match self.state {
            ChargeState::OnItsWay(_) | ChargeState::Pending(..) | ChargeState::Action(..) | ChargeState::Captured => {
                true
            }
            ChargeState::Declined | ChargeState::Canceled => false,
        }
    }
}

/// The ledger.
#[derive(Debug)]
pub(crate) struct Bank {
    seed: u64,
    /// Whether anything goes wrong at all.
    pub(crate) chaos: bool,
    /// How often each fate was dealt.
    pub(crate) fired: BTreeMap<&'static str, u32>,
    /// What an honest gateway has to complain about.
    pub(crate) violations: Vec<String>,
    pub(crate) charges: Vec<Charge>,
    pub(crate) era: u32,
    /// What happened, in words.
    pub(crate) notes: Vec<String>,
    calls: BTreeMap<String, u64>,
    tick: u64,
    /// Orders of which a person said, without having seen it, that they are paid.
    pub(crate) misled: BTreeSet<String>,
    /// How often another process acted beside the one that is told of.
    pub(crate) acts: u64,
    /// Whether the disk failed one of them, in the command that is under way.
    pub(crate) others_failed: bool,
    /// Whether the clock was ever set back.
    pub(crate) clock_went_back: bool,
    /// Orders of whose refunds a person said something without having looked.
    pub(crate) misled_of_refunds: BTreeSet<String>,
}

impl Bank {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            chaos: true,
            fired: BTreeMap::new(),
            violations: Vec::new(),
            charges: Vec::new(),
            era: 0,
            notes: Vec::new(),
            calls: BTreeMap::new(),
            tick: 0,
            misled: BTreeSet::new(),
            misled_of_refunds: BTreeSet::new(),
            acts: 0,
            others_failed: false,
            clock_went_back: false,
        }
    }

    /// Chances for the next call about this key: the same whatever else happens at the same time.
    pub(crate) fn chances(&mut self, what: &str, key: &str) -> Chance {
        let name = format!("{what} {key}");
        let count = self.calls.entry(name.clone()).or_default();
        *count += 1;
        Chance::named(self.seed, &format!("{name} {count}"))
    }

    pub(crate) fn fire(&mut self, what: &'static str) {
        *self.fired.entry(what).or_default() += 1;
    }

    /// The next moment of the ledger's own count: its order of things, whatever the clock does.
    pub(crate) fn tick(&mut self) -> u64 {
        self.tick += 1;
        self.tick
    }

    /// A gateway's charge of this key.
    pub(crate) fn by_key(&mut self, gateway: &str, key: &str) -> Option<&mut Charge> {
        self.charges.iter_mut().find(|charge| charge.gateway == gateway && charge.key == key)
    }

    /// A gateway's charge of this name.
    pub(crate) fn by_reference(&mut self, gateway: &str, reference: &str) -> Option<&mut Charge> {
        self.charges.iter_mut().find(|charge| charge.gateway == gateway && charge.reference == reference)
    }

    /// A person said that nothing was taken by the newest charge of this key, and was believed.
    pub(crate) fn give_up(&mut self, key: &str) {
        let tick = self.tick();
        if let Some(charge) = self.charges.iter_mut().rev().find(|charge| charge.key == key) {
            charge.given_up.get_or_insert(tick);
        }
    }

    /// A person approved what was held for a charge, having read this of it.
    pub(crate) fn accept(&mut self, told: &str) {
        let tick = self.tick();
        for charge in self.charges.iter_mut().filter(|charge| told.contains(&format!("`{}`", charge.reference))) {
            charge.accepted.get_or_insert(tick);
        }
    }

    /// A gateway says that it has none of these charges.
    pub(crate) fn deny(&mut self, charges: &[usize], now: i64, beyond_window: bool) {
        let tick = self.tick();
        for index in charges {
            if let Some(charge) = self.charges.get_mut(*index) {
                charge.deny(tick, now, beyond_window);
            }
        }
    }

    /// A gateway could not tell of this charge.
    pub(crate) fn cannot_tell(&mut self, gateway: &str, key: &str) {
        if let Some(charge) = self.by_key(gateway, key) {
            charge.looks += u32::from(charge.given_up.is_some());
        }
    }

    /// A gateway shows this charge.
    pub(crate) fn show(&mut self, index: usize) -> Option<Charge> {
        let charge = self.charges.get_mut(index)?;
        charge.denied_at = None;
        Some(charge.clone())
    }

    /// A backup takes the store's place: what was asked for since is of a history that is gone.
    pub(crate) fn lose_after(&mut self, tick: u64) {
        for charge in &mut self.charges {
            charge.lost |= tick < charge.tick;
            for refund in &mut charge.refunds {
                refund.lost |= tick < refund.tick;
            }
        }
    }

    /// What was asked for since a moment of the ledger's own count, where money may have moved, by currency.
    pub(crate) fn asked_since(&self, tick: u64) -> BTreeMap<String, Decimal> {
        let mut sums = BTreeMap::new();
        for charge in self.charges.iter().filter(|charge| tick < charge.tick && charge.may_have_moved()) {
            *sums.entry(charge.currency.clone()).or_default() += charge.amount;
        }
        sums
    }

    /// A digest of everything in the ledger.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(format!("{:?}", self.charges).as_bytes())
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, now: i64) {
        let mut captured = Vec::new();
        for (index, charge) in self.charges.iter_mut().enumerate() {
            let (next, taken) = match charge.state {
                ChargeState::OnItsWay(at) if at <= now => (ChargeState::Captured, true),
                ChargeState::Pending(at, true) if at <= now => (ChargeState::Captured, true),
                ChargeState::Pending(at, false) if at <= now => (ChargeState::Declined, false),
                ChargeState::Action(_, Some(at)) if at <= now => (ChargeState::Captured, true),
                ChargeState::OnItsWay(_)
                | ChargeState::Pending(..)
                | ChargeState::Action(..)
                | ChargeState::Captured
                | ChargeState::Declined
                | ChargeState::Canceled => continue,
            };
            charge.state = next;
            if taken {
                captured.push(index);
            }
        }
        for charge in &mut self.charges {
            for refund in &mut charge.refunds {
                if let RefundState::Pending(at, done) = refund.state
                    && at <= now
                {
                    refund.state = if done { RefundState::Done } else { RefundState::Declined };
                }
            }
        }
        for index in captured {
            self.judge(index);
        }
    }

    /// Ends everything that is undecided, as if much time had passed.
    pub(crate) fn finish(&mut self) {
        self.pass(i64::MAX);
    }

    /// Writes a new charge down.
    pub(crate) fn enter(&mut self, mut charge: Charge) {
        charge.tick = self.tick();
        charge.era = self.era;
        let taken = charge.state == ChargeState::Captured;
        self.notes.push(format!(
            "bank: {} {:?} {} {} for {} attempt {} ({})",
            charge.gateway,
            charge.state,
            charge.amount,
            charge.currency,
            charge.order,
            charge.attempt,
            charge.lines.iter().map(|line| line.item.as_str()).collect::<Vec<_>>().join(" "),
        ));
        self.charges.push(charge);
        if taken {
            self.judge(self.charges.len().saturating_sub(1));
        }
    }

    /// INVARIANT (one-charge): a line is paid for at most once, what went back aside. A second charge is excused where
    /// it was asked for when nobody could know of the first any more, or by a person to whom the first was named.
    fn judge(&mut self, index: usize) {
        let Some(new) = self.charges.get(index) else { return };
        for (other_index, other) in self.charges.iter().enumerate() {
            let (first, second) = if other.tick < new.tick { (other, new) } else { (new, other) };
            let excused = [first.given_up, first.accepted].iter().flatten().any(|since| *since < second.tick);
            let stands = other.state == ChargeState::Captured && !other.is_all_back() && !new.is_all_back();
            if other_index == index || !stands || excused {
                continue;
            }
            let twice = |line: &&Line| {
                !other.is_back(&line.key) && other.lines.iter().any(|it| it.key == line.key) && !new.is_back(&line.key)
            };
            if let Some(line) = new.lines.iter().find(twice) {
                let name = if other.era == new.era { "double-charge" } else { "double-charge-after-restore" };
                self.violations.push(format!(
                    "{name}: {} is paid by {} (order {}) and by {} (order {})",
                    line.item, other.reference, other.order, new.reference, new.order
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charge(bank: &mut Bank, reference: &str) {
        let line = Line { item: "r1".to_owned(), key: "line-of-r1".to_owned() };
        let (reference, state, amount) = (reference.to_owned(), ChargeState::Captured, Decimal::from(5));
        bank.enter(Charge { reference, lines: vec![line], state, amount, ..Charge::default() });
    }

    #[test]
    fn a_second_charge_is_excused_by_whoever_read_of_the_first_and_by_nobody_else() {
        for (told, wrong) in [("the gateway has `ch_1` over 5.00 EUR", 0), ("the gateway has `ch_12`", 1), ("", 1)] {
            let mut bank = Bank::new(1);
            charge(&mut bank, "ch_1");
            bank.accept(told);
            charge(&mut bank, "ch_2");
            assert_eq!(bank.violations.len(), wrong, "{told}: {:?}", bank.violations);
        }
        let mut bank = Bank::new(1);
        charge(&mut bank, "ch_1");
        charge(&mut bank, "ch_2");
        bank.accept("`ch_1`, `ch_2`");
        assert_eq!(bank.violations.len(), 1, "it was approved too late");
    }

    /// A refund of another line gave all of the money back; the line that had cost nothing was then paid again.
    #[test]
    fn a_charge_that_went_back_whole_paid_for_none_of_its_lines() {
        for (amount, wrong) in [(5, 0), (4, 1)] {
            let mut bank = Bank::new(1);
            charge(&mut bank, "ch_1");
            let refund = Refund {
                key: "refund".to_owned(),
                amount: Decimal::from(amount),
                lines: vec!["line-of-r2".to_owned()],
                visible_at: 0,
                state: RefundState::Done,
                tick: 0,
                lost: false,
            };
            bank.charges.iter_mut().for_each(|first| first.refunds.push(refund.clone()));
            charge(&mut bank, "ch_2");
            assert_eq!(bank.violations.len(), wrong, "{amount} of 5 went back: {:?}", bank.violations);
        }
    }
}
