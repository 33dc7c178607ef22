//! Each rule of `tail` and `watermark`, by its name.

use super::super::record::{Kind, encode};
use super::*;
use crate::sequence::Sequence;
use renewd_core::ids::Digest;

#[test]
fn watermark_binds_a_journal_that_ends_before_it_is_damage() {
    let (disk, journal) = journal_with(3);
    let (_, two) = journal_with(2);
    edit(&disk, |bytes| bytes.truncate(two.bytes() as usize));
    let damage = damage(open(&disk));
    assert_eq!(damage.record.get(), 9);
    assert!(damage.reason.contains("ends before its watermark (record 12)"), "{damage}");
    drop(journal);
}

#[test]
fn watermark_binds_an_older_copy_with_another_continuation_is_damage() {
    let (disk, _journal) = journal_with(3);
    // The same store went another way after its second commit.
    let (other, mut journal) = journal_with(2);
    journal.append(&header(9), &events(9)).unwrap();
    journal.append(&header(10), &events(10)).unwrap();
    disk.set_contents(FILE, &other.contents(FILE).unwrap());
    let damage = damage(open(&disk));
    assert!(damage.reason.contains("other records than its watermark"), "{damage}");
}

#[test]
fn watermark_binds_even_when_only_the_spare_one_is_left() {
    let (disk, journal) = journal_with(3);
    let (_, two) = journal_with(2);
    disk.delete(watermark::FILE);
    edit(&disk, |bytes| bytes.truncate(two.bytes() as usize));
    assert!(open_with_spare(&disk.fork(), Some(journal.place())).unwrap_err().is_damage());
    let (mut opened, _) = open_with_spare(&disk, Some(two.place())).unwrap();
    assert_eq!(commits_of(&mut opened), first(2));
}

#[test]
fn later_run_a_bad_record_with_a_later_commit_after_it_is_damage() {
    let (disk, mut journal) = journal_with(1);
    let old = disk.contents(watermark::FILE).unwrap();
    let start = journal.bytes() as usize;
    journal.append(&header(1), &events(1)).unwrap();
    journal.append(&header(2), &events(2)).unwrap();
    disk.set_contents(watermark::FILE, &old);
    edit(&disk, |bytes| bytes[start + 300] ^= 1);
    let damage = damage(open(&disk));
    assert!(damage.reason.contains("a later commit follows it"), "{damage}");
    assert_eq!(damage.intact_records.get(), 4);
}

#[test]
fn beyond_watermark_a_whole_commit_is_taken_and_made_durable() {
    let (disk, _, end) = watermark_one_behind();
    let (mut journal, report) = open(&disk).unwrap();
    assert_eq!((commits_of(&mut journal), report.torn), (first(3), None));
    drop(journal);
    // From now on it is acknowledged: the same cut is damage.
    edit(&disk, |bytes| bytes.truncate(end as usize - 1));
    assert!(open(&disk).unwrap_err().is_damage());
}

#[test]
fn beyond_watermark_a_bad_record_of_the_last_commit_is_torn() {
    let (disk, start, _) = watermark_one_behind();
    edit(&disk, |bytes| bytes[start as usize + 60] ^= 1);
    let (mut journal, report) = open(&disk).unwrap();
    assert_eq!(commits_of(&mut journal), first(2));
    assert_eq!(report.torn.unwrap().offset, start);
}

#[test]
fn good_after_bad_without_watermark_is_damage() {
    let (disk, start, _) = watermark_one_behind();
    disk.delete(watermark::FILE);
    edit(&disk, |bytes| bytes[start as usize + 60] ^= 1);
    assert!(damage(open(&disk)).reason.contains("an intact record follows it"));
}

#[test]
fn complete_run_a_bad_mark_at_the_very_end_without_watermark_is_damage() {
    let (disk, _, end) = watermark_one_behind();
    disk.delete(watermark::FILE);
    edit(&disk, |bytes| bytes[end as usize - 1] ^= 1);
    assert!(damage(open(&disk)).reason.contains("of full length"));
}

#[test]
fn incomplete_run_without_watermark_is_torn() {
    let (disk, start, end) = watermark_one_behind();
    disk.delete(watermark::FILE);
    edit(&disk, |bytes| bytes.truncate(end as usize - 1));
    let (mut journal, report) = open(&disk).unwrap();
    assert_eq!(commits_of(&mut journal), first(2));
    assert_eq!(report.torn.unwrap().offset, start);
}

