//! Every record of the journal as what sinks are told, and telling them: batches, failures, slow servers.

use super::cloud_event::{LINE_START, Teller};
use super::{OutboxLimits, first_cursors, mapping};
use crate::engine::{Clock, Engine, EngineOptions};
use crate::fixtures::*;
use crate::view::SinkView;
use renewd_core::documents::{Document, DocumentKey, DocumentKind, EventKind, EventSink, SecretSource, SinkTarget};
use renewd_core::event::Event;
use renewd_core::ids::{Digest, OrderId};
use renewd_core::order::{Refund, RefundCause, RefundResult};
use renewd_core::resource::Phase;
use renewd_core::state::State;
use renewd_store::{Head, HistoryEntry, Origin, Restored, Sequence};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The golden lines of the journal's format: every kind of event that there is.
const JOURNAL: &str = include_str!("../../../renewd-core/tests/golden/events.jsonl");
const GOLDEN: &str = include_str!("../../tests/golden/cloud_events.jsonl");
const NOW: &str = "2026-11-01T00:00:00Z";

/// A state with the order that the golden lines are about: two lines, two attempts, one refund.
fn rows() -> State {
    let mut world = World::new();
    let known = world.paid_order(&["phone-1", "phone-2"]);
    let mut order = world.order(&known).clone();
    order.id = OrderId::new("ord_0123456789ab").unwrap();
    let mut second = order.attempts[0].clone();
    second.number = 2;
    order.attempts[0].method = method("balance");
    order.attempts.push(second);
    order.refunds.push(Refund {
        number: 1,
        cause: RefundCause::Line { resource: id("phone-1") },
        attempt: 2,
        reference: "pi_1".to_owned(),
        amount: money("12.50 USD"),
        key: Digest::of(b"refund"),
        reason: "not needed".to_owned(),
        owner: "1234-5678".to_owned(),
        started_at: at(NOW),
        outcome: RefundResult::InFlight,
        checks: 0,
        next_check: None,
    });
    let mut state = world.state;
    state.orders.insert(order.id.clone(), order);
    state
}

/// `UPDATE_EXPECT=1` writes the file anew; only added lines and fields are harmless.
#[test]
fn every_record_is_told_as_the_golden_lines_say() {
    let (rows, teller) = (rows(), Teller::named("0123456789abcdef", None));
    let (mut lines, mut seen) = (Vec::new(), std::collections::BTreeSet::new());
    for (number, line) in JOURNAL.lines().enumerate() {
        let event: Event = serde_json::from_str(line).unwrap();
        let kind: serde_json::Value = serde_json::from_str(line).unwrap();
        let entry = HistoryEntry {
            sequence: Sequence::new(number as u64 + 1),
            at: at(NOW),
            actor: "ana".to_owned(),
            command: "renewd run".to_owned(),
            event,
        };
        let told = mapping::cloud_events(&teller, &entry, &rows);
        seen.extend(told.iter().map(|(kind, _)| *kind));
        let events: Vec<String> = told.iter().map(|(_, event)| serde_json::to_string(event).unwrap()).collect();
        assert!(events.iter().all(|event| event.starts_with(LINE_START)), "{events:?}");
        lines.push(format!("{{\"journal\":{},\"told\":[{}]}}", kind["event"], events.join(",")));
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), EventKind::ALL, "every kind is told");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cloud_events.jsonl");
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
        return;
    }
    assert_eq!(lines.len(), GOLDEN.lines().count());
    for (number, (line, golden)) in lines.iter().zip(GOLDEN.lines()).enumerate() {
        assert_eq!(line, golden, "line {}", number + 1);
    }
}

/// A store restored from last week's backup goes on with numbers that the lost one has used for something else.
#[test]
fn a_restored_store_gives_no_id_that_its_original_gave_to_something_else() {
    let head = Head { sequence: Sequence::new(10), hash: Digest::of(b"head") };
    let ids = |restored: Option<Restored>| {
        let teller = Teller::named("st", restored);
        [10, 11].map(|sequence| teller.id_of(Sequence::new(sequence), 0))
    };
    let restored = |epoch| Some(Restored { epoch, origin: Origin::Backup, head });
    assert_eq!(ids(None), ["st-10", "st-11"]);
    assert_eq!(ids(restored(1)), ["st-10", "st-r1-11"], "what both know keeps its id");
    assert_eq!(ids(restored(2)), ["st-r1-10", "st-r2-11"]);
    assert_eq!(Teller::named("st", None).id_of(Sequence::new(7), 2), "st-7-3");
}

fn sink(name: &str, target: SinkTarget) -> EventSink {
    EventSink { name: name.parse().unwrap(), target, events: Vec::new() }
}

fn file_sink(folder: &Path, name: &str) -> EventSink {
    let path = folder.join(format!("{name}.ndjson")).to_str().unwrap().to_owned();
    sink(name, SinkTarget::File { path })
}

