//! Tests of the journal on a simulated disk. Each file is one kind of harm.

mod crash;
mod flips;
mod limits;
mod torn;
mod watermark_rules;

use super::error::JournalError;
use super::header::{RunHeader, StoreId};
use super::open::{Depth, JournalReport};
use super::{FILE, Journal, watermark};
use crate::sequence::Place;
use crate::testing::SimDisk;

pub(super) fn id() -> StoreId {
    StoreId::from_bytes([7; 16])
}

pub(super) fn header(number: usize) -> RunHeader {
    let at = chrono::DateTime::from_timestamp(1_800_000_000 + number as i64, 0).unwrap();
    RunHeader { at, actor: "ada".to_owned(), command: format!("commit {number}") }
}

/// The events of the `number`-th commit: two, of different lengths.
pub(super) fn events(number: usize) -> Vec<Vec<u8>> {
    vec![format!("{{\"commit\":{number}}}").into_bytes(), vec![b'x'; 20 + number]]
}

/// A journal with so many commits, and its disk.
pub(super) fn journal_with(commits: usize) -> (SimDisk, Journal) {
    let disk = SimDisk::new();
    let mut journal = Journal::create(Box::new(disk.clone()), id()).unwrap();
    for number in 0..commits {
        journal.append(&header(number), &events(number)).unwrap();
    }
    (disk, journal)
}

pub(super) fn open(disk: &SimDisk) -> Result<(Journal, JournalReport), JournalError> {
    open_with_spare(disk, None)
}

pub(super) fn open_with_spare(disk: &SimDisk, spare: Option<Place>) -> Result<(Journal, JournalReport), JournalError> {
    Journal::open(Box::new(disk.clone()), Depth::Ordinary, |_| spare)
}

/// The events of all commits, one list per commit.
pub(super) fn commits_of(journal: &mut Journal) -> Vec<Vec<Vec<u8>>> {
    let mut commits = Vec::new();
    let genesis = journal.genesis();
    journal
        .replay(genesis, |run| -> Result<(), JournalError> {
            commits.push(run.events.into_iter().map(|event| event.payload).collect());
            Ok(())
        })
        .unwrap();
    commits
}

pub(super) fn first(commits: usize) -> Vec<Vec<Vec<u8>>> {
    (0..commits).map(events).collect()
}

/// Three commits, of which the watermark has only seen two: as after a kill between sync and watermark, or after
/// a power cut that took the last watermark.
pub(super) fn watermark_one_behind() -> (SimDisk, u64, u64) {
    let (disk, mut journal) = journal_with(2);
    let old = disk.contents(watermark::FILE).unwrap();
    let start = journal.bytes();
    journal.append(&header(2), &events(2)).unwrap();
    disk.set_contents(watermark::FILE, &old);
    (disk, start, journal.bytes())
}

pub(super) fn damage(result: Result<(Journal, JournalReport), JournalError>) -> super::Damage {
    match result {
        Err(JournalError::Damaged(damage)) => damage,
        Err(other) => panic!("not damage: {other}"),
        Ok((journal, report)) => panic!("opened at {:?}: {report:?}", journal.head()),
    }
}

pub(super) fn edit(disk: &SimDisk, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = disk.contents(FILE).unwrap();
    change(&mut bytes);
    disk.set_contents(FILE, &bytes);
}

#[test]
fn what_was_committed_is_found_again_in_order() {
    let (disk, journal) = journal_with(5);
    let head = journal.head();
    assert_eq!(head.sequence.get(), 5 * 4, "header, two events and a mark each");
    drop(journal);
    let (mut journal, report) = open(&disk).unwrap();
    assert_eq!(journal.head(), head);
    assert_eq!(commits_of(&mut journal), first(5));
    assert_eq!(report, JournalReport { verified_from: 64, torn: None, watermark_missing: false });
}

#[test]
fn an_event_is_read_by_its_place_and_verified() {
    let (disk, mut journal) = journal_with(1);
    let appended = journal.append(&header(1), &events(1)).unwrap();
    let (sequence, offset) = appended.events[1];
    let (run, payload) = journal.read_event(appended.header_offset, offset, sequence).unwrap();
    assert_eq!((run, payload), (header(1), events(1)[1].clone()));
    edit(&disk, |bytes| bytes[offset as usize + 50] ^= 4);
    let error = journal.read_event(appended.header_offset, offset, sequence).unwrap_err();
    let JournalError::Damaged(damage) = error else { panic!("{error}") };
    assert_eq!((damage.record, damage.offset, damage.intact_records.get()), (sequence, offset, 4));
}

#[test]
fn the_longest_event_and_many_events_are_read_back() {
    let (disk, mut journal) = journal_with(0);
    let many: Vec<Vec<u8>> = (0..9).map(|n| vec![n; crate::limits::RECORD_BYTES_MAX]).collect();
    journal.append(&header(0), &many).unwrap();
    let small: Vec<Vec<u8>> = (0..3000_u32).map(|n| n.to_string().into_bytes()).collect();
    journal.append(&header(1), &small).unwrap();
    let (mut journal, _) = open(&disk).unwrap();
    assert_eq!(commits_of(&mut journal), vec![many, small]);
}
