//! Visits that open the index only where something is asked of it.

use super::*;
use std::fs;

fn lazily(temp: &TempDir) -> Store {
    Store::open_lazily(&dir(temp), NO_WAIT).unwrap()
}

fn is_open(store: &Store) -> bool {
    store.inner.borrow().index.is_some()
}

#[test]
fn a_visit_that_asks_nothing_leaves_everything_as_it_is() {
    let (temp, before, head) = filled();
    let watermark = dir(&temp).join("watermark");
    let bytes = fs::read(&watermark).unwrap();
    let store = lazily(&temp);
    assert_eq!((store.head(), is_open(&store)), (head, false));
    assert!(store.report().is_clean());
    drop(store);
    assert_eq!(fs::read(&watermark).unwrap(), bytes);
    let store = lazily(&temp);
    assert_eq!((store.state().unwrap(), is_open(&store)), (before, true));
    assert_eq!(store.repairs(), []);
}

/// Whether the question comes before, behind or between commits, or never.
#[test]
fn what_is_committed_before_the_index_is_opened_is_in_it_and_needs_no_repair() {
    for asked in [vec![], vec![0], vec![1], vec![2], vec![0, 2]] {
        let (temp, ..) = filled();
        let mut store = lazily(&temp);
        for number in 0..3 {
            if asked.contains(&number) {
                assert_eq!(store.state().unwrap(), replayed(&store), "{asked:?}");
            }
            commit(
                &mut store,
                vec![topup("acme", &format!("late-{number}"), "5.00"), canceled(&format!("ord_{}", 9 + number))],
            );
            assert_eq!(is_open(&store), asked.iter().any(|it| *it <= number), "{asked:?}");
        }
        assert_eq!(store.repairs(), []);
        let head = store.head();
        drop(store);
        let store = open(&temp).unwrap();
        assert_eq!((store.head(), store.report().is_clean()), (head, true), "{asked:?}");
        assert_eq!(store.state().unwrap(), replayed(&store));
        drop(store);
        assert!(verify(&dir(&temp), NO_WAIT).unwrap().is_sound());
    }
}

/// A process that died between the journal and the index.
#[test]
fn what_another_process_left_undone_is_told_when_the_index_is_opened() {
    let (temp, ..) = filled();
    let mut store = lazily(&temp);
    commit(&mut store, vec![topup("acme", "late", "5.00")]);
    store.inner.get_mut().unopened = None;
    drop(store);
    let mut store = lazily(&temp);
    commit(&mut store, vec![topup("acme", "later", "5.00")]);
    assert_eq!(store.state().unwrap(), replayed(&store));
    assert_eq!(store.repairs(), [IndexReport::CaughtUp { commits: 1 }]);
}

#[test]
fn an_index_that_is_gone_is_rebuilt_with_what_was_committed_meanwhile() {
    let (temp, ..) = filled();
    let mut store = lazily(&temp);
    fs::remove_dir_all(dir(&temp).join("index")).unwrap();
    commit(&mut store, vec![topup("acme", "late", "5.00")]);
    assert_eq!(store.state().unwrap(), replayed(&store));
    assert!(matches!(store.repairs()[..], [IndexReport::Rebuilt { .. }]), "{:?}", store.repairs());
}
