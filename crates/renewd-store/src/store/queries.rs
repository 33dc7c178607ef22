//! Questions. Each answers from the index, or, where the index fails, from one that was just rebuilt.

use super::rows::{row_key, tree};
use super::{Store, StoreError};
use crate::index::{Index, IndexError};
use crate::journal::JournalError;
use crate::sequence::Sequence;
use chrono::{DateTime, Utc};
use renewd_core::documents::{Document, DocumentKey};
use renewd_core::event::{Event, RowKey, Subject, UseKey};
use renewd_core::ids::{AccountName, OrderId, ResourceId, SinkName};
use renewd_core::money::Money;
use renewd_core::order::Order;
use renewd_core::resource::Resource;
use renewd_core::state::{Book, Meta, SinkCursor, State, Use};
use std::collections::BTreeMap;

/// One event in the history of a subject.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    /// The number of its record.
    pub sequence: Sequence,
    /// When it was committed.
    pub at: DateTime<Utc>,
    /// By whom.
    pub actor: String,
    /// With which command.
    pub command: String,
    /// What happened.
    pub event: Event,
}

/// Why a walk through the journal ends before the journal does.
enum Stop {
    Enough,
    Failed(StoreError),
}

impl From<JournalError> for Stop {
    fn from(error: JournalError) -> Self {
        Self::Failed(error.into())
    }
}

impl Store {
    fn ask<T>(&self, question: impl Fn(&Index) -> Result<T, IndexError>) -> Result<T, StoreError> {
        self.inner.borrow_mut().ask(question)
    }

    fn trees(&self, trees: &[&str]) -> Result<State, StoreError> {
        self.ask(|index| {
            let mut state = State::default();
            for tree in trees {
                index.each(tree, &mut |key, content| {
                    let row = row_key(tree, key, content).ok_or(IndexError::Unfit("has a row that is none"))?;
                    Ok(state.put_row_json(&row, Some(content))?)
                })?;
            }
            Ok(state)
        })
    }

    /// Everything, as one state.
    ///
    /// # Errors
    /// The index failed and could not be rebuilt. So for every question here.
    pub fn state(&self) -> Result<State, StoreError> {
        self.trees(&RowKey::TREES)
    }

    /// Everything but the orders that nobody has to look after any more: what most decisions are made on.
    /// [`Store::order`] brings one of the others.
    pub fn working_state(&self) -> Result<State, StoreError> {
        let trees: Vec<&str> = RowKey::TREES.into_iter().filter(|tree| *tree != tree::ORDERS).collect();
        let mut state = self.trees(&trees)?;
        state.orders = self.orders_of(&state)?;
        Ok(state)
    }

    /// The live orders of a state that has their marks.
    fn orders_of(&self, marked: &State) -> Result<BTreeMap<OrderId, Order>, StoreError> {
        let keys: Vec<RowKey> = marked.live.iter().cloned().map(RowKey::Order).collect();
        Ok(self.load(&keys)?.orders)
    }

    /// The rows with these keys, as a state.
    pub fn load(&self, keys: &[RowKey]) -> Result<State, StoreError> {
        self.ask(|index| index.load(keys))
    }

    /// All rows that these events would read or write, as a state.
    pub fn load_touched(&self, events: &[Event]) -> Result<State, StoreError> {
        self.ask(|index| index.load_touched(events))
    }

    /// Counters.
    pub fn meta(&self) -> Result<Meta, StoreError> {
        Ok(self.load(&[RowKey::Meta])?.meta)
    }

    /// A resource.
    pub fn resource(&self, id: &ResourceId) -> Result<Option<Resource>, StoreError> {
        Ok(self.load(&[RowKey::Resource(id.clone())])?.resources.remove(id))
    }

    /// All resources.
    pub fn resources(&self) -> Result<BTreeMap<ResourceId, Resource>, StoreError> {
        Ok(self.trees(&[tree::RESOURCES])?.resources)
    }

    /// The prepaid resources that expire at `until` or before, in the order in which they do. Neither a resource
    /// nor any other key is read.
    pub fn expiring_until(&self, until: DateTime<Utc>) -> Result<Vec<ResourceId>, StoreError> {
        self.ask(|index| index.expiring_until(until))
    }

