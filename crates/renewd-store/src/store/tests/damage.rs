//! Damage of what an index cannot be rebuilt from: the journal, the identity, blobs. Refused by name, never repaired.

use super::*;
use crate::journal::JournalError;
use crate::testing::{Crash, Fault, Rng, SimDisk};
use renewd_core::event::Subject;
use renewd_core::ids::{Digest, OrderId};
use std::fs;

fn flip(path: &Path, byte: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[byte] ^= 16;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_flipped_bit_in_the_journal_is_named_by_open_verify_and_rebuild() {
    let (temp, ..) = filled();
    let journal = dir(&temp).join("journal");
    let length = fs::metadata(&journal).unwrap().len() as usize;
    for byte in (64..length).step_by(211) {
        flip(&journal, byte);
        for error in [
            open(&temp).unwrap_err(),
            verify(&dir(&temp), NO_WAIT).unwrap_err(),
            rebuild(&dir(&temp), NO_WAIT).unwrap_err(),
            info(&dir(&temp), NO_WAIT).unwrap_err(),
        ] {
            assert!(error.is_damage(), "byte {byte}: {error}");
            let StoreError::Journal(JournalError::Damaged(damage)) = error else { panic!("{error}") };
            assert!(damage.offset <= byte as u64 && damage.record.get() > 0, "{damage}");
        }
        flip(&journal, byte);
    }
    assert!(open(&temp).unwrap().report().is_clean());
}

#[test]
fn a_bit_that_flips_while_the_store_is_open_is_named_by_the_history() {
    let (temp, ..) = filled();
    let store = open(&temp).unwrap();
    let subject = Subject::Order(OrderId::new("ord_6").unwrap());
    let wanted = store.history(&subject).unwrap()[0].sequence;
    let journal = dir(&temp).join("journal");
    let bytes = fs::read(&journal).unwrap();
    let byte = bytes.windows(7).position(|seven| seven == b"\"ord_6\"").unwrap();
    flip(&journal, byte);
    let StoreError::Journal(JournalError::Damaged(damage)) = store.history(&subject).unwrap_err() else { panic!() };
    assert_eq!(damage.record, wanted);
    assert_eq!(damage.intact_records.get() + 3, wanted.get(), "the commit before, then header and top-up");
}

#[test]
fn a_journal_that_lost_its_end_is_refused_even_without_its_watermark() {
    let (temp, ..) = filled();
    let (journal, watermark) = (dir(&temp).join("journal"), dir(&temp).join("watermark"));
    let whole = fs::read(&journal).unwrap();
    // Cut at the end of the last commit but one: nothing in the journal itself shows it.
    let start = whole.windows(8).rposition(|eight| eight[..5] == [0xAB, b'r', b'e', b'c', 1]).unwrap();
    fs::write(&journal, &whole[..start]).unwrap();
    assert!(open(&temp).unwrap_err().is_damage());
    fs::remove_file(&watermark).unwrap();
    assert!(open(&temp).unwrap_err().is_damage(), "the index still knows better");
    fs::write(&journal, &whole).unwrap();
    let store = open(&temp).unwrap();
    assert!(store.report().journal.watermark_missing);
    assert!(watermark.exists());
}

#[test]
fn an_identity_that_is_gone_damaged_or_foreign_is_refused() {
    let (temp, ..) = filled();
    let path = dir(&temp).join("store.json");
    let whole = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(matches!(open(&temp).unwrap_err(), StoreError::Orphaned(_)));
    assert!(matches!(Store::create(&dir(&temp)).unwrap_err(), StoreError::Orphaned(_)));
    fs::write(&path, b"{\"formatVersion\":1,\"id\":\"00000000000000000000000000000000\"}").unwrap();
    assert!(matches!(open(&temp).unwrap_err(), StoreError::Mixed { .. }));
    fs::write(&path, b"{\"formatVersion\":2,\"id\":\"00000000000000000000000000000000\"}").unwrap();
    assert!(matches!(open(&temp).unwrap_err(), StoreError::Version(2)));
    for byte in 0..whole.len() - 1 {
        fs::write(&path, &whole).unwrap();
        flip(&path, byte);
        assert!(open(&temp).is_err(), "byte {byte}");
    }
}

#[test]
fn a_blob_is_returned_as_it_was_or_not_at_all() {
    let (temp, ..) = filled();
    let store = open(&temp).unwrap();
    let digest = store.put_blob(b"plugin").unwrap();
    assert_eq!(digest, Digest::of(b"plugin"));
    assert_eq!((store.blob(&digest).unwrap(), store.has_blob(&digest)), (b"plugin".to_vec(), true));
    assert_eq!(read_blob(&dir(&temp), &digest).unwrap(), b"plugin");
    let other = Digest::of(b"other");
    assert!(matches!(store.blob(&other), Err(StoreError::NoBlob(_))) && !store.has_blob(&other));
    flip(&dir(&temp).join("blobs").join(digest.to_string()), 2);
    assert!(matches!(store.blob(&digest), Err(StoreError::BadBlob(_))));
    drop(store);
    let report = verify(&dir(&temp), NO_WAIT).unwrap();
    assert_eq!((report.is_sound(), report.blobs.damaged), (false, vec![digest]));
    let store = open(&temp).unwrap();
    store.put_blob(b"plugin").unwrap();
    assert_eq!(store.blob(&digest).unwrap(), b"plugin");
}

#[test]
fn a_store_on_a_failing_disk_keeps_what_it_acknowledged() {
    let temp = tempfile::tempdir().unwrap();
    let id = crate::journal::StoreId::from_bytes([1; 16]);
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let disk = SimDisk::new();
        let mut acknowledged = 0;
        for _ in 0..4 {
            let mut store = Store::simulated(&disk, temp.path(), id).unwrap();
            assert!(store.state().unwrap() == replayed(&store));
            let found = store.state().unwrap().topups.len();
            assert!(found == acknowledged || found == acknowledged + 1, "seed {seed}: {found} of {acknowledged}");
            acknowledged = found;
            disk.fail(Fault::Call(1 + rng.below(20)));
            for number in 0..6 {
                let events = vec![topup("acme", &format!("{found}-{number}"), "1.00")];
                let commit = Commit { at: at(0), actor: String::new(), command: String::new(), events };
                match store.commit(commit, store.head().sequence) {
                    Ok(_) => acknowledged += 1,
                    Err(error) => {
                        assert!(error.is_fatal(), "{error}");
                        break;
                    }
                }
            }
            drop(store);
            disk.crash(if rng.chance(50) { Crash::Kill } else { Crash::Power }, &mut rng);
        }
    }
}
