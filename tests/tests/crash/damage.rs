//! Files that are not what was written: journals that end anywhere in their last two records, bits that flip, indexes
//! that are deleted, cut, zeroed or overwritten. What the journal says is either found whole or its damage is named with
//! exit 6; what is wrong with an index is mended without a word being different.
//!
//! `RENEWD_FLIPS` says how many bits are flipped (2000 unless told, `all` for every bit there is).

use crate::{bank, crew, failing};
use renewd_tests::bank::audit::{Strictness, audit};
use renewd_tests::bank::shop::{Shop, Template, Wallet, copy_folder, scratch};
use renewd_tests::binary::renewd;
use renewd_tests::dice::Dice;
use renewd_tests::fragment::{Fragment, forget};
use renewd_tests::process::answer;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;

const RENEW: [&str; 7] = ["renew", "--all", "--request-id", "r", "--yes", "-o", "json"];
const DAMAGED: i32 = 6;
const SEED: u64 = 20_261_123;

fn journal(shop: &Shop) -> PathBuf {
    shop.store().join("journal")
}

/// A small store in which something has happened.
fn renewed(template: &Template) -> Shop {
    let mut shop = Shop::open(template, bank(), renewd());
    shop.run(&RENEW).exits(0);
    shop
}

/// What a shop answers to the questions that everything else is asked by.
fn answers(shop: &Shop) -> (Option<i32>, String) {
    let (answers, _) = answers_and_notices(shop);
    answers
}

/// The answers, and what the first of the two commands wrote beside its own.
fn answers_and_notices(shop: &Shop) -> ((Option<i32>, String), String) {
    let listed = answer(&mut shop.command(["list", "-o", "csv"]));
    let orders = answer(&mut shop.command(["orders", "list", "--all", "-o", "json"]));
    ((listed.code.max(orders.code), listed.stdout + &orders.stdout), listed.stderr)
}

/// The process died when its last commit was written and not yet synced: of its last records any number of bytes may
/// have reached the disk, with whatever the disk held before after them.
#[test]
fn a_journal_cut_at_every_byte_of_its_last_two_records_loses_only_what_nobody_was_told() {
    forget("torn-tails");
    let template = Template::new(bank(), &Wallet::card(), 1);
    let died = |point: &str| {
        let mut shop = Shop::open(&template, bank(), failing());
        assert_eq!(shop.run_to(point, &RENEW).code, Some(137), "{point}");
        shop
    };
    let begin = std::fs::read(journal(&died("journal.before-write:3"))).unwrap().len();
    let shop = died("journal.before-sync:3");
    let kept = scratch();
    copy_folder(&shop.store(), kept.path());
    let whole = std::fs::read(journal(&shop)).unwrap();
    let from = last_two_records(&whole).max(begin);
    assert!(begin < from && from + 100 < whole.len(), "{begin} {from} {}", whole.len());
    let mut tried = 0;
    for cut in from..=whole.len() {
        for zeros in [false, true] {
            let mut bytes = whole[..cut].to_vec();
            if zeros {
                bytes.resize(whole.len(), 0);
            }
            std::fs::remove_dir_all(shop.store()).unwrap();
            copy_folder(kept.path(), &shop.store());
            std::fs::write(journal(&shop), &bytes).unwrap();
            let orders = shop.orders();
            let status = orders[0]["status"].as_str().unwrap();
            let is_whole = cut == whole.len() || zeros && whole[cut..].iter().all(|byte| *byte == 0);
            // Before the outcome was synced the charge may or may not have been recorded, but never by halves.
            assert_eq!(status, if is_whole { "settled" } else { "unknown" }, "cut at {cut}, zeros {zeros}");
            if cut.is_multiple_of(16) {
                audit(&shop, Strictness::Doubting).is_clean(&format!("cut at {cut}"));
            }
            tried += 1;
        }
    }
    let note = "journals cut, or filled with zeros, at each byte of the last two records".to_owned();
    Fragment { suite: "torn-tails".into(), tried, note, ..Fragment::default() }.write();
}

/// Where the last two records of a journal begin.
fn last_two_records(bytes: &[u8]) -> usize {
    let marker = [0xAB, b'r', b'e', b'c'];
    let mut begins = bytes.windows(4).enumerate().filter(|(_, window)| *window == marker).map(|(at, _)| at);
    begins.by_ref().collect::<Vec<_>>().into_iter().rev().nth(1).unwrap()
}

#[derive(Default)]
struct Flips {
    named: usize,
    harmless: usize,
    silent: Vec<String>,
}

