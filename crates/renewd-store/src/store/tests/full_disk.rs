//! A disk that is full: refused before anything is written, and what is there can still be read.

use super::*;
use std::fs;
use std::io::Write as _;
use std::process::Command;

/// A file system of this size in memory, for as long as it is held.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mounted(mebibytes: u64) -> Option<Self> {
        let temp = tempfile::tempdir().unwrap();
        let size = format!("size={mebibytes}m");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(temp.path()).output();
        if mount.is_ok_and(|done| done.status.success()) {
            return Some(Self(temp));
        }
        eprintln!("SKIPPED: a full disk was not tried, because mounting a tmpfs needs root");
        None
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("s")
    }

    /// Fills the disk until this many bytes are free.
    fn fill(&self, free: u64) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.0.path().join("filler")).unwrap();
        while let Some(more) = crate::disk::free_bytes(self.0.path()).and_then(|now| now.checked_sub(free)) {
            if more == 0 || file.write_all(&vec![1; more.min(1 << 20) as usize]).is_err() {
                break;
            }
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.0.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn wanted(store: &Store, number: usize) -> (Commit, Sequence) {
    let events = vec![topup("acme", &format!("bank-{number}"), "1.00")];
    (Commit { at: at(0), actor: "ada".to_owned(), command: "test".to_owned(), events }, store.head().sequence)
}

#[test]
fn a_commit_on_a_full_disk_is_refused_whole_and_the_store_can_be_read() {
    let Some(disk) = SmallDisk::mounted(12) else { return };
    let mut store = Store::create(&disk.store()).unwrap();
    let (first, expected) = wanted(&store, 0);
    let head = store.commit(first, expected).unwrap();
    disk.fill(crate::limits::FREE_BYTES_MIN);
    let journal = fs::read(disk.store().join("journal")).unwrap();
    let (second, expected) = wanted(&store, 1);
    let error = store.commit(second.clone(), expected).unwrap_err();
    assert!(matches!(error, CommitError::NoSpace { .. }) && !error.is_fatal(), "{error}");
    assert!(matches!(store.put_blob(b"plugin").unwrap_err(), StoreError::NoSpace { .. }));
    assert_eq!((store.head(), fs::read(disk.store().join("journal")).unwrap()), (head, journal));
    assert_eq!(store.state().unwrap().topups.len(), 1);
    drop(store);
    // Not even what has to stay free is left: others have written to the disk too.
    for free in [crate::limits::FREE_BYTES_MIN, 40_960, 0] {
        disk.fill(free);
        for _ in 0..3 {
            let store = Store::open(&disk.store(), NO_WAIT, Mode::Read).unwrap();
            assert_eq!((store.head(), store.state().unwrap().topups.len()), (head, 1));
        }
        let report = verify(&disk.store(), NO_WAIT).unwrap();
        assert_eq!(report.head, head);
    }
    fs::remove_dir_all(disk.store().join("index")).unwrap();
    disk.fill(0);
    let store = Store::open(&disk.store(), NO_WAIT, Mode::Read).unwrap();
    assert_eq!(store.state().unwrap().topups.len(), 1, "also without an index");
    drop(store);
    let target = disk.0.path().join("b");
    let error = backup(&disk.store(), &target, NO_WAIT).unwrap_err();
    assert!(matches!(error, StoreError::NoSpace { .. }) && !error.is_damage() && !target.exists(), "{error}");
    disk.make_room();
    let mut store = Store::open(&disk.store(), NO_WAIT, Mode::Write).unwrap();
    let (again, expected) = wanted(&store, 1);
    store.commit(again, expected).unwrap();
    drop(store);
    assert!(verify(&disk.store(), NO_WAIT).unwrap().is_sound());
}

#[test]
fn commits_until_the_disk_is_full_end_in_a_refusal_and_lose_nothing() {
    let Some(disk) = SmallDisk::mounted(16) else { return };
    let mut store = Store::create(&disk.store()).unwrap();
    let mut number = 0;
    let error = loop {
        let events = (0..200).map(|part| topup("acme", &format!("{number}.{part}"), "1.00")).collect();
        let commit = Commit { at: at(0), actor: "ada".to_owned(), command: "test".to_owned(), events };
        match store.commit(commit, store.head().sequence) {
            Ok(_) => number += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, CommitError::NoSpace { .. }), "{error}");
    drop(store);
    let store = Store::open(&disk.store(), NO_WAIT, Mode::Read).unwrap();
    assert_eq!(store.state().unwrap().topups.len(), number * 200);
}
