//! What is refused before anything is written, and how a journal behaves once its disk has failed.

use super::*;
use crate::limits::RECORD_BYTES_MAX;
use crate::testing::Fault;

fn refused(journal: &mut Journal, events: &[Vec<u8>]) {
    let before = journal.head();
    assert!(matches!(journal.append(&header(0), events), Err(JournalError::TooLarge(_))));
    assert_eq!(journal.head(), before);
}

#[test]
fn a_commit_over_a_limit_is_refused_and_writes_nothing() {
    let (disk, mut journal) = journal_with(1);
    let calls = disk.calls();
    refused(&mut journal, &[]);
    refused(&mut journal, &[vec![0; RECORD_BYTES_MAX + 1]]);
    let long = RunHeader { command: "x".repeat(RECORD_BYTES_MAX), ..header(0) };
    assert!(matches!(journal.append(&long, &events(0)), Err(JournalError::TooLarge(_))));
    assert_eq!(disk.calls(), calls);
    journal.append(&header(1), &events(1)).unwrap();
}

#[test]
fn a_commit_is_one_sync() {
    let (disk, mut journal) = journal_with(1);
    let before = disk.syncs();
    for number in 1..=10 {
        journal.append(&header(number), &events(number)).unwrap();
    }
    assert_eq!(disk.syncs() - before, 10);
}

#[test]
fn a_failed_sync_poisons_the_journal_and_is_never_retried() {
    let (disk, mut journal) = journal_with(1);
    disk.fail(Fault::Sync(1));
    let first_error = journal.append(&header(1), &events(1)).unwrap_err();
    assert!(matches!(first_error, JournalError::Poisoned(_)), "{first_error}");
    let calls = disk.calls();
    for _ in 0..3 {
        let later = journal.append(&header(1), &events(1)).unwrap_err();
        assert_eq!(later.to_string(), first_error.to_string());
        assert_eq!(journal.seal(None).unwrap_err().to_string(), first_error.to_string());
    }
    assert_eq!(disk.calls(), calls, "nothing is asked of the disk any more");
}

#[test]
fn a_full_disk_ends_the_journal_and_the_half_commit_is_cut_at_the_next_open() {
    let (disk, mut journal) = journal_with(2);
    disk.fail(Fault::ShortWrite(1));
    assert!(matches!(journal.append(&header(2), &events(2)), Err(JournalError::Io { .. })));
    assert!(matches!(journal.append(&header(2), &events(2)), Err(JournalError::Io { .. })));
    let (mut journal, report) = open(&disk).unwrap();
    assert_eq!(commits_of(&mut journal), first(2));
    assert!(report.torn.is_some());
    journal.append(&header(2), &events(2)).unwrap();
    assert_eq!(commits_of(&mut journal), first(3));
}

#[test]
fn every_call_that_fails_during_an_open_is_an_error_and_harms_nothing() {
    let (disk, _, end) = watermark_one_behind();
    edit(&disk, |bytes| bytes.truncate(end as usize - 1));
    for call in 1..40 {
        let disk = disk.fork();
        disk.fail(Fault::Call(call));
        let opened = open(&disk);
        if let Err(error) = &opened {
            assert!(!error.is_damage(), "call {call}: {error}");
        }
        drop(opened);
        disk.crash(crate::testing::Crash::Kill, &mut crate::testing::Rng::new(call));
        let (mut journal, _) = open(&disk).unwrap();
        assert_eq!(commits_of(&mut journal), first(2), "call {call}");
    }
}

#[test]
fn a_long_journal_is_opened_from_its_watermark_and_verified_in_full_on_demand() {
    use crate::limits::OPEN_FULL_CHECK_BYTES_MAX;
    let (disk, mut journal) = journal_with(1);
    let big = vec![vec![b'z'; RECORD_BYTES_MAX]; 1 + (OPEN_FULL_CHECK_BYTES_MAX as usize / RECORD_BYTES_MAX)];
    journal.append(&header(1), &big).unwrap();
    let old = disk.contents(watermark::FILE).unwrap();
    let from = journal.bytes();
    journal.append(&header(2), &events(2)).unwrap();
    disk.set_contents(watermark::FILE, &old);
    let (opened, report) = open(&disk).unwrap();
    assert_eq!((opened.head(), report.verified_from), (journal.head(), from));
    // A bit of the old part: not seen by an ordinary open, but by everything that reads it.
    edit(&disk, |bytes| bytes[5000] ^= 1);
    let (mut opened, _) = open(&disk).unwrap();
    let genesis = opened.genesis();
    let read = opened.replay(genesis, |_| -> Result<(), JournalError> { Ok(()) });
    assert!(read.unwrap_err().is_damage());
    assert!(Journal::open(Box::new(disk.clone()), Depth::Full, |_| None).unwrap_err().is_damage());
    // The watermark's own mark and what follows it are always verified.
    edit(&disk, |bytes| *bytes.last_mut().unwrap() ^= 1);
    assert!(open(&disk).unwrap_err().is_damage());
}