/// Every bit of the journal matters: each flip is named by exit 6, or it changes no answer.
#[test]
fn a_flipped_bit_of_the_journal_is_named_and_never_believed() {
    forget("bit-flips");
    let shop = renewed(&Template::new(bank(), &Wallet::card(), 1));
    let intact = std::fs::read(journal(&shop)).unwrap();
    let control = answers(&shop);
    let bits = intact.len() * 8;
    let told = std::env::var("RENEWD_FLIPS").unwrap_or_else(|_| "2000".to_owned());
    let mut dice = Dice::seeded(SEED);
    let chosen: Vec<usize> = match told.parse::<usize>() {
        Ok(count) => {
            let mut drawn = BTreeSet::new();
            while drawn.len() < count.min(bits) {
                drawn.insert(usize::try_from(dice.below(bits as u64)).unwrap());
            }
            drawn.into_iter().collect()
        }
        Err(_) => (0..bits).collect(),
    };
    let found = Mutex::new(Flips::default());
    crew::each(&chosen, || shop.twin(), |copy, bit| flip(copy, &intact, *bit, &control, &found));
    let found = found.into_inner().unwrap();
    let (tried, silent) = (chosen.len() as u64, found.silent.len() as u64);
    let note = format!("bits of a journal of {bits} flipped: {} named, {} harmless", found.named, found.harmless);
    let seeds = vec![SEED.to_string()];
    Fragment { suite: "bit-flips".into(), tried, silent, seeds, note, ..Fragment::default() }.write();
    assert!(found.silent.is_empty(), "{:#?}", found.silent);
    assert_eq!(found.harmless, 0, "every bit of the journal is covered by a check");
}

fn flip(copy: &Shop, intact: &[u8], bit: usize, control: &(Option<i32>, String), found: &Mutex<Flips>) {
    let mut bytes = intact.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    std::fs::write(journal(copy), &bytes).unwrap();
    let verified = answer(&mut copy.command(["store", "verify"]));
    let mut found_now = found.lock().unwrap();
    if verified.code == Some(DAMAGED) {
        found_now.named += 1;
    } else {
        found_now.harmless += 1;
    }
    drop(found_now);
    // What is asked every day may look at less, but must not answer otherwise.
    if bit.is_multiple_of(16) || verified.code != Some(DAMAGED) {
        let told = answers(copy);
        if told.0 != Some(DAMAGED) && told != *control {
            found.lock().unwrap().silent.push(format!("bit {bit}: {verified:?} {told:?}"));
        }
    }
    assert_eq!(std::fs::read(journal(copy)).unwrap(), bytes, "a damaged journal is never written to");
}

/// The index is never the truth: whatever happens to it, every answer stays the same.
#[test]
fn an_index_that_is_deleted_cut_or_overwritten_changes_no_answer() {
    forget("index-damage");
    let shop = renewed(&Template::new(bank(), &Wallet::card(), 5));
    let control = answers(&shop);
    let kept = scratch();
    copy_folder(&shop.store(), kept.path());
    let mut dice = Dice::seeded(SEED);
    let rounds = 60;
    let mut repaired = 0;
    for round in 0..rounds {
        std::fs::remove_dir_all(shop.store()).unwrap();
        copy_folder(kept.path(), &shop.store());
        let index = shop.store().join("index");
        if round == 0 {
            std::fs::remove_dir_all(&index).unwrap();
        } else {
            let files: Vec<PathBuf> = std::fs::read_dir(&index).unwrap().map(|entry| entry.unwrap().path()).collect();
            let files: Vec<&PathBuf> = files.iter().filter(|file| file.is_file()).collect();
            let file = files[usize::try_from(dice.below(files.len() as u64)).unwrap()];
            spoil(file, round, &mut dice);
        }
        let (answered, notices) = answers_and_notices(&shop);
        assert_eq!(answered, control, "round {round}");
        let told = notices.contains("repaired: the index was made anew");
        let aside = std::fs::read_dir(shop.store()).unwrap().map(|entry| entry.unwrap().file_name());
        let made_anew =
            aside.map(|name| name.to_string_lossy().into_owned()).any(|name| name.starts_with("index.aside"));
        assert_eq!(told, made_anew, "round {round}: {notices}");
        repaired += u64::from(told);
    }
    assert!(rounds / 2 < repaired, "{repaired}");
    audit(&shop, Strictness::Certain).is_clean("after all of them");
    let seeds = vec![SEED.to_string()];
    let note = format!(
        "indexes deleted, cut, zeroed, overwritten or with a flipped bit; {repaired} were made anew, and said so"
    );
    Fragment { suite: "index-damage".into(), tried: rounds, seeds, note, ..Fragment::default() }.write();
}

fn spoil(file: &PathBuf, round: u64, dice: &mut Dice) {
    let mut bytes = std::fs::read(file).unwrap();
    let at = usize::try_from(dice.below(bytes.len().max(1) as u64)).unwrap();
    match round % 5 {
        0 => std::fs::remove_file(file).unwrap(),
        1 => std::fs::write(file, &bytes[..at]).unwrap(),
        2 => std::fs::write(file, b"this is no index").unwrap(),
        3 => {
            let end = (at + 512).min(bytes.len());
            bytes[at..end].fill(0);
            std::fs::write(file, bytes).unwrap();
        }
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
            std::fs::write(file, bytes).unwrap();
        }
    }
}
