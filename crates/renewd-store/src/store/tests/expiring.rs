//! The expiry index: exactly the prepaid resources, in order, and no more of it read than is asked for.

use super::*;
use crate::index::Visits;
use crate::testing::{Rng, SimDisk};
use renewd_core::event::{RowKey, Subject};
use renewd_core::ids::ResourceId;
use std::collections::BTreeSet;

fn end(date: &str) -> Value {
    json!({ "expiry": { "date": date, "time": "23:59:59", "zone": "Asia/Singapore" }, "anchor": 20 })
}

fn added(id: &str, date: &str) -> Event {
    let Event::ResourceAdded { mut resource } = resource(id) else { panic!() };
    resource.end = serde_json::from_value(end(date)).unwrap();
    Event::ResourceAdded { resource }
}

/// An order that renews the resource from one date to another.
fn renewing(order_id: &str, resource: &str, from: Value, to: &str) -> Event {
    let (old, new) = (from["expiry"].clone(), end(to)["expiry"].clone());
    let dates = json!({
        "start": old, "base": new, "newExpiry": new, "term": "P1M", "anchorBefore": 20, "anchorAfter": 20,
        "extraDays": 0, "extraOf": "month", "fraction": "0", "burnedDays": 0,
    });
    let line = json!({
        "resource": resource, "generation": 0, "account": "acme", "currency": "USD", "policy": "p", "oldEnd": from,
        "dates": dates, "quantity": 1, "windows": { "expiring": 7, "grace": 15, "retention": 15 },
        "wish": { "term": "P1M", "align": "unsaid", "sameDate": null }, "lines": [],
        "total": { "amount": "60.00", "currency": "USD" }, "quotedAt": at(0), "validUntil": at(9),
        "pricing": { "plugin": "00".repeat(32), "config": null, "request": null },
    });
    let Event::OrderPlaced { order } = order(order_id) else { panic!() };
    let mut placed = serde_json::to_value(*order).unwrap();
    placed["lines"] = json!([line]);
    event(json!({ "event": "order-placed", "order": placed }))
}

/// Any date, long before the epoch and long after it included.
fn any_date(rng: &mut Rng) -> String {
    let year = [1931, 1969, 1970, 2026, 2027, 2500][rng.below(6) as usize];
    format!("{year}-{:02}-{:02}", 1 + rng.below(12), 1 + rng.below(28))
}

/// An event about one of a few resources, whatever it is at the moment.
fn any_event(rng: &mut Rng, state: &State, number: usize) -> Vec<Event> {
    let name = format!("phone-{}", rng.below(12));
    let Some(row) = state.resources.get(&ResourceId::new(name.as_str()).unwrap()) else {
        return vec![added(&name, &any_date(rng))];
    };
    let expiry = row.end.expiry.instant();
    let about = |what: Value| vec![event(what)];
    match rng.below(7) {
        0 | 1 => {
            let change = json!({ "event": "resource-imported", "resource": name, "end": end(&any_date(rng)) });
            about(change)
        }
        2 => about(json!({ "event": "resource-converted", "resource": name, "expiry": expiry })),
        3 => about(json!({ "event": "phase-entered", "resource": name, "phase": "released", "expiry": expiry })),
        4 => about(json!({ "event": "phase-entered", "resource": name, "phase": "grace", "expiry": expiry })),
        5 => about(json!({ "event": "mode-returned", "resource": name })),
        _ => {
            let id = format!("ord_{number}");
            let from = serde_json::to_value(&row.end).unwrap();
            let placed = renewing(&id, &name, from, &any_date(rng));
            vec![placed, event(json!({ "event": "order-settled", "order": id, "payment": { "paid": "nothing" } }))]
        }
    }
}

/// What the index should answer, from the resources themselves.
fn recomputed(state: &State, until: DateTime<Utc>) -> Vec<ResourceId> {
    let due: BTreeSet<_> = state
        .resources
        .values()
        .filter(|row| row.is_prepaid() && row.end.expiry.instant() <= until)
        .map(|row| (row.end.expiry.instant(), row.id.clone()))
        .collect();
    due.into_iter().map(|(_, id)| id).collect()
}

