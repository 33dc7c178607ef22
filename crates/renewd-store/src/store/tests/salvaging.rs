//! Salvage: whole commits from before the damage, in a new store, with an account of the rest.

use super::copies::{files, names};
use super::*;
use crate::journal::JournalError;
use std::fs;

/// The bytes at which the commits of the journal end.
fn ends(journal: &[u8]) -> Vec<usize> {
    let begins = |at: &usize| journal[*at..].starts_with(&[0xAB, b'r', b'e', b'c', 1]);
    let mut ends: Vec<usize> = (65..journal.len() - 8).filter(begins).collect();
    ends.push(journal.len());
    ends
}

fn salvaged(temp: &TempDir) -> Result<Salvaged, StoreError> {
    let into = temp.path().join("new");
    if into.exists() {
        fs::remove_dir_all(&into).unwrap();
    }
    let before = files(&dir(temp));
    let result = salvage(&dir(temp), &into);
    assert_eq!(files(&dir(temp)), before, "the damaged store is not touched");
    assert_eq!(into.exists(), result.is_ok());
    if let Ok(salvaged) = &result {
        let store = Store::open(&into, NO_WAIT, Mode::Read).unwrap();
        assert_eq!(store.head(), salvaged.copied.head);
        assert_eq!(store.restored(), Some(salvaged.restored));
        assert!(store.state().unwrap() == replayed(&store));
        drop(store);
        assert!(verify(&into, NO_WAIT).unwrap().is_sound());
    }
    result
}

#[test]
fn every_commit_before_a_flipped_bit_is_salvaged_and_the_rest_is_counted() {
    let (temp, _, head) = filled();
    let path = dir(&temp).join("journal");
    let whole = fs::read(&path).unwrap();
    let ends = ends(&whole);
    for byte in (ends[0]..whole.len()).step_by(307) {
        let mut harmed = whole.clone();
        harmed[byte] ^= 32;
        fs::write(&path, harmed).unwrap();
        let found = salvaged(&temp).unwrap();
        let intact = *ends.iter().rfind(|end| **end <= byte).unwrap();
        assert_eq!(found.copied.bytes as usize, intact, "byte {byte}");
        assert_eq!(found.left.bytes as usize, whole.len() - intact);
        let lost = head.sequence.get() - found.copied.head.sequence.get();
        assert_eq!((found.left.records, found.left.acknowledged), (lost, Some(lost)));
        let damage = found.damage.unwrap();
        assert!(damage.intact_bytes as usize == intact && damage.offset as usize <= byte);
        assert_eq!(found.restored, Restored { epoch: 1, origin: Origin::Salvage, head: found.copied.head });
        assert!(!found.header_replaced);
    }
}

#[test]
fn a_store_without_its_watermark_is_salvaged_and_what_was_acknowledged_is_not_claimed_to_be_known() {
    let (temp, _, head) = filled();
    fs::remove_file(dir(&temp).join("watermark")).unwrap();
    let found = salvaged(&temp).unwrap();
    assert_eq!((found.copied.head, found.damage, found.left.acknowledged), (head, None, None));
    let path = dir(&temp).join("journal");
    let whole = fs::read(&path).unwrap();
    let ends = ends(&whole);
    let middle = ends[5];
    let mut harmed = whole.clone();
    harmed[middle + 3] ^= 1;
    fs::write(&path, &harmed).unwrap();
    let found = salvaged(&temp).unwrap();
    assert_eq!(found.copied.bytes as usize, middle);
    let lost = head.sequence.get() - found.copied.head.sequence.get();
    assert_eq!((found.left.records, found.left.acknowledged), (lost, None), "the last record is still legible");
    // With nothing legible behind the damage, one record at least is missing.
    harmed[middle..].fill(0);
    fs::write(&path, &harmed).unwrap();
    assert_eq!(salvaged(&temp).unwrap().left.records, 1);
}

#[test]
fn a_journal_that_lost_its_end_is_salvaged_and_the_loss_is_told_from_the_watermark() {
    let (temp, _, head) = filled();
    let path = dir(&temp).join("journal");
    let whole = fs::read(&path).unwrap();
    let end = ends(&whole)[7];
    fs::write(&path, &whole[..end]).unwrap();
    assert!(open(&temp).unwrap_err().is_damage());
    let found = salvaged(&temp).unwrap();
    let lost = head.sequence.get() - found.copied.head.sequence.get();
    assert!(lost > 0 && found.damage.unwrap().reason.contains("ends before its watermark"));
    assert_eq!((found.left.records, found.left.acknowledged, found.left.bytes), (lost, Some(lost), 0));
}

