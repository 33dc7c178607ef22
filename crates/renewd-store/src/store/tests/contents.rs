//! What is committed is what is answered.

use super::*;
use renewd_core::event::{RowKey, Subject};
use renewd_core::ids::{AccountName, OrderId, ResourceId};

#[test]
fn the_trees_are_all_those_that_the_core_has() {
    use super::super::rows::tree::*;
    assert_eq!(RowKey::TREES, [META, DOCUMENTS, RESOURCES, ORDERS, LIVE, BOOKS, USES, TOPUPS, SINKS]);
}

#[test]
fn what_was_committed_is_answered_now_and_after_reopening() {
    let (temp, before, head) = filled();
    let store = open(&temp).unwrap();
    assert!(store.report().is_clean(), "{:?}", store.report());
    assert_eq!(store.inner.borrow().journal.sealed(), head.sequence, "a good close is remembered");
    assert_eq!((store.head(), store.state().unwrap()), (head, before.clone()));
    assert_eq!(replayed(&store), before);
    assert_eq!((before.resources.len(), before.orders.len(), before.topups.len()), (40, 20, 20));
    let acme = AccountName::new("acme").unwrap();
    assert_eq!(store.book(&acme).unwrap(), before.books[&acme]);
    assert_eq!(store.accounts().unwrap(), before.books);
    assert_eq!(store.meta().unwrap(), before.meta);
    assert_eq!(store.open_orders().unwrap().len(), 18);
    assert_eq!(store.working_state().unwrap().orders, store.open_orders().unwrap());
    assert_eq!(store.working_state().unwrap().topups, before.topups);
    assert_eq!(
        (store.orders().unwrap(), store.resources().unwrap()),
        (before.orders.clone(), before.resources.clone())
    );
    let id = ResourceId::new("phone-7").unwrap();
    assert_eq!(store.resource(&id).unwrap().as_ref(), before.resources.get(&id));
    assert_eq!(store.resource(&ResourceId::new("phone-99").unwrap()).unwrap(), None);
    assert_eq!(store.topup(&acme, "bank-3").unwrap(), before.topups.get(&(acme, "bank-3".to_owned())).copied());
}

#[test]
fn the_history_of_a_subject_names_who_when_and_what() {
    let (temp, ..) = filled();
    let store = open(&temp).unwrap();
    let id = OrderId::new("ord_3").unwrap();
    let history = store.history(&Subject::Order(id.clone())).unwrap();
    let events: Vec<&Event> = history.iter().map(|entry| &entry.event).collect();
    assert_eq!(events, [&order("ord_3"), &canceled("ord_3")]);
    assert!(history[0].sequence < history[1].sequence && history[0].at < history[1].at);
    assert_eq!((history[0].actor.as_str(), history[0].command.as_str()), ("ada", "test"));
    // `ord_1` is not `ord_10`.
    assert_eq!(store.history(&Subject::Order(OrderId::new("ord_1").unwrap())).unwrap().len(), 1);
    assert_eq!(store.history(&Subject::Account(AccountName::new("acme").unwrap())).unwrap().len(), 42);
}

#[test]
fn load_touched_brings_the_rows_that_events_about_an_order_need() {
    let (temp, before, _) = filled();
    let store = open(&temp).unwrap();
    let state = store.load_touched(&[canceled("ord_5")]).unwrap();
    assert_eq!(state.orders.len(), 1);
    assert_eq!((state.books, state.meta), (before.books, before.meta));
}

#[test]
fn a_commit_at_another_sequence_is_refused_and_writes_nothing() {
    let (temp, _, head) = filled();
    let mut store = open(&temp).unwrap();
    let bytes = store.info().unwrap().journal_bytes;
    for wrong in [Sequence::ZERO, Sequence::new(head.sequence.get() - 1), head.sequence.next()] {
        let commit =
            Commit { at: at(0), actor: String::new(), command: String::new(), events: vec![topup("b", "r", "1.00")] };
        match store.commit(commit, wrong) {
            Err(CommitError::Moved { expected, found }) => assert_eq!((expected, found), (wrong, head.sequence)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((store.info().unwrap().journal_bytes, store.head()), (bytes, head));
}

#[test]
fn a_commit_without_events_changes_nothing_and_a_reader_cannot_commit() {
    let (temp, _, head) = filled();
    let mut store = open(&temp).unwrap();
    assert_eq!(commit(&mut store, Vec::new()), head);
    drop(store);
    let mut reader = Store::open(&dir(&temp), NO_WAIT, Mode::Read).unwrap();
    let commit = Commit { at: at(0), actor: String::new(), command: String::new(), events: vec![order("ord_x")] };
    assert!(matches!(reader.commit(commit, head.sequence), Err(CommitError::ReadOnly)));
    assert!(matches!(reader.put_blob(b"x"), Err(StoreError::ReadOnly)));
}

#[test]
fn a_resource_with_prices_by_term_is_read_back() {
    // Internally tagged enums buffer their content, and a map with numbers for keys does not survive that: such a
    // resource could be journaled but never read again. Since then every event is read back before it is written.
    let (temp, ..) = filled();
    let mut store = open(&temp).unwrap();
    let Event::ResourceAdded { resource: mut row } = resource("priced") else { panic!() };
    row.paid.insert("P1M".parse().unwrap(), "9.90".parse().unwrap());
    commit(&mut store, vec![Event::ResourceAdded { resource: row.clone() }]);
    assert_eq!(store.resource(&row.id).unwrap(), Some(*row.clone()));
    drop(store);
    rebuild(&dir(&temp), NO_WAIT).unwrap();
    assert_eq!(open(&temp).unwrap().resource(&row.id).unwrap(), Some(*row));
}

#[test]
fn verify_rebuild_and_info_agree_on_a_sound_store() {
    let (temp, before, head) = filled();
    let report = verify(&dir(&temp), NO_WAIT).unwrap();
    assert!(report.is_sound() && report.head == head, "{report:?}");
    let rebuilt = rebuild(&dir(&temp), NO_WAIT).unwrap();
    assert_eq!(rebuilt.head, head);
    assert_eq!(rebuilt.aside, Some(dir(&temp).join("index.aside")));
    let told = info(&dir(&temp), NO_WAIT).unwrap();
    assert_eq!((told.rows["resources"], told.rows["orders"], told.rows["topups"]), (40, 20, 20));
    assert_eq!(told.rows.values().sum::<u64>(), rebuilt.rows);
    assert_eq!((told.head, told.journal_bytes), (head, report.journal_bytes));
    let store = open(&temp).unwrap();
    assert_eq!((store.state().unwrap(), store.id()), (before, told.id));
}