#[test]
fn misplaced_an_intact_record_that_does_not_continue_the_chain_is_damage() {
    let (disk, mut journal) = journal_with(2);
    let mut foreign = Vec::new();
    encode(Kind::Event, Sequence::new(9), &Digest::of(b"elsewhere"), b"{}", &mut foreign);
    edit(&disk, |bytes| bytes.extend_from_slice(&foreign));
    assert!(damage(open(&disk)).reason.contains("does not continue"));
    let mut stray = Vec::new();
    let head = journal.head();
    encode(Kind::Event, head.sequence.next(), &head.hash, b"{}", &mut stray);
    edit(&disk, |bytes| bytes.truncate(journal.bytes() as usize));
    edit(&disk, |bytes| bytes.extend_from_slice(&stray));
    assert!(damage(open(&disk)).reason.contains("outside of any commit"));
    edit(&disk, |bytes| bytes.truncate(journal.bytes() as usize));
    assert_eq!(commits_of(&mut journal), first(2));
}

#[test]
fn the_watermark_of_another_store_is_not_believed() {
    let (disk, journal) = journal_with(2);
    let other = SimDisk::new();
    drop(Journal::create(Box::new(other.clone()), StoreId::from_bytes([8; 16])).unwrap());
    disk.set_contents(watermark::FILE, &other.contents(watermark::FILE).unwrap());
    let (opened, report) = open(&disk).unwrap();
    assert_eq!((opened.head(), report.watermark_missing), (journal.head(), true));
}

#[test]
fn a_journal_of_another_version_is_refused_by_its_number() {
    let (disk, _journal) = journal_with(1);
    edit(&disk, |bytes| {
        bytes[8] = 2;
        let genesis = Digest::of(&bytes[..32]);
        bytes[32..64].copy_from_slice(genesis.as_bytes());
    });
    assert!(matches!(open(&disk), Err(JournalError::Version(2))));
}

#[test]
fn a_journal_that_is_gone_is_missing() {
    let (disk, _journal) = journal_with(1);
    disk.delete(FILE);
    assert!(matches!(open(&disk), Err(JournalError::Missing)));
}

#[test]
fn misplaced_a_mark_that_does_not_fit_its_commit_is_damage() {
    use super::super::header::{RunExtent, header_payload, mark_payload};
    let (disk, journal) = journal_with(1);
    let whole = disk.contents(FILE).unwrap();
    // Two events are written; header and mark tell other numbers, one at a time.
    for (said, closed) in [(2, 3), (3, 2), (3, 3), (1, 2), (1, 1)] {
        let mut tail = Vec::new();
        let extent = RunExtent { events: said, rest_bytes: 58 + 58 + 60 };
        let mut sequence = journal.head().sequence;
        let mut hash = journal.head().hash;
        let payloads = [
            (Kind::Header, header_payload(extent, &header(1)).unwrap()),
            (Kind::Event, b"{}".to_vec()),
            (Kind::Event, b"{}".to_vec()),
            (Kind::Mark, mark_payload(closed).to_vec()),
        ];
        for (kind, payload) in payloads {
            sequence = sequence.next();
            hash = encode(kind, sequence, &hash, &payload, &mut tail);
        }
        disk.set_contents(FILE, &[whole.clone(), tail].concat());
        assert!(open(&disk).unwrap_err().is_damage(), "header {said}, mark {closed}");
    }
}

#[test]
fn a_torn_watermark_leaves_the_older_one() {
    for commits in [4, 5] {
        let (disk, journal) = journal_with(commits);
        let whole = disk.contents(watermark::FILE).unwrap();
        for slot in [0, 512] {
            let disk = disk.fork();
            let mut bytes = whole.clone();
            bytes[slot..slot + 512].fill(0);
            disk.set_contents(watermark::FILE, &bytes);
            let (opened, report) = open(&disk).unwrap();
            assert_eq!((opened.head(), report.watermark_missing), (journal.head(), false));
            // It is no older than the commit before the last.
            edit(&disk, |bytes| bytes.truncate(bytes.len() / 2));
            disk.set_contents(watermark::FILE, &bytes);
            assert!(open(&disk).unwrap_err().is_damage());
        }
    }
}
