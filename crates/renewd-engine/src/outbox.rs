//! The outbox: what happened, told to sinks, at least once and in order.
//!
//! The journal is the outbox. An event and the change that it tells are one durable commit, and how far a sink has been
//! told is journaled like everything else, so nothing can happen untold and nothing is told that did not happen.
//!
//! INVARIANT (told-then-journaled): a cursor moves only over what its sink has taken. A process that dies in between
//! tells again, under the same ids.
//!
//! Must never: hold the store while a sink is told, let one sink hold up another, or fail a run.

mod cloud_event;
mod file;
mod limits;
mod mapping;
mod signature;
#[cfg(test)]
mod tests;
mod webhook;

pub(crate) use limits::OutboxLimits;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::view::{SinkBehind, SinkView};
use chrono::{DateTime, Utc};
use cloud_event::{CloudEvent, Teller};
use renewd_core::calendar::rfc3339_in;
use renewd_core::documents::{Document, EventKind, EventSink, SecretSource, SinkTarget};
use renewd_core::event::{Event, RowKey};
use renewd_core::state::{SinkCursor, State};
use renewd_core::web::WebUrl;
use renewd_store::{HistoryEntry, Sequence, Store};
use signature::Key;
use std::path::{Path, PathBuf};
use std::time::Instant;
use webhook::Webhook;

/// What a sink is to be told next.
struct Batch {
    cursor: SinkCursor,
    records: Vec<Record>,
    /// Whether there may be more behind it.
    full: bool,
}

/// One record of the journal, as what a sink is told of it: often nothing.
struct Record {
    sequence: u64,
    events: Vec<Letter>,
}

/// One event as a sink is told it.
struct Letter {
    /// The word for its kind, and its id.
    name: String,
    /// The CloudEvent, as JSON.
    body: String,
}

/// How far a sink was told.
struct Told {
    through: u64,
    events: usize,
    end: End,
}

/// Why a batch ended.
enum End {
    /// It was told whole.
    Whole,
    /// The next event could not be delivered.
    Failed(String),
    /// The run has told enough.
    Enough,
}

impl Engine {
    /// Tells every sink what it has not been told. Answers those that were told something or could not be.
    ///
    /// # Errors
    /// The store fails. A sink that fails is an item of the answer, not an error.
    pub(crate) fn deliver_events(
        &self,
        now: DateTime<Utc>,
        limits: &OutboxLimits,
    ) -> Result<Vec<SinkView>, EngineError> {
        let sinks: Vec<EventSink> = {
            let desk = self.desk_for(&[], now)?;
            sinks(&desk.state).cloned().collect()
        };
        let mut views = Vec::new();
        for sink in &sinks {
            let view = self.deliver_to(sink, now, limits)?;
            if view.delivered > 0 || view.behind.is_some() {
                views.push(view);
            }
        }
        Ok(views)
    }

    fn deliver_to(&self, sink: &EventSink, now: DateTime<Utc>, limits: &OutboxLimits) -> Result<SinkView, EngineError> {
        let until = Instant::now().checked_add(limits.run).unwrap_or_else(Instant::now);
        let to = match &sink.target {
            SinkTarget::Webhook { url, .. } => url.clone(),
            SinkTarget::File { path } => self.path_of(sink, path).display().to_string(),
        };
        let mut view = SinkView { sink: sink.name.to_string(), to, delivered: 0, behind: None };
        let enough = || SinkBehind {
            since: rfc3339_in(now, chrono_tz::UTC),
            failed: false,
            reason: "there is more than one run tells; the next goes on".to_owned(),
        };
        for _ in 0..limits.batches {
            let Some(batch) = self.next_batch(sink, now, limits)? else { return Ok(view) };
            let told = self.tell(sink, &batch, (limits, until));
            view.delivered = view.delivered.saturating_add(told.events);
            let cursor = self.journal(sink, &batch, &told, now)?;
            match told.end {
                End::Whole if batch.full => {}
                End::Whole => return Ok(view),
                End::Enough => return Ok(SinkView { behind: Some(enough()), ..view }),
                End::Failed(reason) => {
                    let since = cursor.failure.map_or(now, |failure| failure.since);
                    let behind = SinkBehind { since: rfc3339_in(since, chrono_tz::UTC), failed: true, reason };
                    return Ok(SinkView { behind: Some(behind), ..view });
                }
            }
        }
        Ok(SinkView { behind: Some(enough()), ..view })
    }

    /// Reads what comes after a sink's cursor; none where nothing does.
    fn next_batch(
        &self,
        sink: &EventSink,
        now: DateTime<Utc>,
        limits: &OutboxLimits,
    ) -> Result<Option<Batch>, EngineError> {
        let desk = self.desk_for(&[], now)?;
        let store = desk.store();
        let Some(cursor) = cursor_of(store, sink)? else { return Ok(None) };
        let entries = store.events_page(Sequence::new(cursor.through), limits.batch_records.max(1))?;
        if entries.is_empty() {
            return Ok(None);
        }
        let full = entries.len() >= limits.batch_records;
        let teller = Teller::of(store);
        let records = entries.iter().map(|entry| record(store, &teller, sink, entry)).collect::<Result<_, _>>()?;
        Ok(Some(Batch { cursor, records, full }))
    }

