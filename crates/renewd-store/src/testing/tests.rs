//! The simulated disk's own promises: death, and an index that is kept.

#![allow(clippy::unwrap_used, reason = "a failing test may panic")]

use super::{Call, Crash, Fault, Rng, SimDisk, SimIndex};
use crate::disk::Disk as _;
use crate::{IndexReport, Opening, Origin, Restored, Sequence, Store, StoreId};

#[test]
fn after_death_nothing_reaches_the_disk_until_it_is_started_again() {
    let disk = SimDisk::new();
    let mut handle = disk.clone();
    handle.create("file").unwrap();
    handle.write_at("file", 0, b"kept").unwrap();
    handle.sync("file").unwrap();
    handle.sync_dir().unwrap();
    disk.fail(Fault::Death(1));
    assert_eq!(handle.len("file").unwrap(), Some(4), "only what changes anything is counted");
    assert_eq!(disk.fault(), Some(Fault::Death(1)));
    assert!(handle.write_at("file", 4, b"lost").is_err());
    assert_eq!((disk.died_at(), disk.changes()), (Some((Call::Write, "file".to_owned())), 5));
    assert!(disk.is_dead() && handle.sync("file").is_err() && handle.len("file").is_err());
    disk.crash(Crash::Kill, &mut Rng::new(1));
    assert_eq!(disk.contents("file").unwrap(), b"keptlo");
    assert!(disk.is_unsynced("file"));
    disk.crash(Crash::PowerLosesAll, &mut Rng::new(1));
    assert_eq!(disk.contents("file").unwrap(), b"kept");
    assert!(!disk.is_unsynced("file"));
}

#[test]
fn a_kept_index_is_found_again_and_a_restored_store_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, index, id) = (SimDisk::new(), SimIndex::default(), StoreId::from_bytes([7; 16]));
    let open = |restored| Store::simulated_with(&disk, &index, folder.path(), id, restored, Opening::AtOnce).unwrap();
    let head = open(None).head();
    assert_eq!(head.sequence, Sequence::ZERO);
    let mark = Restored { epoch: 1, origin: Origin::Backup, head };
    let again = open(Some(mark));
    assert_eq!(again.report().index, IndexReport::UpToDate);
    assert_eq!(again.restored(), Some(mark));
}

#[test]
fn what_a_failed_sync_gave_up_is_not_durable_until_it_is_written_again() {
    let disk = SimDisk::new();
    let mut handle = disk.clone();
    handle.create("file").unwrap();
    handle.sync_dir().unwrap();
    handle.write_at("file", 0, b"text").unwrap();
    disk.fail(Fault::Sync(1));
    assert!(handle.sync("file").is_err());
    assert!(disk.is_unsynced("file"));
    disk.crash(Crash::Kill, &mut Rng::new(1));
    handle.write_at("file", 0, b"text").unwrap();
    handle.sync("file").unwrap();
    assert!(!disk.is_unsynced("file"));
}
