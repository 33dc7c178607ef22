//! One flipped bit, anywhere. It is found or it changes nothing; it never makes a shorter or another history.

use super::*;

/// In debug builds a part of all bits, in release builds every bit.
fn bits(bytes: usize) -> impl Iterator<Item = (usize, u8)> {
    let step = if cfg!(debug_assertions) { 3 } else { 1 };
    (0..bytes * 8).step_by(step).map(|bit| (bit / 8, 1 << (bit % 8)))
}

#[test]
fn a_flipped_bit_below_the_watermark_is_damage() {
    let (disk, journal) = journal_with(6);
    for (byte, mask) in bits(journal.bytes() as usize) {
        let disk = disk.fork();
        edit(&disk, |bytes| bytes[byte] ^= mask);
        let error = open(&disk).unwrap_err();
        assert!(error.is_damage(), "byte {byte} mask {mask}: {error}");
        if let JournalError::Damaged(damage) = error {
            assert!(damage.offset <= byte as u64, "byte {byte}: {damage}");
            assert!(damage.intact_bytes <= damage.offset, "{damage}");
        }
    }
}

#[test]
fn a_flipped_bit_without_watermark_is_damage() {
    let (disk, journal) = journal_with(6);
    disk.delete(watermark::FILE);
    for (byte, mask) in bits(journal.bytes() as usize) {
        let disk = disk.fork();
        edit(&disk, |bytes| bytes[byte] ^= mask);
        let error = open(&disk).unwrap_err();
        assert!(error.is_damage(), "byte {byte} mask {mask}: {error}");
    }
}

#[test]
fn a_flipped_bit_beyond_the_watermark_costs_no_acknowledged_commit() {
    let (disk, start, end) = watermark_one_behind();
    for (byte, mask) in bits(end as usize) {
        let disk = disk.fork();
        edit(&disk, |bytes| bytes[byte] ^= mask);
        match open(&disk) {
            Ok((mut journal, report)) => {
                assert!(byte as u64 >= start, "byte {byte} went unnoticed");
                assert_eq!(commits_of(&mut journal), first(2));
                assert!(report.torn.is_some(), "the cut is reported");
            }
            Err(error) => assert!(error.is_damage() && (byte as u64) < start, "byte {byte}: {error}"),
        }
    }
}

#[test]
fn a_flipped_bit_in_the_watermark_is_harmless() {
    let (disk, journal) = journal_with(6);
    let length = disk.contents(watermark::FILE).unwrap().len();
    for (byte, mask) in bits(length) {
        let disk = disk.fork();
        let mut bytes = disk.contents(watermark::FILE).unwrap();
        bytes[byte] ^= mask;
        disk.set_contents(watermark::FILE, &bytes);
        let (mut opened, report) = open(&disk).unwrap();
        assert_eq!(opened.head(), journal.head());
        assert_eq!(commits_of(&mut opened), first(6));
        assert_eq!(report.torn, None);
    }
}

#[test]
fn two_swapped_or_doubled_commits_are_damage() {
    let (disk, journal) = journal_with(3);
    let whole = disk.contents(FILE).unwrap();
    let (_, journal_two) = journal_with(2);
    let (_, journal_one) = journal_with(1);
    let (one, two, end) = (journal_one.bytes() as usize, journal_two.bytes() as usize, journal.bytes() as usize);
    let variants = [
        [&whole[..one], &whole[two..end], &whole[one..two]].concat(),
        [&whole[..two], &whole[one..two], &whole[two..end]].concat(),
        [&whole[..one], &whole[two..end]].concat(),
        [&whole[..end], &whole[two..end]].concat(),
    ];
    for (number, bytes) in variants.iter().enumerate() {
        disk.set_contents(FILE, bytes);
        assert!(open(&disk).unwrap_err().is_damage(), "variant {number}");
    }
}