/// A key that every test process has.
fn webhook_sink(name: &str, port: u16) -> EventSink {
    let secret = SecretSource { env: "CARGO_MANIFEST_DIR".to_owned() };
    sink(name, SinkTarget::Webhook { url: format!("http://127.0.0.1:{port}/hook"), secret })
}

struct Place {
    folder: tempfile::TempDir,
    engine: Engine,
}

impl Place {
    /// A store with these sinks and so many resources that entered grace.
    fn new(sinks: impl FnOnce(&Path) -> Vec<EventSink>, resources: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::new(EngineOptions {
            store: folder.path().join("store"),
            wait: Duration::from_secs(5),
            command: "renewd run".to_owned(),
            clock: Clock::Fixed(at(NOW)),
            progress: None,
            notice: None,
        });
        engine.store_init(None).unwrap();
        let mut place = Self { folder, engine };
        let mut after = State::default();
        for sink in sinks(place.folder.path()) {
            after.documents.insert(Document::EventSink(sink.clone()).key(), Document::EventSink(sink));
        }
        let put = |document: &Document| Event::DocumentPut { document: document.clone() };
        let mut events: Vec<Event> = after.documents.values().map(put).collect();
        events.extend(first_cursors(&State::default(), &after, Sequence::ZERO));
        place.commit(events);
        for number in 0..resources {
            place.grace(number);
        }
        place
    }

    fn commit(&mut self, events: Vec<Event>) {
        let mut desk = self.engine.desk(at(NOW)).unwrap();
        desk.push(events);
        desk.commit().unwrap();
    }

    /// Two records, one of which is told.
    fn grace(&mut self, number: usize) {
        let resource = resource(&format!("phone-{number:02}"), "2026-10-20T23:59:59");
        let (name, expiry) = (resource.id.clone(), resource.end.expiry.instant());
        let added = Event::ResourceAdded { resource: Box::new(resource) };
        self.commit(vec![added, Event::PhaseEntered { resource: name, phase: Phase::Grace, expiry }]);
    }

    fn deliver(&self, limits: &OutboxLimits) -> Vec<SinkView> {
        self.engine.deliver_events(at(NOW), limits).unwrap()
    }

    fn told(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join(format!("{name}.ndjson"))).unwrap_or_default();
        let subject = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["subject"].to_string();
        text.lines().map(subject).collect()
    }

    fn sequence(&self) -> u64 {
        self.engine.desk(at(NOW)).unwrap().sequence.get()
    }
}

fn subjects(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("\"phone-{number:02}\"")).collect()
}

#[test]
fn what_was_told_is_not_told_again_and_an_idle_run_appends_nothing() {
    let mut place = Place::new(|folder| vec![file_sink(folder, "log")], 3);
    let views = place.deliver(&OutboxLimits::default());
    assert_eq!((views[0].delivered, views[0].behind.is_none()), (3, true), "{views:?}");
    let sequence = place.sequence();
    assert!(place.deliver(&OutboxLimits::default()).is_empty());
    assert_eq!(place.sequence(), sequence);
    place.grace(3);
    assert_eq!(place.deliver(&OutboxLimits::default())[0].delivered, 1);
    assert_eq!(place.told("log"), subjects(0..4));
}

#[test]
fn one_run_tells_so_many_batches_and_the_next_goes_on() {
    let place = Place::new(|folder| vec![file_sink(folder, "log")], 20);
    let limits = OutboxLimits { batch_records: 3, batches: 4, ..OutboxLimits::default() };
    let first = place.deliver(&limits);
    let behind = first[0].behind.as_ref().unwrap();
    assert!(behind.reason.contains("more than one run tells"), "{behind:?}");
    assert_eq!(place.told("log").len(), first[0].delivered);
    assert!((4..=12).contains(&first[0].delivered), "{first:?}");
    while place.deliver(&limits).iter().any(|view| view.behind.is_some()) {}
    assert_eq!(place.told("log"), subjects(0..20), "in order, each once");
}

#[test]
fn a_sink_that_fails_stays_where_it_is_and_the_others_go_on() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let place = Place::new(|folder| vec![webhook_sink("a-hook", closed), file_sink(folder, "log")], 2);
    let views = place.deliver(&OutboxLimits::default());
    let behind = views[0].behind.as_ref().unwrap();
    assert_eq!(
        (views[0].sink.as_str(), views[0].delivered, behind.since.as_str()),
        ("a-hook", 0, "2026-11-01T00:00:00+00:00")
    );
    assert_eq!(place.told("log"), subjects(0..2));
    let sequence = place.sequence();
    assert_eq!(place.deliver(&OutboxLimits::default()).len(), 1, "it is still behind");
    assert_eq!(place.sequence(), sequence, "a failure that lasts is journaled once");
    let sinks = place.engine.desk(at(NOW)).unwrap().state.sinks;
    assert_eq!(sinks[&"a-hook".parse().unwrap()].failure.as_ref().unwrap().since, at(NOW));
}

