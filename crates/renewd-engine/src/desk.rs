//! The desk: one short, locked visit to the store. Reading, deciding and committing happen here; people and plugins
//! are never waited for while a desk is open.

use crate::error::EngineError;
use crate::home::Home;
use crate::running::WARN_DAYS;
use crate::shelf::Blobs;
use chrono::{DateTime, Days, Utc};
use renewd_core::decide;
use renewd_core::documents::RenewalPolicy;
use renewd_core::event::{Event, RowKey};
use renewd_core::ids::{Digest, OrderId};
use renewd_core::order::{Order, OrderStatus, RefundResult};
use renewd_core::state::State;
use renewd_store::{Commit, Head, Sequence, Store};
use std::collections::BTreeSet;
use std::sync::Arc;

/// An open store with its state, and the events that this visit adds.
pub(crate) struct Desk {
    store: Store,
    home: Arc<dyn Home>,
    /// The state, with the events of this visit already applied. Final orders are loaded on demand.
    pub(crate) state: State,
    /// Whether there are orders in the state without the rows that events about them touch.
    has_bare_orders: bool,
    /// Sequence of the journal when the visit began.
    pub(crate) sequence: Sequence,
    events: Vec<Event>,
    at: DateTime<Utc>,
    actor: String,
    command: String,
}

/// Rows as a visit left them: for as long as the store and its head are the same, what the store has.
#[derive(Debug)]
pub(crate) struct Kept {
    head: Head,
    epoch: u32,
    pub(crate) state: State,
}

fn epoch(store: &Store) -> u32 {
    store.restored().map_or(0, |restored| restored.epoch)
}

impl Kept {
    /// The rows, where nobody has written since.
    pub(crate) fn still(self, store: &Store) -> Option<State> {
        (self.head == store.head() && self.epoch == epoch(store)).then_some(self.state)
    }

    /// Lets go of all orders but these, and of the rows that only others have.
    pub(crate) fn only(mut self, orders: &BTreeSet<OrderId>) -> Self {
        let state = &mut self.state;
        state.orders.retain(|id, _| orders.contains(id));
        let rows: BTreeSet<RowKey> = state.orders.values().flat_map(Order::rows).collect();
        state.live.retain(|id| orders.contains(id));
        state.resources.retain(|id, _| rows.contains(&RowKey::Resource(id.clone())));
        state.uses.retain(|key, _| rows.contains(&RowKey::Use(key.clone())));
        state.books.retain(|account, _| rows.contains(&RowKey::Book(account.clone())));
        self
    }
}

impl Desk {
    /// A visit to an open store with what was read of it; `who` is the moment, the user and the command line.
    pub(crate) fn new(store: Store, home: Arc<dyn Home>, state: State, who: (DateTime<Utc>, &str, &str)) -> Self {
        let (at, actor, command) = who;
        let sequence = store.head().sequence;
        let (actor, command) = (actor.to_owned(), command.to_owned());
        Self { store, home, state, has_bare_orders: false, sequence, events: Vec::new(), at, actor, command }
    }

    /// How often the store's history was restored.
    pub(crate) fn epoch(&self) -> u32 {
        epoch(&self.store)
    }

    /// The store, for queries beyond the working state.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Who is at the desk.
    pub(crate) fn actor(&self) -> &str {
        &self.actor
    }

    /// Loads an order that may be final, where it exists.
    pub(crate) fn load_order(&mut self, id: &OrderId) -> Result<(), EngineError> {
        if !self.state.orders.contains_key(id)
            && let Some(order) = self.store.order(id)?
        {
            self.state.orders.insert(id.clone(), order);
            self.has_bare_orders = true;
        }
        Ok(())
    }

    /// Brings in orders that are not here yet, with all rows that events about them touch, and what time did to them.
    pub(crate) fn bring_in(&mut self, orders: &[OrderId]) -> Result<(), EngineError> {
        let mut state = std::mem::take(&mut self.state);
        if std::mem::take(&mut self.has_bare_orders) {
            state = State { meta: state.meta, documents: state.documents, ..State::default() };
        }
        self.state = with_orders(&self.store, orders, state)?;
        self.settle_time()
    }

    /// Ends the visit. Every event must be committed.
    pub(crate) fn leave(self) -> Kept {
        Kept { head: self.store.head(), epoch: self.epoch(), state: self.state }
    }

    /// Brings in every order that there ever was.
    pub(crate) fn load_orders(&mut self) -> Result<(), EngineError> {
        for (id, order) in self.store.orders()? {
            self.state.orders.entry(id).or_insert(order);
        }
        self.has_bare_orders = true;
        Ok(())
    }

    /// Adds events to this visit and applies them.
    pub(crate) fn push(&mut self, events: Vec<Event>) {
        for event in events {
            self.state.apply(self.at, &event);
            self.events.push(event);
        }
    }

    /// Adds events that were applied to the state when they were decided.
    pub(crate) fn push_applied(&mut self, events: Vec<Event>) {
        self.events.extend(events);
    }

