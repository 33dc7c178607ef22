//! Tests of the store on real files, with real events.

mod after;
mod contents;
mod copies;
mod damage;
mod expiring;
mod full_disk;
mod index_faults;
mod lazy;
mod processes;
mod salvaging;

use super::*;
use crate::sequence::Sequence;
use chrono::{DateTime, Utc};
use renewd_core::event::Event;
use renewd_core::state::State;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(super) const NO_WAIT: Duration = Duration::ZERO;

pub(super) fn at(number: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + number, 0).unwrap()
}

pub(super) fn event(value: Value) -> Event {
    serde_json::from_value(value).unwrap()
}

pub(super) fn topup(account: &str, reference: &str, amount: &str) -> Event {
    let amount = json!({ "amount": amount, "currency": "USD" });
    event(json!({ "event": "balance-topped-up", "account": account, "amount": amount, "reference": reference }))
}

pub(super) fn resource(id: &str) -> Event {
    let end = json!({ "expiry": { "date": "2027-03-31", "time": "23:59:59", "zone": "Asia/Singapore" }, "anchor": 31 });
    let mut resource = json!({
        "id": id, "account": "acme", "name": id, "kind": "cloud-phone", "sku": "s", "quantity": 1, "renewable": true,
        "generation": 0, "windows": { "expiring": 7, "grace": 15, "retention": 15 }, "windowsCaptured": false,
        "imported": end,
    });
    resource["expiry"] = end["expiry"].clone();
    resource["anchor"] = end["anchor"].clone();
    event(json!({ "event": "resource-added", "resource": resource }))
}

pub(super) fn order(id: &str) -> Event {
    event(json!({ "event": "order-placed", "order": {
        "id": id, "account": "acme", "methods": [], "origin": { "by": "manual" }, "lines": [],
        "total": { "amount": "60.00", "currency": "USD" }, "placedAt": at(0), "expiresAt": at(9), "month": "2027-01", "timeZone": "UTC",
        "status": "open",
    } }))
}

pub(super) fn canceled(id: &str) -> Event {
    event(json!({ "event": "order-canceled", "order": id, "reason": null }))
}

pub(super) fn commit(store: &mut Store, events: Vec<Event>) -> Head {
    let expected = store.head().sequence;
    let at = at(expected.get() as i64);
    store.commit(Commit { at, actor: "ada".to_owned(), command: "test".to_owned(), events }, expected).unwrap()
}

/// A store with a bit of everything, closed.
pub(super) fn filled() -> (TempDir, State, Head) {
    let temp = tempfile::tempdir().unwrap();
    let mut store = Store::create(&temp.path().join("s")).unwrap();
    commit(&mut store, (0..40).map(|n| resource(&format!("phone-{n}"))).collect());
    for n in 0..20 {
        commit(&mut store, vec![topup("acme", &format!("bank-{n}"), "10.00"), order(&format!("ord_{n}"))]);
    }
    commit(&mut store, vec![canceled("ord_3"), canceled("ord_4")]);
    let state = store.state().unwrap();
    let head = store.head();
    (temp, state, head)
}

pub(super) fn dir(temp: &TempDir) -> PathBuf {
    temp.path().join("s")
}

pub(super) fn open(temp: &TempDir) -> Result<Store, StoreError> {
    Store::open(&dir(temp), NO_WAIT, Mode::Write)
}

/// The state as it is when all events are applied to one state, without any store.
pub(super) fn replayed(store: &Store) -> State {
    let mut state = State::default();
    store
        .events_after(Sequence::ZERO, |entry| {
            state.apply(entry.at, &entry.event);
            Ok(())
        })
        .unwrap();
    state
}
