//! The gateways' side of the world: one ledger of charges and refunds, kept apart from everything that renewd knows.
//!
//! Keys are replayed and line keys kept for ever, as an honest gateway does. The ledger notices by itself when a line is
//! paid for twice. It must never look at the store.

use crate::chance::Chance;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Where a charge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

/// A charge.
#[derive(Debug, Clone)]
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
    /// Something outside renewd said or did what it must not about this charge, so that for a while two charges may
    /// stand: the gateway denied it, it came later than gateways promise, or a person was wrong about it.
    pub(crate) doubted: bool,
    /// The last time anybody asked for it the gateway did not show it.
    pub(crate) denied: bool,
    /// Restores of the store before it was made.
    pub(crate) era: u32,
}

impl Charge {
    /// What went back of it.
    pub(crate) fn refunded(&self) -> Decimal {
        self.refunds.iter().filter(|it| it.state == RefundState::Done).map(|it| it.amount).sum()
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

    pub(crate) fn by_key(&mut self, key: &str) -> Option<&mut Charge> {
        self.charges.iter_mut().find(|charge| charge.key == key)
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
    pub(crate) fn enter(&mut self, charge: Charge) {
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

    /// INVARIANT (one-charge): a line is paid for at most once, what went back aside.
    fn judge(&mut self, index: usize) {
        let Some(new) = self.charges.get(index) else { return };
        for (other_index, other) in self.charges.iter().enumerate() {
            if other_index == index || other.state != ChargeState::Captured || other.doubted || new.doubted {
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

    /// The sums of what was taken and what went back, by currency.
    pub(crate) fn totals(&self) -> BTreeMap<String, Decimal> {
        let mut totals = BTreeMap::new();
        for charge in self.charges.iter().filter(|charge| charge.state == ChargeState::Captured) {
            let sum: &mut Decimal = totals.entry(charge.currency.clone()).or_default();
            *sum += charge.amount - charge.refunded();
        }
        totals
    }
}