    /// Sequence that the next event of this visit will have.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.sequence.next().get().saturating_add(self.events.len() as u64)
    }

    /// Whether this visit has added anything.
    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Records what time and ended processes did to open orders: overdue ones expire, abandoned attempts and refunds
    /// are unknown.
    pub(crate) fn settle_time(&mut self) -> Result<(), EngineError> {
        let mut events = decide::expire_overdue(self.state.orders.values(), self.at);
        for order in self.state.orders.values().filter(|order| order.is_live()) {
            let refunds = order.refunds.iter().filter(|refund| refund.outcome == RefundResult::InFlight);
            let mut alive = BTreeSet::new();
            for owner in order.last_attempt().map(|attempt| &attempt.owner).into_iter().chain(refunds.map(|r| &r.owner))
            {
                let is_alive = self.home.owner_alive(owner)? && !renewd_core::planted::is("owners-look-dead");
                if is_alive || renewd_core::planted::is("owners-never-die") {
                    alive.insert(owner.clone());
                }
            }
            let abandoned = order.last_attempt().is_some_and(|attempt| !alive.contains(&attempt.owner));
            if order.status == OrderStatus::Paying && abandoned {
                events.extend(decide::abandoned(order));
            }
            events.extend(decide::abandoned_refund(order, |refund| alive.contains(&refund.owner)));
        }
        self.push(events);
        Ok(())
    }

    /// Commits the events of this visit as one unit; durable when it returns.
    ///
    /// # Errors
    /// The journal moved meanwhile (it cannot while the desk holds the lock), is full, or failed.
    pub(crate) fn commit(&mut self) -> Result<(), EngineError> {
        if self.events.is_empty() {
            return Ok(());
        }
        let commit = Commit {
            at: self.at,
            actor: self.actor.clone(),
            command: self.command.clone(),
            events: std::mem::take(&mut self.events),
        };
        if renewd_core::planted::is("outcome-not-written")
            && commit.events.iter().any(|it| matches!(it, Event::OrderSettled { .. }))
        {
            return Ok(());
        }
        let head = self.store.commit(commit, self.sequence)?;
        self.sequence = head.sequence;
        Ok(())
    }

    /// Keeps bytes by their digest, before the events that name it.
    pub(crate) fn put_blob(&mut self, bytes: &[u8]) -> Result<Digest, EngineError> {
        Ok(self.store.put_blob(bytes)?)
    }
}

/// Everything but final orders and single top-ups, which are loaded on demand.
pub(crate) fn working_state(store: &Store) -> Result<State, EngineError> {
    let orders = store.open_orders()?;
    Ok(State {
        meta: store.meta()?,
        documents: store.documents()?,
        resources: store.resources()?,
        live: orders.keys().cloned().collect(),
        orders,
        books: store.accounts()?,
        uses: store.uses()?,
        topups: std::collections::BTreeMap::new(),
        sinks: store.sinks()?,
    })
}

/// Some orders with all rows that events about them touch, beside what `known` already has. Where it has them all the
/// store is asked for nothing.
pub(crate) fn with_orders(store: &Store, orders: &[OrderId], mut known: State) -> Result<State, EngineError> {
    let missing = orders.iter().filter(|id| !known.orders.contains_key(*id));
    let keys: Vec<RowKey> = missing.cloned().map(RowKey::Order).collect();
    if keys.is_empty() {
        return Ok(known);
    }
    let found = store.load(&keys)?.orders;
    let keys: Vec<RowKey> = found.values().flat_map(Order::rows).collect();
    let State { resources, orders, live, books, uses, .. } = store.load(&keys)?;
    known.resources.extend(resources);
    known.orders.extend(orders);
    known.live.extend(live);
    known.books.extend(books);
    known.uses.extend(uses);
    Ok(known)
}

/// Days ahead of an expiry for which a run looks, where no policy in force looks further. What was sold under a policy
/// that noted an expiry still earlier, and has been edited since, is noted so many days ahead. Terms are months: with
/// more days here every run would read most of a fleet.
const LOOK_AHEAD_DAYS: u32 = 15;

/// Live orders with their rows, and the resources that expire soon or have expired and are not released, beside what
/// `known` already has.
pub(crate) fn state_of_due(store: &Store, known: State, at: DateTime<Utc>) -> Result<State, EngineError> {
    let warned = |policy: &RenewalPolicy| policy.auto.charge_before.0.saturating_add(WARN_DAYS);
    let ahead = known.policies().map(|policy| policy.windows.expiring.0.max(warned(policy))).max();
    let ahead = ahead.unwrap_or_default().max(LOOK_AHEAD_DAYS).saturating_add(1);
    let until = at.checked_add_days(Days::new(ahead.into())).unwrap_or(at);
    let orders = store.open_orders()?;
    let mut keys: Vec<RowKey> = orders.values().flat_map(Order::rows).collect();
    keys.extend(store.expiring_until(until)?.into_iter().map(RowKey::Resource));
    let State { resources, orders, live, uses, .. } = store.load(&keys)?;
    Ok(State { resources, orders, live, uses, books: store.accounts()?, ..known })
}

impl Blobs for Desk {
    fn blob(&self, digest: &Digest) -> Result<Vec<u8>, EngineError> {
        Ok(self.store.blob(digest)?)
    }
}
