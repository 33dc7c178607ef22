//! Backups, restored stores, rehearsals: whole or absent, verified, private, marked.

use super::*;
use renewd_core::ids::Digest;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

/// A filled store with two blobs, closed.
fn with_blobs() -> (TempDir, State, Head, Vec<Digest>) {
    let (temp, state, head) = filled();
    let store = open(&temp).unwrap();
    let blobs = vec![store.put_blob(b"plugin one").unwrap(), store.put_blob(&[7; 5000]).unwrap()];
    (temp, state, head, blobs)
}

/// Every file below a directory with its bytes.
pub(super) fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

pub(super) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn is_private(path: &Path) -> bool {
    let mode = fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
    let inside = !path.is_dir() || fs::read_dir(path).unwrap().all(|entry| is_private(&entry.unwrap().path()));
    inside && mode == if path.is_dir() { 0o700 } else { 0o600 }
}

#[test]
fn a_backup_restores_to_the_same_state_and_is_marked() {
    let (temp, state, head, blobs) = with_blobs();
    let (target, again) = (temp.path().join("b"), temp.path().join("r"));
    let copied = backup(&dir(&temp), &target, NO_WAIT).unwrap();
    let journal = fs::metadata(dir(&temp).join("journal")).unwrap().len();
    assert_eq!(copied, Copied { head, bytes: journal + 10 + 5000, blobs: 2 });
    assert_eq!(names(&target), ["blobs", "journal", "lock", "store.json", "watermark"]);
    assert!(is_private(&target), "a backup is as private as its store");
    assert_eq!(verify_backup(&target).unwrap(), copied);
    let before = files(&target);
    let (restored, mark) = restore(&target, &again).unwrap();
    assert_eq!(restored, copied);
    assert_eq!(mark, Restored { epoch: 1, origin: Origin::Backup, head });
    assert!(is_private(&again));
    let mut store = Store::open(&again, NO_WAIT, Mode::Write).unwrap();
    assert!(store.state().unwrap() == state && store.head() == head);
    assert_eq!((store.restored(), store.info().unwrap().restored), (Some(mark), Some(mark)));
    assert!(store.report().journal.torn.is_none() && !store.report().journal.watermark_missing);
    blobs.iter().for_each(|digest| drop(store.blob(digest).unwrap()));
    commit(&mut store, vec![topup("acme", "after", "1.00")]);
    drop(store);
    assert!(verify(&again, NO_WAIT).unwrap().is_sound());
    assert!(is_private(&again));
    assert_eq!(files(&target), before, "a restore changes nothing in the backup");
    assert_eq!(names(temp.path()), ["b", "r", "s"], "nothing is left lying about");
    // The mark is for ever, and counts.
    backup(&again, &temp.path().join("b2"), NO_WAIT).unwrap();
    let (_, mark) = restore(&temp.path().join("b2"), &temp.path().join("r2")).unwrap();
    assert_eq!((mark.epoch, mark.head.sequence > head.sequence), (2, true));
    assert_eq!(open(&temp).unwrap().restored(), None, "the original is no copy");
}

#[test]
fn a_backup_is_no_store_and_a_store_is_no_backup() {
    let (temp, ..) = with_blobs();
    let target = temp.path().join("b");
    backup(&dir(&temp), &target, NO_WAIT).unwrap();
    let before = files(&target);
    for error in [
        Store::open(&target, NO_WAIT, Mode::Read).unwrap_err(),
        verify(&target, NO_WAIT).unwrap_err(),
        rebuild(&target, NO_WAIT).unwrap_err(),
        info(&target, NO_WAIT).unwrap_err(),
        backup(&target, &temp.path().join("c"), NO_WAIT).unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Backup(_)) && !error.is_damage(), "{error}");
    }
    assert!(matches!(Store::create(&target).unwrap_err(), StoreError::Exists(_)));
    assert_eq!(files(&target), before);
    let error = restore(&dir(&temp), &temp.path().join("r")).unwrap_err();
    assert!(matches!(error, StoreError::NotABackup(_)) && !error.is_damage(), "{error}");
    assert!(matches!(restore(temp.path(), &temp.path().join("r")), Err(StoreError::NotABackup(_))));
    assert_eq!(names(temp.path()), ["b", "s"]);
}

