//! The store: what can be lost is rebuilt, and what cannot is refused by name.

use renewd_tests::dice::Dice;
use renewd_tests::world::{World, machines};
use std::fs;

/// A store with a few settled orders behind it, and what it lists.
fn busy() -> (World, String) {
    let world = World::with_machines(&machines(12, "2026-12-10"));
    for id in ["vm-001", "vm-002", "vm-003"] {
        world.run(["renew", id, "--request-id", "winter", "--yes"]).exits(0);
    }
    let listed = world.run(["list", "-o", "csv"]).exits(0).stdout;
    (world, listed)
}

fn journal(world: &World) -> std::path::PathBuf {
    world.store().join("journal")
}

#[test]
fn a_deleted_index_is_rebuilt_from_the_journal() {
    let (world, listed) = busy();
    let (sequence, orders) = (world.sequence(), world.orders());
    fs::remove_dir_all(world.store().join("index")).unwrap();
    assert_eq!(world.run(["list", "-o", "csv"]).exits(0).stdout, listed);
    assert_eq!((world.sequence(), world.orders()), (sequence, orders));
    world.verify();
}

#[test]
fn a_damaged_index_is_rebuilt_from_the_journal() {
    let (world, listed) = busy();
    let mut dice = Dice::seeded(7);
    for round in 0..6 {
        for entry in fs::read_dir(world.store().join("index")).unwrap().map(Result::unwrap) {
            if !entry.file_type().unwrap().is_file() {
                continue;
            }
            let mut bytes = fs::read(entry.path()).unwrap();
            if bytes.is_empty() {
                continue;
            }
            match round {
                0 => bytes.clear(),
                1 => bytes.truncate(bytes.len() / 2),
                2 => bytes.fill(0xff),
                _ => {
                    let at = usize::try_from(dice.below(bytes.len() as u64)).unwrap();
                    bytes[at] ^= 0x10;
                }
            }
            fs::write(entry.path(), bytes).unwrap();
        }
        // A flipped bit that sled reads as an older state is caught up; anything else is rebuilt.
        world.run(["store", "rebuild"]).exits(0);
        assert_eq!(world.run(["list", "-o", "csv"]).exits(0).stdout, listed, "round {round}");
        world.verify();
    }
}

#[test]
fn an_index_that_cannot_be_opened_is_rebuilt_without_being_asked() {
    let (world, listed) = busy();
    for entry in fs::read_dir(world.store().join("index")).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::write(entry.path(), b"this is no sled").unwrap();
        }
    }
    assert_eq!(world.run(["list", "-o", "csv"]).exits(0).stdout, listed);
    world.verify();
}

#[test]
fn a_bit_flipped_in_the_journal_is_6_with_the_record_named() {
    let (world, _) = busy();
    let intact = fs::read(journal(&world)).unwrap();
    let mut dice = Dice::seeded(11);
    for _ in 0..24 {
        let at = usize::try_from(dice.below(intact.len() as u64)).unwrap();
        let mut damaged = intact.clone();
        damaged[at] ^= 1 << dice.below(8);
        fs::write(journal(&world), &damaged).unwrap();
        let answer = world.run(["store", "verify"]);
        assert_eq!(answer.code, Some(6), "byte {at} of {}: {answer:?}", intact.len());
        if at >= 64 {
            assert!(answer.stderr.contains("record"), "byte {at}: {}", answer.stderr);
        }
        world.run(["renew", "vm-004", "--request-id", "x", "--yes"]).exits(6);
        assert_eq!(fs::read(journal(&world)).unwrap(), damaged, "a damaged journal is never written to");
    }
    fs::write(journal(&world), &intact).unwrap();
    world.verify();
}

#[test]
fn a_journal_that_ends_before_the_watermark_is_damage() {
    let (world, _) = busy();
    let intact = fs::read(journal(&world)).unwrap();
    fs::write(journal(&world), &intact[..intact.len() - 40]).unwrap();
    world.run(["list"]).exits(6);
}

#[test]
fn without_its_journal_a_store_sends_people_to_a_backup() {
    let (world, _) = busy();
    world.run(["store", "backup", "kept"]).exits(0);
    fs::remove_file(journal(&world)).unwrap();
    for args in [["store", "info", "-q"], ["store", "salvage", "saved"]] {
        let said =
            world.run(args).exits(6).says("there is no journal here").says("store restore BACKUP --store NEWDIR");
        assert!(!said.stderr.contains("store salvage NEWDIR"), "{}", said.stderr);
    }
    world.run(["store", "restore", "kept", "--store", "again"]).exits(0);
    world.run(["list", "--store", "again"]).exits(0);
}

#[test]
fn a_torn_tail_beyond_the_watermark_is_cut_off_and_told() {
    let (world, listed) = busy();
    let mut bytes = fs::read(journal(&world)).unwrap();
    bytes.extend_from_slice(&[1, 2, 3, 4, 5]);
    let told = "repaired: 5 bytes of a commit that was never finished were cut off the journal\n";
    // Who reads standard error as JSON, or wants answers only, is not told.
    for (format, verbosity, expected) in
        [("csv", "--verbose", told), ("csv", "--quiet", ""), ("json", "--verbose", ""), ("table", "--verbose", told)]
    {
        fs::write(journal(&world), &bytes).unwrap();
        let said = world.run(["list", "-o", format, verbosity]).exits(0).stderr;
        assert_eq!(said, expected, "{format} {verbosity}");
    }
    let again = world.run(["list", "-o", "csv"]).exits(0);
    assert_eq!((again.stdout, again.stderr), (listed, String::new()));
    world.verify();
}

#[test]
fn init_makes_a_store_once() {
    let world = World::new();
    world.run(["store", "init"]).exits(0);
    assert_ne!(world.run(["store", "init"]).code, Some(0));
    world.verify();
}

#[cfg(unix)]
#[test]
fn files_are_readable_by_the_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let (world, _) = busy();
    for file in [world.store(), journal(&world)] {
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} is {mode:o}", file.display());
    }
}

#[test]
fn reading_commands_append_nothing() {
    let (world, _) = busy();
    let sequence = world.sequence();
    for args in [
        vec![],
        vec!["list"],
        vec!["show", "vm-001"],
        vec!["orders", "list"],
        vec!["plan", "policies"],
        vec!["store", "info"],
    ] {
        let mut command = renewd_tests::process::command(world.path(), Some(world.now()), &args);
        renewd_tests::process::answer(&mut command).exits(0);
        assert_eq!(world.sequence(), sequence, "{args:?}");
    }
}
