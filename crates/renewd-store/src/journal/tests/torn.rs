//! A tail that a crash cut short.

use super::*;

#[test]
fn a_tail_cut_at_any_byte_beyond_the_watermark_is_torn() {
    let (disk, start, end) = watermark_one_behind();
    for length in start..end {
        let disk = disk.fork();
        edit(&disk, |bytes| bytes.truncate(length as usize));
        let (mut journal, report) = open(&disk).unwrap();
        assert_eq!(commits_of(&mut journal), first(2), "cut at {length}");
        let torn = report.torn.map(|torn| (torn.record.get(), torn.offset, torn.bytes));
        assert_eq!(torn, (length > start).then_some((9, start, length - start)), "cut at {length}");
        // The cut end is gone for good, and the journal goes on from there.
        journal.append(&header(2), &events(2)).unwrap();
        let (mut journal, report) = open(&disk).unwrap();
        assert_eq!((commits_of(&mut journal), report.torn), (first(3), None));
    }
}

#[test]
fn a_tail_cut_at_any_byte_below_the_watermark_is_damage() {
    let (disk, journal) = journal_with(3);
    let (_, start, end) = watermark_one_behind();
    assert_eq!(journal.bytes(), end);
    for length in start..end {
        let disk = disk.fork();
        edit(&disk, |bytes| bytes.truncate(length as usize));
        let damage = damage(open(&disk));
        assert_eq!((damage.intact_records.get(), damage.intact_bytes), (8, start), "cut at {length}");
    }
}

#[test]
fn a_tail_cut_at_any_byte_without_watermark_is_torn() {
    let (disk, start, end) = watermark_one_behind();
    disk.delete(watermark::FILE);
    for length in start..end {
        let disk = disk.fork();
        edit(&disk, |bytes| bytes.truncate(length as usize));
        let (mut journal, report) = open(&disk).unwrap();
        assert_eq!(commits_of(&mut journal), first(2), "cut at {length}");
        assert!(report.watermark_missing);
    }
}

#[test]
fn a_journal_cut_anywhere_is_never_shorter_in_silence() {
    let (disk, journal) = journal_with(3);
    for length in 0..journal.bytes() {
        let disk = disk.fork();
        edit(&disk, |bytes| bytes.truncate(length as usize));
        assert!(open(&disk).unwrap_err().is_damage(), "cut at {length}");
    }
}

#[test]
fn a_zeroed_sector_of_an_unacknowledged_commit_is_torn() {
    let (disk, mut journal) = journal_with(2);
    let old = disk.contents(watermark::FILE).unwrap();
    let start = journal.bytes() as usize;
    journal.append(&header(2), &vec![vec![b'y'; 700]; 4]).unwrap();
    let end = journal.bytes() as usize;
    disk.set_contents(watermark::FILE, &old);
    for sector in (start / 512)..=(end / 512) {
        let disk = disk.fork();
        edit(&disk, |bytes| bytes[(sector * 512).max(start)..((sector + 1) * 512).min(end)].fill(0));
        let (mut journal, report) = open(&disk).unwrap();
        assert_eq!(commits_of(&mut journal), first(2), "sector {sector}");
        assert!(report.torn.is_some());
    }
}
