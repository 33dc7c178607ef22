//! Sizes and times at scale. Ignored in ordinary runs: `cargo test --release -p renewd-store --test scale -- --ignored --nocapture`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test: its helpers may fail as its tests do"
)]

use chrono::DateTime;
use renewd_core::event::Event;
use renewd_store::{Commit, Mode, Store, backup, copy_for_rehearsal, info, rebuild, restore, verify};
use serde_json::{Value, json};
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

fn end() -> Value {
    json!({ "expiry": { "date": "2027-03-31", "time": "23:59:59", "zone": "Asia/Singapore" }, "anchor": 31 })
}

fn resource(number: usize) -> Event {
    let mut resource = json!({
        "id": format!("phone-{number:06}"), "account": "acme", "name": "A phone in a rack", "kind": "cloud-phone",
        "sku": "phone.large", "quantity": 1, "renewable": true, "generation": 0, "windowsCaptured": false,
        "windows": { "expiring": 7, "grace": 15, "retention": 15 }, "imported": end(), "expiry": end()["expiry"],
        "anchor": 31, "labels": { "env": "prod", "team": "mobile" }, "region": "ap-southeast-1",
    });
    resource["imported"]["price"] = json!("60.00");
    serde_json::from_value(json!({ "event": "resource-added", "resource": resource })).unwrap()
}

/// An order of one line, which renews that resource.
fn renewing(order_number: usize, resource: usize) -> Event {
    let Event::OrderPlaced { order } = order(order_number) else { unreachable!() };
    let mut placed = serde_json::to_value(*order).unwrap();
    let old = end()["expiry"].clone();
    let new = json!({ "date": "2027-04-30", "time": "23:59:59", "zone": "Asia/Singapore" });
    placed["account"] = json!("acme");
    placed["lines"] = json!([{
        "resource": format!("phone-{resource:06}"), "generation": 0, "account": "acme", "currency": "USD",
        "policy": "p", "oldEnd": end(), "quantity": 1, "lines": [], "quotedAt": "2027-01-15T08:00:00Z",
        "dates": { "start": old, "base": new, "newExpiry": new, "term": "P1M", "anchorBefore": 31, "anchorAfter": 31,
            "extraDays": 0, "extraOf": "month", "fraction": "0", "burnedDays": 0 },
        "windows": { "expiring": 7, "grace": 15, "retention": 15 },
        "wish": { "term": "P1M", "align": "unsaid", "sameDate": null }, "validUntil": "2027-01-16T08:00:00Z",
        "total": { "amount": "60.00", "currency": "USD" },
        "pricing": { "plugin": "00".repeat(32), "config": null, "request": null },
    }]);
    serde_json::from_value(json!({ "event": "order-placed", "order": placed })).unwrap()
}

fn settled(number: usize) -> Event {
    let order = format!("ord_{number:012}");
    serde_json::from_value(json!({ "event": "order-settled", "order": order, "payment": { "paid": "nothing" } }))
        .unwrap()
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

/// A visit of `run`: open, ask for what is due, load 16 orders and what they touch, settle them, close.
fn visits(resources: usize) {
    const ORDERS: usize = 16;
    const VISITS: usize = 12;
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("s");
    let mut store = Store::create(&dir).unwrap();
    for chunk in 0..resources / 1000 {
        commit(&mut store, (chunk * 1000..(chunk + 1) * 1000).map(resource).collect());
    }
    commit(&mut store, (0..ORDERS * VISITS).map(|number| renewing(number, number * 5)).collect());
    drop(store);
    let mut steps: Vec<Vec<Duration>> = vec![Vec::new(); 5];
    for visit in 0..VISITS {
        let numbers = visit * ORDERS..(visit + 1) * ORDERS;
        let mut lap = Instant::now();
        let mut took = |step: usize| {
            let now = Instant::now();
            steps[step].push(now - std::mem::replace(&mut lap, now));
        };
        let mut store = Store::open(&dir, WAIT, Mode::Write).unwrap();
        assert!(store.report().is_clean(), "{:?}", store.report());
        took(0);
        store.expiring_until(DateTime::from_timestamp(1_800_000_000, 0).unwrap()).unwrap();
        let events: Vec<Event> = numbers.map(settled).collect();
        let state = store.load_touched(&events).unwrap();
        assert_eq!((state.orders.len(), state.resources.len()), (ORDERS, ORDERS));
        took(1);
        commit(&mut store, events);
        took(2);
        drop(store);
        took(3);
        let store = Store::open(&dir, WAIT, Mode::Read).unwrap();
        drop(store);
        took(4);
    }
    println!("{resources} resources, {ORDERS} orders, median of {VISITS} visits:");
    for (name, times) in ["open", "load", "commit", "close", "open and close, nothing done"].iter().zip(&mut steps) {
        times.sort();
        println!("  {name}: median {:?}, least {:?}", times[VISITS / 2], times[0]);
    }
}

#[test]
#[ignore = "takes a minute"]
fn what_a_visit_costs() {
    std::env::var("SCALE")
        .map_or(vec![1_000, 10_000, 100_000], |n| vec![n.parse().unwrap()])
        .into_iter()
        .for_each(visits);
}
