//! Sizes and times at scale. Ignored in ordinary runs: `cargo test --release -p renewd-store --test scale -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test: its helpers may fail as its tests do")]

use chrono::DateTime;
use renewd_core::event::Event;
use renewd_store::{Commit, Mode, Store, backup, copy_for_rehearsal, info, rebuild, restore, verify};
use serde_json::json;
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(5);

fn order(number: usize) -> Event {
    let at = "2027-01-15T08:00:00Z";
    serde_json::from_value(json!({ "event": "order-placed", "order": {
        "id": format!("ord_{number:012}"), "account": format!("acme-{}", number % 500), "methods": [], "lines": [],
        "origin": { "by": "manual" }, "total": { "amount": "60.00", "currency": "USD" }, "placedAt": at,
        "expiresAt": at, "month": "2027-01", "timeZone": "UTC", "status": "open",
    } }))
    .unwrap()
}

fn closed(number: usize) -> Event {
    let order = format!("ord_{number:012}");
    serde_json::from_value(json!({ "event": "order-canceled", "order": order, "reason": "scale" })).unwrap()
}

fn commit(store: &mut Store, events: Vec<Event>) {
    let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let expected = store.head().sequence;
    store.commit(Commit { at, actor: "ada".to_owned(), command: "scale".to_owned(), events }, expected).unwrap();
}

/// Prints the median of five.
fn median(what: &str, mut work: impl FnMut()) {
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let started = Instant::now();
            work();
            started.elapsed()
        })
        .collect();
    times.sort();
    println!("{what}: median {:?} of {times:?}", times.get(2));
}

#[test]
#[ignore = "takes a minute in a release build"]
fn scale() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("s");
    let mut store = Store::create(&dir).unwrap();
    let started = Instant::now();
    for number in 0..200 {
        commit(&mut store, vec![order(number), closed(number)]);
    }
    println!("200 commits of 2 events: {:?} each", started.elapsed() / 200);
    drop(store);
    let started = Instant::now();
    for _ in 0..20 {
        drop(Store::open(&dir, WAIT, Mode::Read).unwrap());
    }
    println!("open and close, small store: {:?}", started.elapsed() / 20);
    let started = Instant::now();
    for number in 200..220 {
        let mut store = Store::open(&dir, WAIT, Mode::Write).unwrap();
        commit(&mut store, vec![order(number), closed(number)]);
    }
    println!("open, commit, close, small store: {:?}", started.elapsed() / 20);
    let count = 100_000;
    let mut store = Store::open(&dir, WAIT, Mode::Write).unwrap();
    let started = Instant::now();
    for chunk in 1..=count / 1000 {
        let range = chunk * 1000..(chunk + 1) * 1000;
        commit(&mut store, range.flat_map(|number| [order(number), closed(number)]).collect());
    }
    println!("{count} orders in commits of 2000 events: {:?}", started.elapsed());
    let started = Instant::now();
    drop(store);
    println!("close: {:?}", started.elapsed());
    let started = Instant::now();
    let store = Store::open(&dir, WAIT, Mode::Read).unwrap();
    println!("open, sealed: {:?} {:?}", started.elapsed(), store.report());
    let started = Instant::now();
    println!("{} orders read: {:?}", store.orders().unwrap().len(), started.elapsed());
    drop(store);
    median("rebuild", || drop(rebuild(&dir, WAIT).unwrap()));
    let (copy, again) = (temp.path().join("copy"), temp.path().join("again"));
    let clear = |dir: &std::path::Path| std::fs::remove_dir_all(dir).unwrap();
    median("backup", || {
        let _ = std::fs::remove_dir_all(&copy);
        backup(&dir, &copy, WAIT).unwrap();
    });
    median("restore", || {
        let _ = std::fs::remove_dir_all(&again);
        restore(&copy, &again).unwrap();
    });
    clear(&copy);
    clear(&again);
    median("rehearsal, copied and opened", || {
        let _ = std::fs::remove_dir_all(&copy);
        copy_for_rehearsal(&dir, &copy, WAIT).unwrap();
        drop(Store::open(&copy, WAIT, Mode::Write).unwrap());
    });
    let started = Instant::now();
    assert!(verify(&dir, WAIT).unwrap().is_sound());
    println!("verify: {:?}", started.elapsed());
    println!("{:?}", info(&dir, WAIT).unwrap());
}
