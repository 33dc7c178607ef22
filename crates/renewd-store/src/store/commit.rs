//! Commits: one durable barrier, then the index.

use super::{CommitError, Mode, Store};
use crate::index::{CommitView, EventView};
use crate::journal::RunHeader;
use crate::sequence::{Head, Sequence};
use chrono::{DateTime, Utc};
use renewd_core::event::Event;

/// What is to be committed: all of it or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// The instant that the command read from the clock, once.
    pub at: DateTime<Utc>,
    /// The user of the operating system.
    pub actor: String,
    /// The command, as the user wrote it.
    pub command: String,
    /// What happened, in order.
    pub events: Vec<Event>,
}

impl Store {
    /// Commits the events if the store is still at `expected`. When this returns without error they are durable,
    /// and every later query, by whatever process, sees them. A commit without events changes nothing.
    ///
    /// # Errors
    /// See [`CommitError`]. After [`CommitError::Io`] and [`CommitError::Poisoned`] it is not known whether the
    /// commit was made; the next open finds it whole or not at all.
    pub fn commit(&mut self, commit: Commit, expected: Sequence) -> Result<Head, CommitError> {
        if self.mode == Mode::Read {
            return Err(CommitError::ReadOnly);
        }
        let inner = self.inner.get_mut();
        let found = inner.journal.head();
        if found.sequence != expected {
            return Err(CommitError::Moved { expected, found: found.sequence });
        }
        if commit.events.is_empty() {
            return Ok(found);
        }
        let payloads = encode(&commit.events)?;
        let header = RunHeader { at: commit.at, actor: commit.actor, command: commit.command };
        let appended = inner.journal.append(&header, &payloads)?;
        drop(payloads);
        let places = appended.events.into_iter().zip(commit.events);
        let events = places.map(|((sequence, offset), event)| EventView { sequence, offset, event }).collect();
        let view = CommitView { at: commit.at, header_offset: appended.header_offset, events, place: appended.place };
        // The commit is durable. If the index fails it is given up; the next question rebuilds it.
        if renewd_core::planted::is("index-not-written") {
            return Ok(appended.place.head);
        }
        if inner.index.as_mut().is_some_and(|index| index.apply(&view).is_err()) {
            inner.index = None;
        }
        Ok(appended.place.head)
    }
}

/// INVARIANT (readable): an event is journaled only if its JSON reads back as the same event. A journal that cannot
/// be read again could never be rebuilt from.
fn encode(events: &[Event]) -> Result<Vec<Vec<u8>>, CommitError> {
    let mut payloads = Vec::with_capacity(events.len());
    for (index, event) in events.iter().enumerate() {
        let payload = serde_json::to_vec(event)?;
        let unfaithful = |reason: String| CommitError::Unfaithful { number: index + 1, reason };
        let back: Event = serde_json::from_slice(&payload).map_err(|error| unfaithful(error.to_string()))?;
        if back != *event {
            return Err(unfaithful("its content differs".to_owned()));
        }
        payloads.push(payload);
    }
    Ok(payloads)
}