#[test]
fn a_target_that_is_in_use_is_refused_and_left_alone() {
    let (temp, ..) = with_blobs();
    let (empty, full, file) = (temp.path().join("empty"), temp.path().join("full"), temp.path().join("file"));
    fs::create_dir(&empty).unwrap();
    fs::create_dir(&full).unwrap();
    fs::write(full.join("mine"), b"mine").unwrap();
    fs::write(&file, b"mine").unwrap();
    let before = files(temp.path());
    let nowhere = temp.path().join("no").join("where");
    for target in [&full, &file, &nowhere, &PathBuf::from("/")] {
        let error = backup(&dir(&temp), target, NO_WAIT).unwrap_err();
        assert!(matches!(error, StoreError::Target { .. }) && !error.is_damage(), "{}: {error}", target.display());
    }
    assert!(matches!(backup(&dir(&temp), &dir(&temp), NO_WAIT), Err(StoreError::Exists(_))));
    assert_eq!(files(temp.path()), before);
    backup(&dir(&temp), &empty, NO_WAIT).unwrap();
    for target in [&full, &dir(&temp), &file] {
        let refused = restore(&empty, target).unwrap_err();
        assert!(matches!(refused, StoreError::Target { .. } | StoreError::Exists(_)), "{refused}");
        assert!(copy_for_rehearsal(&dir(&temp), target, NO_WAIT).is_err());
        assert!(salvage(&dir(&temp), target).is_err());
    }
    assert!(matches!(restore(&empty, &empty), Err(StoreError::Exists(_))), "nor over the backup itself");
    assert_eq!(names(temp.path()), ["empty", "file", "full", "s"]);
    assert!(Store::open(&dir(&temp), NO_WAIT, Mode::Read).unwrap().report().is_clean());
}

#[test]
fn every_damaged_or_missing_part_of_a_backup_is_noticed_before_it_is_restored() {
    let (temp, ..) = with_blobs();
    let (target, again) = (temp.path().join("b"), temp.path().join("r"));
    backup(&dir(&temp), &target, NO_WAIT).unwrap();
    let whole = files(&target);
    let harmed = |path: &Path, how: &str| {
        let refused = [verify_backup(&target).err(), restore(&target, &again).err()];
        assert!(refused.iter().all(Option::is_some), "{}: {how}", path.display());
        assert!(!again.exists());
        fs::write(path, &whole[path]).unwrap();
    };
    for (path, bytes) in whole.iter().filter(|(path, _)| !path.ends_with("lock")) {
        // Both slots of a fresh watermark are alike: one of them may go, what it says may not.
        let step = if path.ends_with("store.json") { 1 } else { 97 };
        for byte in (0..bytes.len()).step_by(step).filter(|_| !path.ends_with("watermark")) {
            let mut flipped = bytes.clone();
            flipped[byte] ^= 4;
            if path.ends_with("store.json") && bytes[byte] == b'\n' {
                continue;
            }
            fs::write(path, flipped).unwrap();
            harmed(path, &format!("byte {byte}"));
        }
        fs::write(path, &bytes[..bytes.len() / 2 - 1]).unwrap();
        if !path.ends_with("watermark") {
            harmed(path, "cut");
        }
        fs::remove_file(path).unwrap();
        harmed(path, "missing");
    }
    // A journal that is longer than the backup says is another's.
    let journal = target.join("journal");
    fs::write(&journal, [&whole[&journal][..], b"more"].concat()).unwrap();
    harmed(&journal, "longer");
    restore(&target, &again).unwrap();
}

#[test]
fn a_mark_that_was_changed_is_refused() {
    let (temp, ..) = with_blobs();
    backup(&dir(&temp), &temp.path().join("b"), NO_WAIT).unwrap();
    restore(&temp.path().join("b"), &temp.path().join("r")).unwrap();
    let path = temp.path().join("r").join("store.json");
    let whole = fs::read(&path).unwrap();
    for byte in 0..whole.len() - 1 {
        let mut flipped = whole.clone();
        flipped[byte] ^= 1;
        fs::write(&path, flipped).unwrap();
        assert!(Store::open(&temp.path().join("r"), NO_WAIT, Mode::Read).is_err(), "byte {byte}");
    }
}

#[test]
fn a_backup_is_a_commit_of_its_store_while_others_go_on_committing() {
    let (temp, ..) = with_blobs();
    let path = dir(&temp);
    let writer = std::thread::spawn(move || {
        for number in 0..60 {
            let mut store = Store::open(&path, Duration::from_secs(20), Mode::Write).unwrap();
            commit(&mut store, vec![topup("acme", &format!("{number}.a"), "1.00"), order(&format!("ord_x{number}"))]);
            store.put_blob(format!("blob {number}").as_bytes()).unwrap();
        }
    });
    let mut heads = Vec::new();
    let mut number = 0;
    while !writer.is_finished() || number == 0 {
        let (target, again) = (temp.path().join(format!("b{number}")), temp.path().join(format!("r{number}")));
        let copied = backup(&dir(&temp), &target, Duration::from_secs(20)).unwrap();
        restore(&target, &again).unwrap();
        let store = Store::open(&again, NO_WAIT, Mode::Read).unwrap();
        assert_eq!(store.head(), copied.head);
        assert!(store.state().unwrap() == replayed(&store));
        heads.push(copied.head.sequence);
        number += 1;
    }
    writer.join().unwrap();
    assert!(heads.is_sorted());
    let busy = open(&temp).unwrap();
    assert!(backup(&dir(&temp), &temp.path().join("c"), NO_WAIT).unwrap_err().is_busy());
    drop(busy);
    assert!(!temp.path().join("c").exists());
}

