//! How far sinks have been told: cursors as the sum of events.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod fixtures;

use fixtures::at;
use renewd_core::documents::{DocumentKey, DocumentKind};
use renewd_core::event::{Event, RowKey};
use renewd_core::ids::SinkName;
use renewd_core::state::{SinkCursor, SinkFailure, State};

const T1: &str = "2026-11-01T00:00:00Z";
const T2: &str = "2026-11-02T00:00:00Z";

fn sink() -> SinkName {
    "log".parse().unwrap()
}

fn delivered(through: u64, failed: Option<&str>) -> Event {
    Event::EventsDelivered { sink: sink(), through, failed: failed.map(str::to_owned) }
}

fn failure(since: &str, reason: &str) -> Option<SinkFailure> {
    Some(SinkFailure { since: at(since), reason: reason.to_owned() })
}

#[test]
fn a_failure_lasts_from_the_first_try_that_delivered_nothing() {
    let mut state = State::default();
    let mut apply = |time: &str, event: &Event| {
        state.apply(at(time), event);
        state.sinks.get(&sink()).cloned().unwrap()
    };
    assert_eq!(apply(T1, &delivered(7, None)), SinkCursor { through: 7, failure: None });
    assert_eq!(apply(T1, &delivered(7, Some("down"))).failure, failure(T1, "down"));
    assert_eq!(apply(T2, &delivered(7, Some("500"))).failure, failure(T1, "500"), "another reason, the same silence");
    assert_eq!(apply(T2, &delivered(9, Some("500"))).failure, failure(T2, "500"), "something got through");
    assert_eq!(apply(T2, &delivered(12, None)), SinkCursor { through: 12, failure: None });
}

#[test]
fn a_sink_that_is_removed_forgets_how_far_it_was() {
    let removed = Event::DocumentRemoved { key: DocumentKey { kind: DocumentKind::EventSink, name: "log".to_owned() } };
    let mut state = State::default();
    state.apply(at(T1), &delivered(7, None));
    state.apply(at(T2), &removed);
    assert!(state.sinks.is_empty());
    assert!(removed.touches().contains(&RowKey::Sink(sink())), "or the index would keep the row");
}

#[test]
fn a_cursor_is_read_back_as_it_was_written() {
    let mut state = State::default();
    state.apply(at(T1), &delivered(7, Some("down")));
    let mut again = State::default();
    for key in state.keys() {
        again.put_row_json(&key, state.row_json(&key).as_deref()).unwrap();
    }
    assert_eq!(again, state);
}
