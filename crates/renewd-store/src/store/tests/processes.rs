//! Locks, owners, permissions.

use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

#[test]
fn a_store_that_is_open_is_busy_after_the_wait() {
    let (temp, ..) = filled();
    let first = open(&temp).unwrap();
    for mode in [Mode::Read, Mode::Write] {
        let started = Instant::now();
        let error = Store::open(&dir(&temp), Duration::from_millis(120), mode).unwrap_err();
        assert!(error.is_busy() && !error.is_damage(), "{error}");
        assert!(started.elapsed() >= Duration::from_millis(120) && started.elapsed() < Duration::from_secs(2));
    }
    assert!(verify(&dir(&temp), NO_WAIT).unwrap_err().is_busy());
    drop(first);
    open(&temp).unwrap();
}

#[test]
fn a_waiting_process_gets_the_store_as_soon_as_it_is_free() {
    let (temp, ..) = filled();
    let first = open(&temp).unwrap();
    let path = dir(&temp);
    let waiting =
        std::thread::spawn(move || Store::open(&path, Duration::from_secs(20), Mode::Write).map(|s| s.head()));
    std::thread::sleep(Duration::from_millis(50));
    let head = first.head();
    drop(first);
    assert_eq!(waiting.join().unwrap().unwrap(), head);
}

#[test]
fn a_store_opens_again_at_once_many_times() {
    let (temp, ..) = filled();
    for number in 0..30 {
        let mut store = open(&temp).unwrap();
        assert!(store.report().is_clean(), "{number}: {:?}", store.report());
        commit(&mut store, vec![topup("acme", &format!("again-{number}"), "1.00")]);
    }
}

#[test]
fn a_store_is_made_once() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a").join("b");
    assert!(Store::open(&path, NO_WAIT, Mode::Read).unwrap_err().is_missing());
    assert!(!Store::exists(&path));
    let store = Store::create(&path).unwrap();
    assert!(store.report().is_clean() && store.head().sequence == Sequence::ZERO);
    let id = store.id();
    drop(store);
    assert!(Store::exists(&path));
    assert!(matches!(Store::create(&path), Err(StoreError::Exists(_))));
    let store = Store::open(&path, NO_WAIT, Mode::Read).unwrap();
    assert!(store.report().is_clean(), "{:?}", store.report());
    assert_eq!(store.id(), id);
    // What a crash left of an earlier try, without commits, is no obstacle.
    drop(store);
    fs::remove_file(path.join("store.json")).unwrap();
    assert!(Store::open(&path, NO_WAIT, Mode::Read).unwrap_err().is_missing());
    assert_ne!(Store::create(&path).unwrap().id(), id);
}

#[test]
fn only_the_owner_can_read_any_file() {
    fn check(path: &Path) {
        let mode = fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, wanted, "{}: {mode:o}", path.display());
        if path.is_dir() {
            fs::read_dir(path).unwrap().for_each(|entry| check(&entry.unwrap().path()));
        }
    }
    let (temp, ..) = filled();
    let mut store = open(&temp).unwrap();
    store.put_blob(b"x").unwrap();
    let _owner = Owner::create(&dir(&temp)).unwrap();
    commit(&mut store, vec![topup("acme", "p", "1.00")]);
    drop(store);
    check(&dir(&temp));
    rebuild(&dir(&temp), NO_WAIT).unwrap();
    check(&dir(&temp));
}

#[test]
fn an_owner_is_alive_exactly_as_long_as_it_is_held() {
    let (temp, ..) = filled();
    let first = Owner::create(&dir(&temp)).unwrap();
    let second = Owner::create(&dir(&temp)).unwrap();
    assert_ne!(first.token(), second.token());
    let token = first.token().to_owned();
    assert!(owner_alive(&dir(&temp), &token).unwrap());
    drop(first);
    assert!(!owner_alive(&dir(&temp), &token).unwrap());
    assert!(owner_alive(&dir(&temp), second.token()).unwrap());
    assert!(!owner_alive(&dir(&temp), "../lock").unwrap());
    // A file that a dead process left is no sign of life, and is cleared away.
    let stale = dir(&temp).join("inflight").join("00ff.lock");
    fs::write(&stale, b"").unwrap();
    assert!(!owner_alive(&dir(&temp), "00ff").unwrap());
    let _third = Owner::create(&dir(&temp)).unwrap();
    assert!(!stale.exists() && owner_alive(&dir(&temp), second.token()).unwrap());
}