#[test]
fn the_expiry_index_is_that_of_the_resources_after_any_events() {
    for seed in 0..6 {
        let mut rng = Rng::new(seed);
        let temp = tempfile::tempdir().unwrap();
        let mut store = Store::create(&dir(&temp)).unwrap();
        let (mut settled, mut gone) = (0, 0);
        for number in 0..60 {
            let state = store.state().unwrap();
            let mut events = any_event(&mut rng, &state, number);
            if rng.chance(30) {
                let mut after = state.clone();
                events.iter().for_each(|event| after.apply(at(0), event));
                events.extend(any_event(&mut rng, &after, number + 1000));
            }
            settled += events.iter().filter(|event| matches!(event, Event::OrderSettled { .. })).count();
            commit(&mut store, events);
            let state = store.state().unwrap();
            gone += state.resources.values().filter(|row| !row.is_prepaid()).count();
            let mut asked: Vec<_> = state.resources.values().map(|row| row.end.expiry.instant()).collect();
            asked.extend(asked.clone().into_iter().map(|instant| instant - chrono::TimeDelta::nanoseconds(1)));
            asked.extend([DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC, at(0)]);
            for until in asked {
                assert_eq!(store.expiring_until(until).unwrap(), recomputed(&state, until), "seed {seed} {number}");
            }
            if rng.chance(10) {
                drop(store);
                store = open(&temp).unwrap();
                assert!(store.report().is_clean());
            }
        }
        assert!(settled > 3 && gone > 10, "seed {seed} tries little: {settled} {gone}");
        let all = store.expiring_until(DateTime::<Utc>::MAX_UTC).unwrap();
        drop(store);
        assert!(verify(&dir(&temp), NO_WAIT).unwrap().is_sound(), "seed {seed}: grown as it would be built");
        rebuild(&dir(&temp), NO_WAIT).unwrap();
        assert_eq!(open(&temp).unwrap().expiring_until(DateTime::<Utc>::MAX_UTC).unwrap(), all);
    }
}

#[test]
fn verify_sees_a_key_of_the_expiry_index_that_is_missing_or_too_much() {
    let (temp, ..) = filled();
    let id = ResourceId::new("phone-7").unwrap();
    for harm in ["missing", "too much"] {
        let store = open(&temp).unwrap();
        let row = store.resource(&id).unwrap().unwrap();
        {
            let inner = store.inner.borrow();
            inner.index.as_ref().unwrap().harm_expiry(&row, harm == "missing").unwrap();
        }
        drop(store);
        let verdict = verify(&dir(&temp), NO_WAIT).unwrap().index;
        assert!(matches!(verdict, IndexVerdict::Unreadable { .. } | IndexVerdict::Differs { .. }), "{verdict:?}");
        let store = open(&temp).unwrap();
        assert!(matches!(store.report().index, IndexReport::Rebuilt { .. }));
        assert_eq!(store.expiring_until(DateTime::<Utc>::MAX_UTC).unwrap().len(), 40);
    }
}

/// Counts what is read of the index of an open store from now on.
fn counted(store: &Store) -> Visits {
    let mut inner = store.inner.borrow_mut();
    let (index, visits) = inner.index.take().unwrap().counted();
    inner.index = Some(index);
    visits
}

#[test]
fn of_a_hundred_thousand_resources_only_those_that_are_asked_for_are_read() {
    let temp = tempfile::tempdir().unwrap();
    let disk = SimDisk::new();
    let mut store = Store::simulated(&disk, temp.path(), StoreId::from_bytes([3; 16])).unwrap();
    let date = |number: usize| if number % 5000 == 17 { "2026-12-24" } else { "2027-11-20" };
    for part in 0..50 {
        let numbers = part * 2000..(part + 1) * 2000;
        commit(&mut store, numbers.map(|number| added(&format!("phone-{number}"), date(number))).collect());
    }
    let visits = counted(&store);
    let until = "2027-01-01T00:00:00Z".parse().unwrap();
    assert_eq!((store.expiring_until(until).unwrap().len(), visits.take()), (20, 20));
    assert_eq!((store.expiring_until(at(-9_000_000_000)).unwrap().len(), visits.take()), (0, 0));
    let keys: Vec<RowKey> = store.expiring_until(until).unwrap().into_iter().map(RowKey::Resource).collect();
    visits.take();
    assert_eq!((store.load(&keys).unwrap().resources.len(), visits.take()), (20, 20));
    assert_eq!((store.open_orders().unwrap().len(), visits.take()), (0, 0));
    let id = ResourceId::new("phone-17").unwrap();
    assert_eq!((store.history(&Subject::Resource(id)).unwrap().len(), visits.take()), (1, 1));
    // A commit reads the rows that it touches and the ends of their histories.
    let from = serde_json::to_value(&store.resource(&ResourceId::new("phone-17").unwrap()).unwrap().unwrap().end);
    visits.take();
    commit(&mut store, vec![renewing("ord_1", "phone-17", from.unwrap(), "2027-01-20")]);
    assert!(visits.take() <= 12, "a commit of one order reads few rows");
    assert_eq!((store.open_orders().unwrap().len(), visits.take()), (1, 2));
    let journal = disk.bytes_read();
    let head = store.head().sequence;
    let mut seen = 0;
    let count = |_: HistoryEntry| {
        seen += 1;
        Ok(())
    };
    store.events_after(Sequence::new(head.get() - 3), count).unwrap();
    assert_eq!(seen, 1);
    let read = disk.bytes_read() - journal;
    assert!(read < 2 * crate::limits::PLACE_STEP_BYTES, "{read} bytes of {}", store.info().unwrap().journal_bytes);
}