/// Answers each connection by its number, and tells what came.
fn serve(answer: impl Fn(usize) -> (Duration, &'static str) + Send + 'static) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let (mut stream, mut bytes, mut chunk) = (stream.unwrap(), Vec::new(), [0; 4096]);
            while !String::from_utf8_lossy(&bytes).ends_with("}}") {
                let count = stream.read(&mut chunk).unwrap_or(0);
                if count == 0 {
                    break;
                }
                bytes.extend_from_slice(&chunk[..count]);
            }
            _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
            let (wait, answer) = answer(number);
            std::thread::sleep(wait);
            _ = stream.write_all(answer.as_bytes());
        }
    });
    (port, requests)
}

const OK: &str = "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n";

#[test]
fn a_server_that_is_slow_is_asked_again_later_and_nothing_is_skipped() {
    let (port, requests) = serve(|number| (Duration::from_millis(if number == 1 { 1500 } else { 0 }), OK));
    let place = Place::new(|_| vec![webhook_sink("hook", port)], 3);
    let limits = OutboxLimits { delivery: Duration::from_millis(500), ..OutboxLimits::default() };
    let first = place.deliver(&limits);
    assert_eq!(first[0].delivered, 1, "{first:?}");
    assert!(first[0].behind.as_ref().unwrap().reason.contains("takes too long"), "{first:?}");
    std::thread::sleep(Duration::from_millis(1200));
    let second = place.deliver(&limits);
    assert_eq!((second[0].delivered, &second[0].behind), (2, &None), "{second:?}");
    let ids: Vec<String> =
        requests.try_iter().map(|request| request.split_once("\"id\":").unwrap().1[..40].to_owned()).collect();
    assert_eq!(ids.len(), 4);
    assert_eq!(ids[1], ids[2], "the same event has the same id");
    assert!(ids[0] != ids[1] && ids[2] != ids[3]);
}

/// A run that takes long signed everything with the moment of its beginning, so that receivers refused it as too old.
#[test]
fn an_event_is_signed_at_the_moment_at_which_it_is_sent() {
    let seconds = Arc::new(AtomicI64::new(at(NOW).timestamp()));
    let clock = Arc::clone(&seconds);
    let (port, requests) = serve(move |_| {
        clock.fetch_add(400, Ordering::SeqCst);
        (Duration::ZERO, OK)
    });
    let mut place = Place::new(|_| vec![webhook_sink("hook", port)], 2);
    place.engine.options.clock = Clock::Moved(seconds);
    assert_eq!(place.deliver(&OutboxLimits::default())[0].delivered, 2);
    let first = at(NOW).timestamp();
    for (request, sent) in requests.try_iter().zip([first, first + 400]) {
        assert!(request.to_lowercase().contains(&format!("renewd-signature: t={sent},")), "{sent}: {request}");
    }
}

#[test]
fn a_run_that_has_used_its_time_leaves_the_rest_to_the_next() {
    let (port, _requests) = serve(|_| (Duration::from_millis(60), OK));
    let place = Place::new(|_| vec![webhook_sink("hook", port)], 6);
    let limits = OutboxLimits { run: Duration::from_millis(100), ..OutboxLimits::default() };
    let first = place.deliver(&limits);
    assert!((1..6).contains(&first[0].delivered) && first[0].behind.is_some(), "{first:?}");
    let rest = place.deliver(&OutboxLimits::default());
    assert_eq!(first[0].delivered + rest[0].delivered, 6);
}

#[test]
fn a_sink_that_is_removed_and_comes_back_begins_anew() {
    let mut place = Place::new(|folder| vec![file_sink(folder, "log")], 1);
    let log = file_sink(place.folder.path(), "log");
    let gone = Event::DocumentRemoved { key: DocumentKey { kind: DocumentKind::EventSink, name: "log".to_owned() } };
    let applied = |revision| Event::RevisionApplied { revision, digest: Digest::of(b"documents") };
    place.commit(vec![gone, applied(2)]);
    assert!(place.deliver(&OutboxLimits::default()).is_empty(), "nobody is told");
    let base = Sequence::new(place.sequence());
    let mut after = State::default();
    after.documents.insert(Document::EventSink(log.clone()).key(), Document::EventSink(log.clone()));
    let mut events = vec![Event::DocumentPut { document: Document::EventSink(log) }];
    events.extend(first_cursors(&State::default(), &after, base));
    events.push(applied(3));
    place.commit(events);
    place.grace(1);
    assert_eq!(place.deliver(&OutboxLimits::default())[0].delivered, 1);
    assert_eq!(place.told("log"), subjects(1..2), "what happened before is not told");
}