#[test]
fn a_damaged_header_is_made_again_only_from_an_identity_that_the_chain_continues() {
    let (temp, state, head) = filled();
    let path = dir(&temp).join("journal");
    let whole = fs::read(&path).unwrap();
    for byte in [0, 9, 14, 20, 40, 63] {
        let mut harmed = whole.clone();
        harmed[byte] ^= 128;
        fs::write(&path, &harmed).unwrap();
        assert!(open(&temp).unwrap_err().is_damage());
        let found = salvaged(&temp).unwrap();
        assert!(found.header_replaced && found.copied.head == head && found.left.records == 0, "byte {byte}");
        assert!(Store::open(&temp.path().join("new"), NO_WAIT, Mode::Read).unwrap().state().unwrap() == state);
    }
    let identity = dir(&temp).join("store.json");
    let own = fs::read(&identity).unwrap();
    for other in [&b"{\"formatVersion\":1,\"id\":\"00000000000000000000000000000000\"}"[..], b"rubbish"] {
        fs::write(&identity, other).unwrap();
        let error = salvaged(&temp).unwrap_err();
        assert!(matches!(error, StoreError::Journal(JournalError::BadHeader(_))), "{error}");
    }
    // With a sound journal the identity is not needed.
    fs::write(&path, &whole).unwrap();
    assert_eq!(salvaged(&temp).unwrap().copied.head, head);
    fs::write(&identity, own).unwrap();
    fs::write(&path, b"").unwrap();
    assert!(matches!(salvaged(&temp).unwrap_err(), StoreError::Journal(JournalError::BadHeader(_))));
    fs::remove_file(&path).unwrap();
    assert!(matches!(salvaged(&temp).unwrap_err(), StoreError::Journal(JournalError::Missing)));
    fs::remove_file(&identity).unwrap();
    assert!(salvaged(&temp).unwrap_err().is_missing(), "without its identity it is no store");
}

#[test]
fn damage_in_the_first_commit_leaves_nothing_to_salvage() {
    let (temp, ..) = filled();
    let path = dir(&temp).join("journal");
    let mut bytes = fs::read(&path).unwrap();
    bytes[70] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = salvaged(&temp).unwrap_err();
    assert!(matches!(error, StoreError::NothingIntact(_)) && error.is_damage(), "{error}");
    assert_eq!(names(temp.path()), ["s"]);
}

#[test]
fn damaged_blobs_are_left_behind_by_name() {
    let (temp, _, head) = filled();
    let store = open(&temp).unwrap();
    let (good, bad) = (store.put_blob(b"good").unwrap(), store.put_blob(b"bad").unwrap());
    drop(store);
    fs::write(dir(&temp).join("blobs").join(bad.to_string()), b"b").unwrap();
    let found = salvaged(&temp).unwrap();
    assert_eq!((found.copied.head, found.copied.blobs, found.left.blobs), (head, 1, vec![bad]));
    assert_eq!(read_blob(&temp.path().join("new"), &good).unwrap(), b"good");
    assert!(found.damage.is_none(), "the journal was sound");
}

/// A store that had been restored lost its identity; salvaged, it came to the same epoch again, took its gateways for
/// asked, and a line was charged twice.
#[test]
fn a_store_whose_identity_is_lost_comes_to_an_epoch_that_it_never_had() {
    let (temp, _, _) = filled();
    let first = salvaged(&temp).unwrap();
    assert_eq!(first.restored.epoch, 1);
    fs::remove_dir_all(dir(&temp)).unwrap();
    fs::rename(temp.path().join("new"), dir(&temp)).unwrap();
    fs::remove_file(dir(&temp).join("store.json")).unwrap();
    let second = salvaged(&temp).unwrap();
    assert!(second.restored.epoch > 1 << 20, "{:?}", second.restored);
    fs::remove_dir_all(dir(&temp)).unwrap();
    fs::rename(temp.path().join("new"), dir(&temp)).unwrap();
    let third = salvaged(&temp).unwrap();
    assert_eq!(third.restored.epoch, second.restored.epoch + 1);
}

#[test]
fn an_interrupted_commit_is_left_behind_and_was_never_acknowledged() {
    let (temp, _, head) = filled();
    let path = dir(&temp).join("journal");
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(&[0xAB, b'r', b'e']);
    fs::write(&path, bytes).unwrap();
    let found = salvaged(&temp).unwrap();
    assert_eq!((found.copied.head, found.left.bytes, found.left.acknowledged), (head, 3, Some(0)));
}

#[test]
fn a_store_in_use_is_not_salvaged_but_a_damaged_backup_is() {
    let (temp, ..) = filled();
    let held = open(&temp).unwrap();
    assert!(salvage(&dir(&temp), &temp.path().join("n")).unwrap_err().is_busy());
    drop(held);
    let target = temp.path().join("b");
    backup(&dir(&temp), &target, NO_WAIT).unwrap();
    let mut bytes = fs::read(target.join("journal")).unwrap();
    let end = ends(&bytes)[3];
    bytes.truncate(end + 20);
    fs::write(target.join("journal"), bytes).unwrap();
    assert!(restore(&target, &temp.path().join("r")).unwrap_err().is_damage());
    let found = salvage(&target, &temp.path().join("n")).unwrap();
    assert_eq!(found.copied.bytes as usize, end);
    assert!(Store::open(&temp.path().join("n"), NO_WAIT, Mode::Read).is_ok());
}
