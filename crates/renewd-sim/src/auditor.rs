//! The auditor: reads the journal after every command, keeps its own model, and holds store and ledger against it.

use crate::bank::ChargeState;
use crate::model::{Model, Touched, Try, Wrong};
use crate::world::World;
use renewd_core::ids::AccountName;
use renewd_core::order::{OrderStatus, RefundResult};
use renewd_core::state::Book;
use renewd_store::{HistoryEntry, Sequence, Store, StoreError};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Most characters of a record in a trace.
const TRACED: usize = 400;

/// A record for people: the event without when, who and how.
fn shortened(entry: &HistoryEntry) -> String {
    format!("{:?}", entry.event).chars().take(TRACED).collect()
}

/// What was read so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Auditor {
    pub(crate) model: Model,
    /// Every record that was read.
    records: Vec<HistoryEntry>,
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
        let store = if anew { world.look_aside() } else { world.inspect() }.map_err(failed)?;
        if anew {
            let known = std::mem::take(self);
            self.read(&store, world, &known.records)?;
            let kept = known.records.iter().zip(&self.records).take_while(|(old, new)| old == new).count();
            if kept < known.acknowledged {
                return Err(format!("lost: of {} acknowledged records only {kept} are left", known.acknowledged));
            }
            self.acknowledged = known.acknowledged;
        } else {
            // INVARIANT (clean-end): who ends in good order leaves nothing to be repaired.
            let report = store.report();
            if !report.is_clean() {
                return Err(format!("left-behind: after a command that ended in good order {report:?}"));
            }
            self.model.touched.clear();
            self.read(&store, world, &[])?;
            return self.compare_touched(&store);
        }
        self.compare(&store)
    }

    /// Whoever asked was told: what has been read is never to be lost.
    pub(crate) fn acknowledge(&mut self) {
        self.acknowledged = self.records.len();
    }

    /// A backup takes the place of the store: what had been acknowledged when it was made is there, and nothing else
    /// has to be.
    pub(crate) fn go_back_to(&mut self, acknowledged: usize) {
        self.acknowledged = acknowledged;
    }

    /// How many records a crash must not lose.
    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged
    }

    /// Reads on; `known` are records that were read before, in another life.
    fn read(&mut self, store: &Store, world: &World, known: &[HistoryEntry]) -> Result<(), Wrong> {
        let mut wrong = None;
        let mut bank = world.bank();
        bank.pass(world.now());
        let (model, records) = (&mut self.model, &mut self.records);
        let mut last = self.last;
        let read = store.events_after(self.last, |entry| {
            last = entry.sequence;
            if world.profile.traced {
                bank.notes.push(shortened(&entry));
            }
            model.again = known.get(records.len()) == Some(&entry);
            if wrong.is_none() {
                wrong = model.read(entry.at.timestamp(), &entry.event, &mut bank, &world.dir).err();
            }
            records.push(entry);
            Ok(())
        });
        self.last = last;
        drop(bank);
        read.map_err(failed)?;
        wrong.map_or(Ok(()), Err)
    }

    /// Holds the rows that the last records were about against the model.
    fn compare_touched(&self, store: &Store) -> Result<(), Wrong> {
        for subject in &self.model.touched {
            match subject {
                Touched::Resource(id) => {
                    let row = store.resource(id).map_err(failed)?;
                    let stands = row.map(|row| row.end.expiry.instant().timestamp());
                    let known = self.model.expiries.get(id.as_str()).copied();
                    if known != stands {
                        return Err(format!("expiry: {id} stands at {stands:?}, and should at {known:?}"));
                    }
                }
                Touched::Order(id) => {
                    let status = store.order(id).map_err(failed)?.map(|order| order.status);
                    self.compare_order(id.as_str(), status.as_ref())?;
                }
                Touched::Account(name) => self.compare_book(name, &store.book(name).map_err(failed)?)?,
            }
        }
        Ok(())
    }

    fn compare_order(&self, id: &str, status: Option<&OrderStatus>) -> Result<(), Wrong> {
        let settled = status.is_some_and(|status| matches!(status, OrderStatus::Settled { .. }));
        let known = self.model.orders.get(id).is_some_and(|order| order.settled.is_some());
        if settled == known { Ok(()) } else { Err(format!("settled: {id} is {:?}", status.map(OrderStatus::as_str))) }
    }

    fn compare_book(&self, account: &AccountName, book: &Book) -> Result<(), Wrong> {
        for ((name, currency), balance) in &self.model.balances {
            let held = book.balance.get(currency.as_str()).map(|it| it.amount()).unwrap_or_default();
            if name == account.as_str() && held != *balance {
                return Err(format!("balance: {account} has {held} {currency}, and should have {balance}"));
            }
        }
        Ok(())
    }

    /// Holds all of the store's rows against the model.
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
        for (account, book) in &state.books {
            self.compare_book(account, book)?;
        }
        let has_book = |name: &str| state.books.keys().any(|account| account.as_str() == name);
        if let Some((name, currency)) = self.model.balances.keys().find(|(name, _)| !has_book(name)) {
            return Err(format!("balance: {name} has no book, and should have {currency}"));
        }
        for (id, order) in &state.orders {
            self.compare_order(id.as_str(), Some(&order.status))?;
        }
        match self.model.orders.keys().find(|id| !state.orders.keys().any(|stored| stored.as_str() == *id)) {
            Some(id) => Err(format!("settled: {id} is gone")),
            None => Ok(()),
        }
    }

    /// INVARIANT (money-has-an-end): with nothing left open, every charge ended in one extension or went back, and what
    /// paid an order is still kept, but for what the journal knows to have gone back.
    pub(crate) fn close(&self, world: &World) -> Result<(), Wrong> {
        self.compare(&world.inspect().map_err(failed)?)?;
        let bank = world.bank();
        let kept = bank.charges.iter().filter(|it| it.state == ChargeState::Captured);
        let mut kept_sums: BTreeMap<String, Decimal> = BTreeMap::new();
        for charge in kept {
            let of_charge = |it: &Try| it.succeeded && it.gateway == charge.gateway && it.key == charge.key;
            let holder = self.model.orders.iter().find_map(|(id, order)| {
                order.tries.iter().find(|(_, it)| of_charge(it)).map(|(number, _)| (id, order, *number))
            });
            let back = charge.refunded();
            let Some((id, order, number)) = holder else {
                // What a store that is gone took is only found where the same is renewed again. What its gateway denied to
                // the last, and showed afterwards when another order was to be paid, a person has read of and approved.
                let known = charge.lost || charge.accepted.is_some();
                if back == charge.amount || known || charge.was_denied_to_the_last(bank.clock_went_back) {
                    continue;
                }
                return Err(format!("charge-without-end: {} for {}", charge.reference, charge.order));
            };
            if order.settled != Some(number) && back != charge.amount {
                return Err(format!(
                    "charge-without-end: {} for {id} paid nothing and was not given back",
                    charge.reference
                ));
            }
            let (knowingly, known) = (charge.refunded_knowingly(), order.given_back(number));
            if (known < knowingly || back < known) && !order.misled_of_refund {
                let reference = &charge.reference;
                return Err(format!("refunds: {back} of {reference} for {id} went back, the journal has {known}"));
            }
            if order.settled == Some(number) && !order.misled {
                *kept_sums.entry(charge.currency.clone()).or_default() += charge.amount - known;
            }
        }
        // INVARIANT (books): what gateways took and kept is what orders were paid with.
        for (currency, sum) in self.model.paid_to_gateways() {
            let kept = kept_sums.remove(&currency).unwrap_or_default();
            if kept != sum {
                return Err(format!("books: gateways kept {kept} {currency}, and {sum} was sold"));
            }
        }
        match kept_sums.into_iter().find(|(_, sum)| !sum.is_zero()) {
            Some((currency, sum)) => Err(format!("books: gateways kept {sum} {currency} more than was sold")),
            None => Ok(()),
        }
    }

    /// What is open in the store, with the second since which it is: orders whose payment is not decided and refunds that
    /// have not ended.
    pub(crate) fn open(&self, world: &World) -> Result<Vec<(i64, String)>, Wrong> {
        let state = world.inspect().map_err(failed)?.state().map_err(failed)?;
        let mut open = Vec::new();
        for (id, order) in &state.orders {
            if let OrderStatus::Unknown | OrderStatus::Pending | OrderStatus::Paying = order.status {
                let undecided = order.attempts.iter().find(|attempt| attempt.is_undecided());
                let since = undecided.map_or(order.placed_at, |attempt| attempt.started_at);
                open.push((since.timestamp(), format!("{id} is {}", order.status.as_str())));
            }
            let unfinished = |it: &&renewd_core::order::Refund| {
                !it.outcome.is_final() && !matches!(it.outcome, RefundResult::Declined { .. })
            };
            for refund in order.refunds.iter().filter(unfinished) {
                let is = format!("refund {} of {id} is {:?}", refund.number, refund.outcome);
                open.push((refund.started_at.timestamp(), is));
            }
        }
        Ok(open)
    }
}