#[test]
fn a_copy_that_another_process_is_making_is_not_disturbed() {
    let (temp, ..) = with_blobs();
    let partial = temp.path().join(".b.partial");
    fs::create_dir(&partial).unwrap();
    fs::write(partial.join("journal"), b"half").unwrap();
    let other = StoreLock::take(&partial, NO_WAIT).unwrap();
    assert!(backup(&dir(&temp), &temp.path().join("b"), NO_WAIT).unwrap_err().is_busy());
    assert_eq!(names(&partial), ["journal", "lock"]);
    drop(other);
    // What a process left that died is replaced.
    backup(&dir(&temp), &temp.path().join("b"), NO_WAIT).unwrap();
    assert_eq!(names(temp.path()), ["b", "s"]);
    verify_backup(&temp.path().join("b")).unwrap();
}

/// Whatever had the name of an unfinished copy was removed with all that was in it.
#[test]
fn what_no_copy_has_left_is_not_removed() {
    let (temp, ..) = with_blobs();
    let partial = temp.path().join(".b.partial");
    fs::create_dir(&partial).unwrap();
    fs::write(partial.join("thesis.txt"), b"years").unwrap();
    let error = backup(&dir(&temp), &temp.path().join("b"), NO_WAIT).unwrap_err();
    assert!(matches!(&error, StoreError::Target { reason, .. } if reason.contains("thesis.txt")), "{error}");
    assert_eq!(names(&partial), ["thesis.txt"]);
}

#[test]
fn a_copy_does_not_lie_in_what_it_is_a_copy_of() {
    let (temp, ..) = with_blobs();
    let (store, copy) = (dir(&temp), temp.path().join("b"));
    backup(&store, &copy, NO_WAIT).unwrap();
    for error in [
        backup(&store, &store.join("inner"), NO_WAIT).unwrap_err(),
        salvage(&store, &store.join("inner")).unwrap_err(),
        restore(&copy, &copy.join("inner")).unwrap_err(),
    ] {
        assert!(matches!(&error, StoreError::Target { reason, .. } if reason.contains("copy of")), "{error}");
    }
}

#[test]
fn a_damaged_store_is_not_backed_up() {
    let (temp, _, _, blobs) = with_blobs();
    let blob = dir(&temp).join("blobs").join(blobs[0].to_string());
    let whole = fs::read(&blob).unwrap();
    fs::write(&blob, b"other").unwrap();
    let error = backup(&dir(&temp), &temp.path().join("b"), NO_WAIT).unwrap_err();
    assert!(matches!(error, StoreError::BadBlob(digest) if digest == blobs[0]), "{error}");
    fs::write(&blob, whole).unwrap();
    let journal = dir(&temp).join("journal");
    let mut bytes = fs::read(&journal).unwrap();
    bytes[2000] ^= 1;
    fs::write(&journal, bytes).unwrap();
    assert!(backup(&dir(&temp), &temp.path().join("b"), NO_WAIT).unwrap_err().is_damage());
    assert_eq!(names(temp.path()), ["s"]);
}

#[test]
fn a_rehearsal_is_the_same_store_with_an_index_that_is_ready() {
    let (temp, state, head, blobs) = with_blobs();
    let owner = Owner::create(&dir(&temp)).unwrap();
    let into = dir(&temp).join("rehearsal");
    let copied = copy_for_rehearsal(&dir(&temp), &into, NO_WAIT).unwrap();
    assert_eq!((copied.head, copied.blobs), (head, 2));
    assert_eq!(names(&into), ["blobs", "index", "journal", "lock", "store.json", "watermark"]);
    assert!(is_private(&into) && !owner_alive(&into, owner.token()).unwrap());
    let mut store = Store::open(&into, NO_WAIT, Mode::Write).unwrap();
    assert!(store.report().is_clean(), "{:?}", store.report());
    assert_eq!((store.id(), store.restored()), (open(&temp).unwrap().id(), None));
    assert!(store.state().unwrap() == state);
    // One file under two names; a blob is never written to, only replaced, so neither harms the other.
    let of = |dir: &Path| fs::metadata(dir.join("blobs").join(blobs[0].to_string())).unwrap().ino();
    assert_eq!(of(&into), of(&dir(&temp)));
    commit(&mut store, vec![topup("acme", "rehearsed", "1.00")]);
    store.put_blob(b"rehearsed").unwrap();
    drop(store);
    assert!(verify(&into, NO_WAIT).unwrap().is_sound());
    let store = open(&temp).unwrap();
    assert!(store.head() == head && !store.has_blob(&Digest::of(b"rehearsed")));
}

#[test]
fn a_rehearsal_of_a_store_without_a_good_index_builds_its_own() {
    let (temp, state, ..) = with_blobs();
    fs::write(dir(&temp).join("index").join("db"), b"rubbish").unwrap();
    copy_for_rehearsal(&dir(&temp), &temp.path().join("a"), NO_WAIT).unwrap();
    fs::remove_dir_all(dir(&temp).join("index")).unwrap();
    copy_for_rehearsal(&dir(&temp), &temp.path().join("b"), NO_WAIT).unwrap();
    for name in ["a", "b"] {
        let store = Store::open(&temp.path().join(name), NO_WAIT, Mode::Read).unwrap();
        assert!(store.state().unwrap() == state);
    }
}
