//! The desk: one short, locked visit to the store. Reading, deciding and committing happen here; people and plugins
//! are never waited for while a desk is open.

use crate::error::EngineError;
use crate::shelf::Blobs;
use chrono::{DateTime, Utc};
use renewd_core::decide;
use renewd_core::event::Event;
use renewd_core::ids::{Digest, OrderId};
use renewd_core::order::OrderStatus;
use renewd_core::state::State;
use renewd_store::{Commit, Sequence, Store};

/// An open store with its state, and the events that this visit adds.
pub(crate) struct Desk {
    store: Store,
    /// The state, with the events of this visit already applied. Final orders are loaded on demand.
    pub(crate) state: State,
    /// Sequence of the journal when the visit began.
    pub(crate) sequence: Sequence,
    events: Vec<Event>,
    at: DateTime<Utc>,
    actor: String,
    command: String,
}

impl Desk {
    pub(crate) fn new(store: Store, at: DateTime<Utc>, actor: &str, command: &str) -> Result<Self, EngineError> {
        let state = working_state(&store)?;
        let sequence = store.head().sequence;
        Ok(Self {
            store,
            state,
            sequence,
            events: Vec::new(),
            at,
            actor: actor.to_owned(),
            command: command.to_owned(),
        })
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
        }
        Ok(())
    }

    /// Adds events to this visit and applies them.
    pub(crate) fn push(&mut self, events: Vec<Event>) {
        for event in events {
            self.state.apply(self.at, &event);
            self.events.push(event);
        }
    }

    /// Sequence that the next event of this visit will have.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.sequence.next().get().saturating_add(self.events.len() as u64)
    }

    /// Whether this visit has added anything.
    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Records what time and ended processes did to open orders: overdue ones expire, abandoned ones are unknown.
    pub(crate) fn settle_time(&mut self) -> Result<(), EngineError> {
        let mut events = decide::expire_overdue(self.state.orders.values(), self.at);
        for order in self.state.orders.values().filter(|order| order.status == OrderStatus::Paying) {
            let alive = match order.last_attempt() {
                Some(attempt) => renewd_store::owner_alive(self.store.dir(), &attempt.owner)?,
                None => false,
            };
            if !alive {
                events.extend(decide::abandoned(order));
            }
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
fn working_state(store: &Store) -> Result<State, EngineError> {
    Ok(State {
        meta: store.meta()?,
        documents: store.documents()?,
        resources: store.resources()?,
        orders: store.open_orders()?,
        books: store.accounts()?,
        uses: store.uses()?,
        topups: std::collections::BTreeMap::new(),
    })
}

impl Blobs for Desk {
    fn blob(&self, digest: &Digest) -> Result<Vec<u8>, EngineError> {
        Ok(self.store.blob(digest)?)
    }
}
