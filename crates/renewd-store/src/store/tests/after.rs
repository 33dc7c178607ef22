//! What happened after an event: all of it, verified, and little else read.

use super::*;
use crate::limits::PLACE_STEP_BYTES;
use crate::testing::{Rng, SimDisk};
use std::cell::RefCell;

fn after(store: &Store, sequence: Sequence) -> Result<Vec<(u64, Event)>, StoreError> {
    let found = RefCell::new(Vec::new());
    store.events_after(sequence, |entry| {
        found.borrow_mut().push((entry.sequence.get(), entry.event));
        Ok(())
    })?;
    Ok(found.into_inner())
}

#[test]
fn pages_put_together_are_the_whole() {
    let temp = tempfile::tempdir().unwrap();
    let mut store = Store::create(&dir(&temp)).unwrap();
    of_any_size(&mut store, 40);
    let all = after(&store, Sequence::ZERO).unwrap();
    for most in [1, 7, 500] {
        let (mut told, mut from) = (Vec::new(), Sequence::ZERO);
        loop {
            let page = store.events_page(from, most).unwrap();
            assert!(page.len() <= most);
            let Some(last) = page.last() else { break };
            from = last.sequence;
            told.extend(page.into_iter().map(|entry| (entry.sequence.get(), entry.event)));
        }
        assert!(told == all, "pages of {most}");
    }
}

/// Commits of any size, some longer than the step between two places.
fn of_any_size(store: &mut Store, commits: usize) {
    let mut rng = Rng::new(11);
    for number in 0..commits {
        let size = if rng.chance(5) { 600 } else { 1 + rng.below(40) };
        let events = (0..size).map(|part| topup("acme", &format!("{number}.{part}"), "1.00")).collect();
        commit(store, events);
    }
}

#[test]
fn from_wherever_it_is_read_nothing_is_missed_and_nothing_is_told_twice() {
    let temp = tempfile::tempdir().unwrap();
    let mut store = Store::create(&dir(&temp)).unwrap();
    of_any_size(&mut store, 120);
    let all = after(&store, Sequence::ZERO).unwrap();
    let head = store.head().sequence.get();
    assert!(store.info().unwrap().rows["places"] >= 8);
    let mut rng = Rng::new(5);
    let starts = (0..150).map(|_| rng.below(head + 1)).chain([0, 1, head - 1, head, head + 1, u64::MAX]);
    for start in starts {
        let expected: Vec<_> = all.iter().filter(|(sequence, _)| *sequence > start).cloned().collect();
        assert!(after(&store, Sequence::new(start)).unwrap() == expected, "after {start}");
    }
    drop(store);
    assert!(verify(&dir(&temp), NO_WAIT).unwrap().is_sound());
    rebuild(&dir(&temp), NO_WAIT).unwrap();
    assert!(
        after(&open(&temp).unwrap(), Sequence::new(head / 2)).unwrap()
            == all.into_iter().filter(|(sequence, _)| *sequence > head / 2).collect::<Vec<_>>()
    );
}

#[test]
fn the_cost_follows_what_is_new() {
    let temp = tempfile::tempdir().unwrap();
    let disk = SimDisk::new();
    let mut store = Store::simulated(&disk, temp.path(), StoreId::from_bytes([3; 16])).unwrap();
    let read = |store: &Store, sequence: Sequence| {
        let before = disk.bytes_read();
        after(store, sequence).unwrap();
        disk.bytes_read() - before
    };
    let mut costs = Vec::new();
    for round in 0..3 {
        for number in 0..600 {
            commit(&mut store, vec![topup("acme", &format!("{round}.{number}"), "1.00")]);
        }
        let seen = store.head().sequence;
        assert_eq!(read(&store, seen), 0, "nothing is new");
        commit(&mut store, vec![order(&format!("ord_{seen}"))]);
        costs.push(read(&store, seen));
    }
    assert!(costs.iter().all(|cost| *cost <= 2 * PLACE_STEP_BYTES), "{costs:?}");
}

#[test]
fn damage_is_found_where_it_is_read_and_only_there() {
    let temp = tempfile::tempdir().unwrap();
    let mut store = Store::create(&dir(&temp)).unwrap();
    of_any_size(&mut store, 120);
    let journal = dir(&temp).join("journal");
    let (whole, head) = (std::fs::read(&journal).unwrap(), store.head().sequence.get());
    let flipped = |byte: usize, start: u64| {
        let mut bytes = whole.clone();
        bytes[byte] ^= 1;
        std::fs::write(&journal, &bytes).unwrap();
        let told = after(&store, Sequence::new(start));
        std::fs::write(&journal, &whole).unwrap();
        told.map(|events| events.len())
    };
    let (old, new) = (whole.len() / 10, whole.len() - 20);
    assert!(flipped(old, 0).unwrap_err().is_damage());
    assert!(flipped(new, 0).unwrap_err().is_damage());
    assert!(flipped(new, head - 3).unwrap_err().is_damage());
    assert!(flipped(old, head - 3).is_ok_and(|events| events > 0), "what is not read is not judged");
}
