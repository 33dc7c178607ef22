//! The auditor: reads the journal after every command, keeps its own model, and holds store and ledger against it.

use crate::bank::ChargeState;
use crate::model::{Model, Wrong};
use crate::world::World;
use renewd_core::ids::Digest;
use renewd_core::order::{OrderStatus, RefundResult};
use renewd_store::{Sequence, Store, StoreError};

/// Most characters of a record in a trace.
const TRACED: usize = 400;

/// A record for people: the event without when, who and how.
fn shortened(text: &str) -> String {
    let event = text.split_once("event: ").map_or(text, |(_, event)| event);
    event.chars().take(TRACED).collect()
}

/// What was read so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Auditor {
    pub(crate) model: Model,
    /// A digest of every record that was read.
    records: Vec<Digest>,
    last: Sequence,
    /// Records that were acknowledged: a crash must not lose them.
    acknowledged: usize,
}

fn failed(error: StoreError) -> Wrong {
    format!("unreadable: {error}")
}

impl Auditor {
    /// Reads what is new. After a crash or a restore everything is read anew, and what was acknowledged must be there.
    pub(crate) fn observe(&mut self, world: &World, anew: bool) -> Result<(), Wrong> {
        let store = world.inspect().map_err(failed)?;
        if anew {
            let known = std::mem::take(self);
            self.read(&store, world)?;
            let kept = known.records.iter().zip(&self.records).take_while(|(old, new)| old == new).count();
            if kept < known.acknowledged {
                return Err(format!("lost: of {} acknowledged records only {kept} are left", known.acknowledged));
            }
            self.acknowledged = known.acknowledged;
        } else {
            self.read(&store, world)?;
        }
        self.compare(&store)
    }

    /// Whoever asked was told: what has been read is never to be lost.
    pub(crate) fn acknowledge(&mut self) {
        self.acknowledged = self.records.len();
    }

    /// Forgets what was acknowledged after a backup that takes the place of the store.
    pub(crate) fn forget(&mut self) {
        self.acknowledged = 0;
    }

    fn read(&mut self, store: &Store, world: &World) -> Result<(), Wrong> {
        let mut wrong = None;
        let mut bank = world.bank();
        bank.pass(world.now());
        let (model, records) = (&mut self.model, &mut self.records);
        let mut last = self.last;
        let read = store.events_after(self.last, |entry| {
            last = entry.sequence;
            let text = format!("{entry:?}");
            if world.profile.traced {
                bank.notes.push(shortened(&text));
            }
            records.push(Digest::of(text.as_bytes()));
            if wrong.is_none() {
                wrong = model.read(entry.at.timestamp(), &entry.event, &mut bank).err();
            }
            Ok(())
        });
        self.last = last;
        drop(bank);
        read.map_err(failed)?;
        wrong.map_or(Ok(()), Err)
    }

    /// The digest of all that was read: the same seed gives the same.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of_parts(self.records.iter().map(|record| record.as_bytes().as_slice()))
    }

    /// Holds the store's rows against the model.
    fn compare(&self, store: &Store) -> Result<(), Wrong> {
        let state = store.state().map_err(failed)?;
        for (id, resource) in &state.resources {
            let expiry = resource.end.expiry.instant().timestamp();
            let known = self.model.expiries.get(id.as_str());
            if known != Some(&expiry) {
                return Err(format!("expiry: {id} stands at {expiry}, and should at {known:?}"));
            }
        }
        if state.resources.len() != self.model.expiries.len() {
            return Err("expiry: resources are missing".to_owned());
        }
        for ((account, currency), balance) in &self.model.balances {
            let book = state.books.iter().find(|(name, _)| name.as_str() == account);
            let held = book.and_then(|(_, book)| book.balance.get(currency)).map(|it| it.amount()).unwrap_or_default();
            if held != *balance {
                return Err(format!("balance: {account} has {held} {currency}, and should have {balance}"));
            }
        }
        for (id, order) in &self.model.orders {
            let stored = state.orders.iter().find(|(name, _)| name.as_str() == id).map(|(_, order)| order);
            let settled = stored.is_some_and(|it| matches!(it.status, OrderStatus::Settled { .. }));
            if settled != order.settled.is_some() {
                return Err(format!("settled: {id} is {:?}", stored.map(|it| it.status.as_str())));
            }
        }
        Ok(())
    }

    /// INVARIANT (money-has-an-end): with nothing left open, every charge ended in one extension or went back.
    pub(crate) fn close(&self, world: &World) -> Result<(), Wrong> {
        let bank = world.bank();
        for charge in bank.charges.iter().filter(|it| it.state == ChargeState::Captured) {
            let of_key = |(_, order): &(&String, &crate::model::Ordered)| {
                order.tries.values().any(|it| it.key == charge.key && it.succeeded)
            };
            let back = charge.refunded();
            let Some((id, order)) = self.model.orders.iter().find(of_key) else {
                let of_lost_history = charge.era < bank.era;
                let by_word = self.model.orders.get(&charge.order).is_some_and(|order| order.by_word);
                // Whoever denies a charge to the last, for weeks, keeps it.
                if back == charge.amount || of_lost_history || by_word || charge.denied {
                    continue;
                }
                return Err(format!("charge-without-end: {} for {}", charge.reference, charge.order));
            };
            let number = order.tries.iter().find(|(_, it)| it.key == charge.key).map_or(0, |(number, _)| *number);
            let extends = order.settled == Some(number);
            if !extends && back != charge.amount && charge.era == bank.era {
                return Err(format!(
                    "charge-without-end: {} for {id} paid nothing and was not given back",
                    charge.reference
                ));
            }
            let known = order.given_back(number);
            if known != back && charge.era == bank.era && !order.by_word {
                return Err(format!("refunds: {back} of {} went back, the journal has {known}", charge.reference));
            }
        }
        if bank.era == 0 {
            self.balance_books(&bank)?;
        }
        Ok(())
    }

    /// INVARIANT (books): what gateways took and kept is what orders were paid with.
    fn balance_books(&self, bank: &crate::bank::Bank) -> Result<(), Wrong> {
        if self.model.orders.values().any(|order| order.by_word) || bank.charges.iter().any(|it| it.denied) {
            return Ok(());
        }
        let mut kept = bank.totals();
        for (key, sum) in self.model.paid_to_gateways() {
            *kept.entry(key).or_default() -= sum;
        }
        match kept.into_iter().find(|(_, sum)| !sum.is_zero()) {
            Some((currency, sum)) => Err(format!("books: gateways kept {sum} {currency} more than was sold")),
            None => Ok(()),
        }
    }

    /// What is open in the store: orders whose payment is not decided and refunds that have not ended.
    pub(crate) fn open(&self, world: &World) -> Result<Vec<String>, Wrong> {
        let state = world.inspect().map_err(failed)?.state().map_err(failed)?;
        let mut open = Vec::new();
        for (id, order) in &state.orders {
            if let OrderStatus::Unknown | OrderStatus::Pending | OrderStatus::Paying = order.status {
                open.push(format!("{id} is {}", order.status.as_str()));
            }
            let unfinished = |it: &&renewd_core::order::Refund| {
                !it.outcome.is_final() && !matches!(it.outcome, RefundResult::Declined { .. })
            };
            if let Some(refund) = order.refunds.iter().find(unfinished) {
                open.push(format!("refund {} of {id} is {:?}", refund.number, refund.outcome));
            }
        }
        Ok(open)
    }
}
