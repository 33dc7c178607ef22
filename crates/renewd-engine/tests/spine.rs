//! The spine, end to end without a command line: real documents, the real plugins, a real store.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a failing test may panic")]

use chrono::{DateTime, Utc};
use renewd_core::documents::Pattern;
use renewd_core::refusal::Verdict;
use renewd_engine::{Allow, Clock, Desired, Engine, EngineOptions, RenewAsk, RenewOptions, Selector};
use std::path::{Path, PathBuf};
use std::time::Duration;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn engine(store: &Path, now: &str) -> Engine {
    let now: DateTime<Utc> = now.parse().unwrap();
    Engine::new(EngineOptions {
        store: store.to_owned(),
        wait: Duration::from_secs(5),
        command: "test".to_owned(),
        clock: Clock::Fixed(now),
        progress: None,
        notice: None,
    })
}

fn applied(store: &Path, now: &str) -> renewd_engine::view::AppliedView {
    let engine = engine(store, now);
    let desired = Desired {
        directory: Some(repository().join("policies")),
        resources: Some(repository().join("examples/fleet.csv")),
    };
    let planned = engine.plan(&desired).unwrap_or_else(|error| panic!("{error:?}"));
    engine.apply(planned, &Allow::default()).unwrap()
}

#[test]
fn applying_twice_changes_nothing_the_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let first = applied(&store, "2026-11-23T09:00:00Z");
    assert!(first.changed && first.created_store);
    assert!(first.plan.priced > 50, "{} priced", first.plan.priced);
    let sequence = engine(&store, "2026-11-23T09:00:00Z").store_info().unwrap().sequence;
    let second = applied(&store, "2026-11-23T09:10:00Z");
    assert!(!second.changed, "{:#?}", second.plan);
    assert_eq!(engine(&store, "2026-11-23T09:10:00Z").store_info().unwrap().sequence, sequence);
}

#[test]
fn a_resource_is_quoted_and_renewed_and_cannot_be_paid_twice() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    applied(&store, "2026-11-23T09:00:00Z");
    let engine = engine(&store, "2026-11-23T09:05:00Z");
    let selector = Selector { ids: vec![Pattern::new("phone-prod-002")], ..Selector::default() };
    let quoted = engine.quote(&selector, &RenewAsk::default()).unwrap();
    assert_eq!(quoted.view.items[0].verdict, Verdict::Placed, "{:#?}", quoted.view);
    let again = quoted.clone();
    let renewed = engine.renew(quoted, &RenewOptions::default()).unwrap();
    assert_eq!(renewed.items[0].verdict, Verdict::Renewed, "{renewed:#?}");
    let twice = engine.renew(again, &RenewOptions::default()).unwrap();
    assert_eq!(twice.items[0].verdict, Verdict::Refused, "{twice:#?}");
    let order = renewed.orders[0].order.clone().unwrap();
    assert!(engine.pay(&order, None).is_err());
}