    fn tell(&self, sink: &EventSink, batch: &Batch, (limits, until): (&OutboxLimits, Instant)) -> Told {
        if batch.records.iter().all(|record| record.events.is_empty()) {
            return batch.told(batch.records.len(), End::Whole);
        }
        crate::failpoint("outbox.before-deliver");
        let told = match &sink.target {
            SinkTarget::Webhook { url, secret } => match self.webhook(url, secret, limits) {
                Ok(webhook) => batch.send(&webhook, || self.now(), until),
                Err(why) => batch.told(0, End::Failed(why)),
            },
            SinkTarget::File { path } => {
                let letters = batch.records.iter().flat_map(|record| &record.events);
                let lines: Vec<&str> = letters.map(|letter| letter.body.as_str()).collect();
                match file::append(&self.path_of(sink, path), &lines) {
                    Ok(()) => batch.told(batch.records.len(), End::Whole),
                    Err(why) => batch.told(0, End::Failed(why)),
                }
            }
        };
        crate::failpoint("outbox.after-deliver");
        told
    }

    fn webhook(&self, url: &str, secret: &SecretSource, limits: &OutboxLimits) -> Result<Webhook, String> {
        let url = WebUrl::parse(url).map_err(|error| format!("its URL cannot be sent to: {error}"))?;
        let key = Key::read(secret)?;
        Ok(Webhook { network: self.outside.network(), url, key, deadline: limits.delivery })
    }

    /// The file of a sink. A rehearsal writes into its own folder.
    fn path_of(&self, sink: &EventSink, path: &str) -> PathBuf {
        if !self.outside.is_rehearsal() {
            return PathBuf::from(path);
        }
        let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
        let name: String = sink.name.as_str().chars().map(plain).collect();
        let store = std::path::absolute(&self.options.store).unwrap_or_else(|_| self.options.store.clone());
        store.join(Path::new(&format!("events-{name}.ndjson")))
    }

    /// Journals how far a sink was told, where that says something new. Answers the cursor that then holds.
    fn journal(
        &self,
        sink: &EventSink,
        batch: &Batch,
        told: &Told,
        now: DateTime<Utc>,
    ) -> Result<SinkCursor, EngineError> {
        let failed = match &told.end {
            End::Failed(why) => Some(why.clone()),
            End::Whole | End::Enough => None,
        };
        let known = batch.cursor.failure.as_ref().map(|failure| failure.reason.as_str());
        let passed = batch.full && batch.cursor.through < told.through;
        if told.events == 0 && known == failed.as_deref() && !passed {
            return Ok(batch.cursor.clone());
        }
        let mut desk = self.desk_for(&[], now)?;
        let current = cursor_of(desk.store(), sink)?;
        let removed = !sinks(&desk.state).any(|known| known.name == sink.name);
        // Another process may have told it more meanwhile; a cursor never goes back.
        let Some(current) = current.filter(|current| !removed && current.through <= told.through) else {
            return Ok(batch.cursor.clone());
        };
        desk.state.sinks.insert(sink.name.clone(), current);
        desk.push(vec![Event::EventsDelivered { sink: sink.name.clone(), through: told.through, failed }]);
        desk.commit()?;
        Ok(desk.state.sinks.get(&sink.name).cloned().unwrap_or_default())
    }
}

impl Batch {
    /// What it means that so many records were told.
    fn told(&self, records: usize, end: End) -> Told {
        let told = self.records.get(..records).unwrap_or(&self.records);
        let through = told.last().map_or(self.cursor.through, |record| record.sequence);
        Told { through, events: told.iter().map(|record| record.events.len()).sum(), end }
    }

    /// Sends event by event, and stops at the first that is not taken. Each is signed at the moment at which it is sent:
    /// a receiver refuses what is old.
    fn send(&self, webhook: &Webhook, now: impl Fn() -> DateTime<Utc>, until: Instant) -> Told {
        for (number, record) in self.records.iter().enumerate() {
            for event in &record.events {
                if Instant::now() >= until {
                    return self.told(number, End::Enough);
                }
                if let Err(why) = webhook.send(&event.body, now()) {
                    return self.told(number, End::Failed(format!("{why}; first in line is {}", event.name)));
                }
            }
        }
        self.told(self.records.len(), End::Whole)
    }
}

fn sinks(state: &State) -> impl Iterator<Item = &EventSink> {
    state
        .documents
        .values()
        .filter_map(|document| if let Document::EventSink(sink) = document { Some(sink) } else { None })
}

/// How far a sink was told; applying its document said where it begins.
fn cursor_of(store: &Store, sink: &EventSink) -> Result<Option<SinkCursor>, EngineError> {
    Ok(store.load(&[RowKey::Sink(sink.name.clone())])?.sinks.remove(&sink.name))
}

/// What a sink is told of a record.
fn record(store: &Store, teller: &Teller, sink: &EventSink, entry: &HistoryEntry) -> Result<Record, EngineError> {
    let mut keys: Vec<RowKey> =
        entry.event.touches().into_iter().filter(|key| matches!(key, RowKey::Resource(_))).collect();
    keys.extend(entry.event.order().cloned().map(RowKey::Order));
    let rows = store.load(&keys)?;
    let wanted = mapping::cloud_events(teller, entry, &rows).into_iter().filter(|(kind, _)| sink.wants(*kind));
    let letter = |(kind, event): (EventKind, CloudEvent)| match serde_json::to_string(&event) {
        Ok(body) => Ok(Letter { name: format!("`{kind}` {}", event.id), body }),
        Err(error) => Err(EngineError::Bug(error.to_string())),
    };
    let events = wanted.map(letter).collect::<Result<_, _>>()?;
    Ok(Record { sequence: entry.sequence.get(), events })
}

/// Where new sinks begin: everything after `base` is told, the commit that brings them included.
pub(crate) fn first_cursors(before: &State, after: &State, base: Sequence) -> Vec<Event> {
    let known = |sink: &EventSink| sinks(before).any(|known| known.name == sink.name);
    let new = sinks(after).filter(|sink| !known(sink));
    new.map(|sink| Event::EventsDelivered { sink: sink.name.clone(), through: base.get(), failed: None }).collect()
}