    /// An order.
    pub fn order(&self, id: &OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.load(&[RowKey::Order(id.clone())])?.orders.remove(id))
    }

    /// All orders, the final ones included.
    pub fn orders(&self) -> Result<BTreeMap<OrderId, Order>, StoreError> {
        Ok(self.trees(&[tree::ORDERS])?.orders)
    }

    /// The live orders: those that somebody still has to look after. No other order is read.
    pub fn open_orders(&self) -> Result<BTreeMap<OrderId, Order>, StoreError> {
        self.orders_of(&self.trees(&[tree::LIVE])?)
    }

    /// An account's money as renewd keeps it; empty where nothing was ever kept.
    pub fn book(&self, account: &AccountName) -> Result<Book, StoreError> {
        Ok(self.load(&[RowKey::Book(account.clone())])?.books.remove(account).unwrap_or_default())
    }

    /// The money of all accounts for which any was ever kept.
    pub fn accounts(&self) -> Result<BTreeMap<AccountName, Book>, StoreError> {
        Ok(self.trees(&[tree::BOOKS])?.books)
    }

    /// A document in force.
    pub fn document(&self, key: &DocumentKey) -> Result<Option<Document>, StoreError> {
        Ok(self.load(&[RowKey::Document(key.clone())])?.documents.remove(key))
    }

    /// All documents in force.
    pub fn documents(&self) -> Result<BTreeMap<DocumentKey, Document>, StoreError> {
        Ok(self.trees(&[tree::DOCUMENTS])?.documents)
    }

    /// The use of a request for a resource.
    pub fn use_of(&self, key: &UseKey) -> Result<Option<Use>, StoreError> {
        Ok(self.load(&[RowKey::Use(key.clone())])?.uses.remove(key))
    }

    /// All uses of requests.
    pub fn uses(&self) -> Result<BTreeMap<UseKey, Use>, StoreError> {
        Ok(self.trees(&[tree::USES])?.uses)
    }

    /// What was topped up under this reference.
    pub fn topup(&self, account: &AccountName, reference: &str) -> Result<Option<Money>, StoreError> {
        let name = (account.clone(), reference.to_owned());
        let mut state = self.load(&[RowKey::TopUp(account.clone(), reference.to_owned())])?;
        Ok(state.topups.remove(&name))
    }

    /// How far all sinks have been told.
    pub fn sinks(&self) -> Result<BTreeMap<SinkName, SinkCursor>, StoreError> {
        Ok(self.trees(&[tree::SINKS])?.sinks)
    }

    /// Everything that happened to a subject, oldest first, each event verified in the journal.
    ///
    /// # Errors
    /// Also: an event of it is damaged in the journal; the error names the record.
    pub fn history(&self, subject: &Subject) -> Result<Vec<HistoryEntry>, StoreError> {
        let pointers = self.ask(|index| index.history(subject))?;
        let journal = &mut self.inner.borrow_mut().journal;
        let mut entries = Vec::with_capacity(pointers.len());
        for pointer in pointers {
            let (run, payload) = journal.read_event(pointer.header_offset, pointer.offset, pointer.sequence)?;
            let event = serde_json::from_slice(&payload)
                .map_err(|error| IndexError::Event { sequence: pointer.sequence, reason: error.to_string() })?;
            entries.push(HistoryEntry {
                sequence: pointer.sequence,
                at: run.at,
                actor: run.actor,
                command: run.command,
                event,
            });
        }
        Ok(entries)
    }

    /// Every event after `after`, oldest first, handed to `visit` as it is read and verified. Of what is before
    /// `after` no more is read than the next known place asks for.
    ///
    /// # Errors
    /// The journal is damaged or cannot be read, or `visit` says so.
    pub fn events_after(
        &self,
        after: Sequence,
        mut visit: impl FnMut(HistoryEntry) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match self.walk_after(after, |entry| visit(entry).map_err(Stop::Failed)) {
            Err(Stop::Failed(error)) => Err(error),
            Ok(()) | Err(Stop::Enough) => Ok(()),
        }
    }

    /// The first `most` events after `after`, oldest first, and at least one where there is one. Of what follows them
    /// no more is read than a window of the journal.
    ///
    /// # Errors
    /// The journal is damaged or cannot be read.
    pub fn events_page(&self, after: Sequence, most: usize) -> Result<Vec<HistoryEntry>, StoreError> {
        let mut page = Vec::new();
        let visit = |entry| {
            page.push(entry);
            if page.len() < most { Ok(()) } else { Err(Stop::Enough) }
        };
        match self.walk_after(after, visit) {
            Err(Stop::Failed(error)) => Err(error),
            Ok(()) | Err(Stop::Enough) => Ok(page),
        }
    }

    fn walk_after(&self, after: Sequence, mut visit: impl FnMut(HistoryEntry) -> Result<(), Stop>) -> Result<(), Stop> {
        let mut inner = self.inner.borrow_mut();
        let from = inner.place_up_to(after).map_err(Stop::Failed)?;
        inner.journal.replay(from, |run| -> Result<(), Stop> {
            if run.place.head.sequence <= after {
                return Ok(());
            }
            for record in run.events.into_iter().filter(|record| record.sequence > after) {
                let event = serde_json::from_slice(&record.payload).map_err(|error: serde_json::Error| {
                    JournalError::from(crate::journal::Damage {
                        record: record.sequence,
                        offset: record.offset,
                        reason: format!("its event cannot be read: {error}"),
                        intact_records: record.sequence,
                        intact_bytes: record.offset,
                    })
                })?;
                let header = run.header.clone();
                let entry = HistoryEntry {
                    sequence: record.sequence,
                    at: header.at,
                    actor: header.actor,
                    command: header.command,
                    event,
                };
                visit(entry)?;
            }
            Ok(())
        })
    }
}
