//! Brings a commit into the index: load the rows it touches, apply its events, write back what changed.
//!
//! Must never apply a commit to rows that are not exactly at the commit before: applying is not idempotent, only
//! the writing of its result is. The caller has checked the mark (and the sums, where in doubt).

use super::Index;
use super::error::IndexError;
use super::history::{Entries, Pointer};
use super::{expiry, places};
use crate::failpoint::failpoint;
use crate::journal::scan::Run;
use crate::sequence::{Place, Sequence};
use chrono::{DateTime, Utc};
use renewd_core::event::{Event, RowKey, Subject};
use renewd_core::ids::Digest;
use renewd_core::order::Order;
use renewd_core::state::State;
use std::collections::BTreeMap;

/// An event, and where it lies in the journal.
pub(crate) struct EventView {
    pub(crate) sequence: Sequence,
    pub(crate) offset: u64,
    pub(crate) event: Event,
}

/// A commit as the index needs it.
pub(crate) struct CommitView {
    pub(crate) at: DateTime<Utc>,
    pub(crate) header_offset: u64,
    pub(crate) events: Vec<EventView>,
    pub(crate) place: Place,
}

impl CommitView {
    /// Reads the events of a run.
    pub(crate) fn read(run: Run) -> Result<Self, IndexError> {
        let read = |event: crate::journal::scan::EventAt| {
            let parsed = serde_json::from_slice(&event.payload);
            let event_of =
                |error: serde_json::Error| IndexError::Event { sequence: event.sequence, reason: error.to_string() };
            Ok(EventView { sequence: event.sequence, offset: event.offset, event: parsed.map_err(event_of)? })
        };
        let events = run.events.into_iter().map(read).collect::<Result<_, IndexError>>()?;
        Ok(Self { at: run.header.at, header_offset: run.header_offset, events, place: run.place })
    }
}

/// The order that an event names, as it is before the event.
pub(super) fn named_order(state: &State, event: &Event) -> Option<Order> {
    event.order().and_then(|id| state.orders.get(id)).cloned()
}

pub(super) fn pointer(commit: &CommitView, view: &EventView) -> Pointer {
    Pointer { sequence: view.sequence, header_offset: commit.header_offset, offset: view.offset }
}

/// A row as it was before the commit: its digest, and where the expiry index has it.
struct Before {
    digest: Option<Digest>,
    expiry: Option<Vec<u8>>,
}

/// The rows that a commit works on, and how they were before.
#[derive(Default)]
struct WorkingSet {
    state: State,
    before: BTreeMap<RowKey, Before>,
}

/// Where a row has to be in the expiry index.
fn expiry_key(state: &State, key: &RowKey) -> Option<Vec<u8>> {
    match key {
        RowKey::Resource(id) => state.resources.get(id).and_then(expiry::key),
        RowKey::Meta
        | RowKey::Document(_)
        | RowKey::Order(_)
        | RowKey::Live(_)
        | RowKey::Book(_)
        | RowKey::Use(_)
        | RowKey::TopUp(..)
        | RowKey::Sink(_) => None,
    }
}

impl WorkingSet {
    fn load(&mut self, index: &Index, key: &RowKey) -> Result<(), IndexError> {
        if self.before.contains_key(key) {
            return Ok(());
        }
        let stored = index.get(key.tree(), &key.key_bytes())?;
        self.state.put_row_json(key, stored.as_ref().map(|(_, content)| content.as_slice()))?;
        let expiry = expiry_key(&self.state, key);
        self.before.insert(key.clone(), Before { digest: stored.map(|(digest, _)| digest), expiry });
        Ok(())
    }

    /// Applies one event and says what it is about.
    fn apply(&mut self, index: &Index, at: DateTime<Utc>, event: &Event) -> Result<Vec<Subject>, IndexError> {
        if let Some(id) = event.order() {
            self.load(index, &RowKey::Order(id.clone()))?;
        }
        let order = named_order(&self.state, event);
        for key in event.touches_with(order.as_ref()) {
            self.load(index, &key)?;
        }
        self.state.apply(at, event);
        Ok(event.subjects(order.as_ref()))
    }
}

impl Index {
    /// The state of all rows that these events may read or write.
    pub(crate) fn load_touched(&self, events: &[Event]) -> Result<State, IndexError> {
        let mut set = WorkingSet::default();
        for event in events {
            if let Some(id) = event.order() {
                set.load(self, &RowKey::Order(id.clone()))?;
            }
            let order = named_order(&set.state, event);
            for key in event.touches_with(order.as_ref()) {
                set.load(self, &key)?;
            }
        }
        Ok(set.state)
    }

    /// Brings the next commit into the index.
    pub(crate) fn apply(&mut self, commit: &CommitView) -> Result<(), IndexError> {
        failpoint("index.before-write");
        let mut set = WorkingSet::default();
        let mut history = Entries::default();
        for view in &commit.events {
            history.add(&set.apply(self, commit.at, &view.event)?, pointer(commit, view));
        }
        self.remember(&history)?;
        places::of(commit).map_or(Ok(()), |place| self.put_place(place))?;
        failpoint("index.mid-write");
        for (key, before) in &set.before {
            let content = set.state.row_json(key);
            self.replace(key.tree(), &key.key_bytes(), before.digest.as_ref(), content.as_deref())?;
            self.move_expiry(before.expiry.as_deref(), expiry_key(&set.state, key).as_deref())?;
        }
        failpoint("index.before-watermark");
        self.write_mark(commit.place)?;
        failpoint("index.after-watermark");
        Ok(())
    }
}
