//! The process dies at every named boundary; the next one finds everything that was acknowledged and nothing by
//! halves. Run with `cargo test -p renewd-store --features failpoints --test failpoints`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test: its helpers may fail as its tests do"
)]

use chrono::DateTime;
use renewd_core::event::Event;
use renewd_core::ids::Digest;
use renewd_store::{
    COPYING_FAILPOINTS, Commit, FAILPOINTS, Mode, Store, StoreError, backup, copy_for_rehearsal, rebuild, restore,
    salvage, verify, verify_backup,
};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const CHILD: &str = "RENEWD_TEST_CHILD";
const COPYING: &str = "RENEWD_TEST_COPYING";
const WAIT: Duration = Duration::from_secs(5);

fn topup(number: usize, part: usize) -> Event {
    serde_json::from_value(json!({
        "event": "balance-topped-up", "account": "acme", "reference": format!("{number}.{part}"),
        "amount": { "amount": "1.00", "currency": "USD" },
    }))
    .unwrap()
}

fn acknowledge(dir: &Path, what: &str) {
    let path = dir.with_extension("acks");
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    writeln!(file, "{what}").unwrap();
}

fn acknowledged(dir: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(dir.with_extension("acks")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// What the child does until it dies: make or open the store, commit, keep a blob, rebuild.
fn work(dir: &Path) {
    let mut store = match Store::open(dir, WAIT, Mode::Write) {
        Err(StoreError::Missing(_)) => Store::create(dir).unwrap(),
        other => other.unwrap(),
    };
    let base = store.head().sequence.get() as usize;
    for number in base..base + 3 {
        let events = vec![topup(number, 0), topup(number, 1)];
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let commit = Commit { at, actor: "ada".to_owned(), command: "test".to_owned(), events };
        store.commit(commit, store.head().sequence).unwrap();
        acknowledge(dir, &format!("commit {number}"));
    }
    let blob = format!("blob {base}");
    let digest = store.put_blob(blob.as_bytes()).unwrap();
    acknowledge(dir, &format!("blob {digest}"));
    drop(store);
    rebuild(dir, WAIT).unwrap();
    // A tail that is torn, so that the next open has something to cut.
    let mut journal = OpenOptions::new().append(true).open(dir.join("journal")).unwrap();
    journal.write_all(&[0xAB, b'r', b'e']).unwrap();
    drop(Store::open(dir, WAIT, Mode::Read).unwrap());
}

#[test]
fn child() {
    match (std::env::var(CHILD), std::env::var(COPYING)) {
        (Ok(dir), Err(_)) => work(Path::new(&dir)),
        (Ok(dir), Ok(kind)) => copy(Path::new(&dir), &kind),
        (Err(_), _) => {}
    }
}

/// What a child does that makes a copy of the store `dir` beside it.
fn copy(dir: &Path, kind: &str) {
    let made = dir.with_file_name("made");
    let copied = match kind {
        "backup" => backup(dir, &made, WAIT).is_ok(),
        "restore" => restore(&dir.with_file_name("backup"), &made).is_ok(),
        "salvage" => salvage(dir, &made).is_ok(),
        _ => copy_for_rehearsal(dir, &made, WAIT).is_ok(),
    };
    assert!(copied, "{kind}");
}

/// Runs the child; says whether it died at the boundary.
fn dies_at(dir: &Path, failpoint: &str) -> bool {
    dies_while(dir, None, failpoint)
}

fn dies_while(dir: &Path, copying: Option<&str>, failpoint: &str) -> bool {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--quiet"])
        .env(CHILD, dir)
        .envs(copying.map(|kind| (COPYING, kind)))
        .env("RENEWD_FAILPOINT", failpoint)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(matches!(status.code(), Some(0 | 137)), "{failpoint}: {status}");
    status.code() == Some(137)
}

fn check(dir: &Path, harm: &str) {
    let store = match Store::open(dir, WAIT, Mode::Write) {
        Err(StoreError::Missing(_)) if acknowledged(dir).is_empty() => return,
        other => other.unwrap_or_else(|error| panic!("{harm}: {error}")),
    };
    let state = store.state().unwrap();
    let found: BTreeSet<&str> = state.topups.keys().map(|(_, reference)| reference.as_str()).collect();
    let balance: usize =
        state.books.values().map(|book| book.balance["USD"].amount().try_into().unwrap_or(0_usize)).sum();
    assert_eq!(balance, found.len(), "{harm}: counted once each");
    for reference in &found {
        let (number, _) = reference.split_once('.').unwrap();
        let halves = [format!("{number}.0"), format!("{number}.1")];
        assert!(halves.iter().all(|half| found.contains(half.as_str())), "{harm}: half a commit");
    }
    for ack in acknowledged(dir) {
        match ack.split_once(' ').unwrap() {
            ("commit", number) => assert!(found.contains(format!("{number}.0").as_str()), "{harm}: lost {number}"),
            (_, digest) => drop(store.blob(&digest.parse::<Digest>().unwrap()).unwrap()),
        }
    }
    drop(store);
    assert!(verify(dir, WAIT).unwrap().is_sound(), "{harm}");
}

#[test]
fn death_at_every_boundary_loses_nothing_that_was_acknowledged() {
    for failpoint in FAILPOINTS {
        let mut deaths = 0;
        for nth in 1..=3 {
            let temp = tempfile::tempdir().unwrap();
            let dir: PathBuf = temp.path().join("s");
            for (life, count) in [nth, 1, nth].into_iter().enumerate() {
                let died = dies_at(&dir, &format!("{failpoint}:{count}"));
                deaths += usize::from(died);
                check(&dir, &format!("{failpoint}:{nth} life {life} died {died}"));
            }
        }
        assert!(deaths > 0, "`{failpoint}` was never reached");
    }
}

#[test]
fn death_while_a_copy_is_made_leaves_all_of_it_or_nothing() {
    for kind in ["backup", "restore", "salvage", "rehearsal"] {
        for failpoint in COPYING_FAILPOINTS.iter().chain(&["store.before-identity", "store.before-identity:2"]) {
            let temp = tempfile::tempdir().unwrap();
            let (dir, made) = (temp.path().join("s"), temp.path().join("made"));
            assert!(!dies_at(&dir, "none"));
            let head = Store::open(&dir, WAIT, Mode::Read).unwrap().head();
            backup(&dir, &temp.path().join("backup"), WAIT).unwrap();
            assert!(dies_while(&dir, Some(kind), failpoint), "{kind} {failpoint}");
            assert_eq!(made.exists(), *failpoint == "copy.after-rename", "{kind} {failpoint}");
            if !made.exists() {
                copy(&dir, kind);
            }
            let left: BTreeSet<_> = std::fs::read_dir(temp.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
            assert_eq!(left.len(), 4, "{kind} {failpoint}: {left:?}");
            if kind == "backup" {
                assert_eq!(verify_backup(&made).unwrap().head, head);
            } else {
                let store = Store::open(&made, WAIT, Mode::Read).unwrap();
                assert_eq!((store.head(), store.restored().is_some()), (head, kind != "rehearsal"));
                drop(store);
                assert!(verify(&made, WAIT).unwrap().is_sound(), "{kind} {failpoint}");
            }
            check(&dir, failpoint);
        }
    }
}
