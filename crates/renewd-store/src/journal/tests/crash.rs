//! Crashes at random, by seed: an acknowledged commit is never lost, another one is there whole or not at all.

use super::*;
use crate::testing::{Crash, Fault, Rng};

type Commit = Vec<Vec<u8>>;

fn random_commit(rng: &mut Rng) -> Commit {
    let count = 1 + rng.below(4);
    (0..count)
        .map(|_| {
            let length = if rng.chance(20) { rng.below(5000) } else { rng.below(300) };
            (0..length).map(|_| b'a' + (rng.next_u64() % 26) as u8).collect()
        })
        .collect()
}

fn random_fault(rng: &mut Rng) -> Fault {
    match rng.below(3) {
        0 => Fault::Call(1 + rng.below(12)),
        1 => Fault::Sync(1 + rng.below(4)),
        _ => Fault::ShortWrite(1 + rng.below(8)),
    }
}

/// One life of the process. Returns the commit whose fate is not known, if there is one.
fn live(disk: &SimDisk, acknowledged: &mut Vec<Commit>, rng: &mut Rng) -> Option<Commit> {
    if rng.chance(60) {
        disk.fail(random_fault(rng));
    }
    let Ok((mut journal, _)) = open(disk) else { return None };
    for _ in 0..rng.below(8) {
        let commit = random_commit(rng);
        if journal.append(&header(acknowledged.len()), &commit).is_err() {
            assert!(journal.append(&header(0), &commit).is_err(), "a failed journal takes no more commits");
            return Some(commit);
        }
        acknowledged.push(commit);
        if rng.chance(10) && journal.seal(Some(journal.head().sequence)).is_err() {
            return None;
        }
    }
    None
}

fn run(seed: u64) {
    let mut rng = Rng::new(seed);
    let disk = SimDisk::new();
    drop(Journal::create(Box::new(disk.clone()), id()).unwrap());
    let mut acknowledged: Vec<Commit> = Vec::new();
    for life in 0..8 {
        let in_doubt = live(&disk, &mut acknowledged, &mut rng);
        let crash = match rng.below(3) {
            0 => Crash::Kill,
            1 => Crash::Power,
            _ => Crash::PowerLosesAll,
        };
        disk.crash(crash, &mut rng);
        let (mut journal, _) = open(&disk).unwrap_or_else(|error| panic!("seed {seed} life {life} {crash:?}: {error}"));
        let found = commits_of(&mut journal);
        match (&in_doubt, found.len().checked_sub(acknowledged.len())) {
            (_, Some(0)) => {}
            (Some(commit), Some(1)) => acknowledged.push(commit.clone()),
            (_, other) => panic!("seed {seed} life {life}: {other:?} commits too many"),
        }
        assert!(found == acknowledged, "seed {seed} life {life} {crash:?}: other commits");
        // What was shown by an open stays: nothing more may be lost by another power cut.
        drop(journal);
        disk.crash(Crash::PowerLosesAll, &mut rng);
        let (mut journal, _) = open(&disk).unwrap_or_else(|error| panic!("seed {seed} life {life} again: {error}"));
        assert!(commits_of(&mut journal) == acknowledged, "seed {seed} life {life}: lost after it was shown");
    }
}

#[test]
fn acknowledged_commits_survive_and_others_are_all_or_nothing() {
    let seeds = if cfg!(debug_assertions) { 400 } else { 20_000 };
    for seed in 0..seeds {
        run(seed);
    }
}

#[test]
fn a_commit_whose_sync_failed_but_which_the_system_still_shows_is_made_durable_before_it_is_believed() {
    // Linux marks pages clean after a failed sync: a second sync succeeds without writing, a power cut then loses
    // what every read had shown. The open after it must write those bytes again.
    let (disk, mut journal) = journal_with(2);
    disk.fail(Fault::Sync(1));
    journal.append(&header(2), &events(2)).unwrap_err();
    let mut rng = Rng::new(1);
    disk.crash(Crash::Kill, &mut rng);
    let (mut journal, _) = open(&disk).unwrap();
    assert_eq!(commits_of(&mut journal), first(3));
    disk.crash(Crash::PowerLosesAll, &mut rng);
    let (mut journal, _) = open(&disk).unwrap();
    assert_eq!(commits_of(&mut journal), first(3));
}

#[test]
fn a_crash_while_a_journal_is_made_leaves_none_or_an_empty_one() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let disk = SimDisk::new();
        disk.fail(Fault::Call(1 + rng.below(12)));
        let made = Journal::create(Box::new(disk.clone()), id()).is_ok();
        disk.crash(if rng.chance(50) { Crash::Power } else { Crash::PowerLosesAll }, &mut rng);
        match open(&disk) {
            Ok((mut journal, _)) => assert!(commits_of(&mut journal).is_empty()),
            Err(JournalError::Missing) => assert!(!made, "seed {seed}"),
            Err(error) => panic!("seed {seed}: {error}"),
        }
    }
}
