//! Backups, restored and salvaged stores, and a full disk: what is copied is whole, and nothing is ever written over.

use renewd_tests::process::{Answer, answer, command};
use renewd_tests::world::{World, machines};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// A store with a settled order behind it.
fn busy() -> World {
    let world = World::with_machines(&machines(6, "2026-12-10"));
    world.run(["renew", "vm-001", "vm-002", "--request-id", "winter", "--yes"]).exits(0);
    world
}

/// What a store lists, and its orders.
fn contents(world: &World, store: &str) -> (String, Value) {
    let listed = world.run(["list", "-o", "csv", "--store", store]).exits(0).stdout;
    (listed, world.json(0, ["orders", "list", "--all", "--store", store])["orders"].clone())
}

/// How many resources near their expiry the board says may have been renewed after the backup.
fn near(world: &World, store: &str) -> Option<String> {
    let board = world.json(0, ["--store", store]);
    let notice = board["notices"].as_array().unwrap().iter().find(|it| it["kind"] == "restored").cloned()?;
    Some(notice["message"].as_str().unwrap().split_whitespace().nth(4).unwrap().to_owned())
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_backup_is_restored_to_the_same_store_and_is_marked() {
    let mut world = busy();
    let before = contents(&world, ".renewd");
    let backup = world.json(0, ["store", "backup", "saved"]);
    assert_eq!(backup["kind"], "store-backup");
    assert_eq!((&backup["sequence"], &backup["restored"]), (&Value::from(world.sequence()), &Value::Null));
    assert!(backup["blobs"].as_u64().unwrap() > 0 && backup["bytes"].as_u64().unwrap() > 0, "{backup}");
    world.run(["renew", "vm-003", "--request-id", "later", "--yes"]).exits(0);
    let restored = world.json(0, ["store", "restore", "saved", "--store", "second"]);
    assert_eq!(restored["kind"], "store-restore");
    assert_eq!(
        restored["restored"],
        serde_json::json!({ "epoch": 1, "origin": "backup", "sequence": backup["sequence"] })
    );
    assert_eq!((&restored["head"], &restored["bytes"]), (&backup["head"], &backup["bytes"]));
    assert!(contents(&world, "second") == before, "what came after the backup is not in it");
    let info = world.json(0, ["store", "info", "--store", "second"]);
    assert_eq!((&info["restored"]["origin"], &info["id"]), (&"backup".into(), &world.json(0, ["store", "info"])["id"]));
    world.run(["store", "info", "--store", "second"]).exits(0).says("restored from a backup, up to record");
    assert_eq!(world.json(0, ["store", "info"])["restored"], Value::Null);
    let verified = world.json(0, ["store", "verify", "--store", "second"]);
    assert_eq!(verified["clean"], true, "{verified}");
    assert_eq!((near(&world, ".renewd"), near(&world, "second")), (None, None));
    world.set_clock("2026-12-08T09:00:00Z");
    assert_eq!(
        (near(&world, ".renewd"), near(&world, "second").as_deref()),
        (None, Some("4")),
        "those may be paid elsewhere"
    );
    // The plugins came along: it can price and pay.
    world.run(["renew", "vm-004", "--request-id", "there", "--yes", "--store", "second"]).exits(0);
    assert_eq!(near(&world, "second").as_deref(), Some("3"), "that one is paid here");
    world.verify();
}

#[test]
fn nothing_is_written_over_and_a_backup_is_no_store() {
    let world = busy();
    world.run(["store", "backup", "saved"]).exits(0).says("renewd store restore saved --store NEWDIR");
    world.write("full/mine", "mine");
    let before = (contents(&world, ".renewd"), names(world.path()));
    let error = world.failure(1, ["store", "restore", "saved"])["error"].clone();
    assert_eq!(error["code"], "store-exists", "{error}");
    assert!(error["hint"].as_str().unwrap().contains("another directory"), "{error}");
    for target in ["full", "no/where", ".renewd"] {
        for answer in [
            world.run(["store", "backup", target]),
            world.run(["store", "salvage", target]),
            world.run(["store", "restore", "saved", "--store", target]),
        ] {
            assert!(matches!(answer.code, Some(1 | 3)), "{answer:?}");
            answer.says("hint");
        }
    }
    world.run(["store", "restore", "full", "--store", "new"]).exits(3).says("is not a backup");
    world.run(["list", "--store", "saved"]).exits(3).says("is a backup, not a store").says("renewd store restore");
    world.run(["store", "backup", "x", "--store", "nothing"]).exits(3).says("there is no store in `nothing`");
    assert_eq!((contents(&world, ".renewd"), names(world.path())), before);
    assert_eq!(fs::read_to_string(world.path().join("full/mine")).unwrap(), "mine");
}

#[test]
fn a_backup_is_verified_where_it_is() {
    let world = busy();
    let backup = world.json(0, ["store", "backup", "saved"]);
    let saved = world.path().join("saved");
    let before = names(&saved);
    let verified = world.json(0, ["store", "verify", "saved"]);
    assert_eq!((&verified["backup"], &verified["clean"]), (&Value::Bool(true), &Value::Bool(true)));
    assert_eq!(verified["records"], backup["sequence"]);
    world.run(["store", "verify", "saved"]).exits(0).says("renewd store restore saved --store NEWDIR");
    assert_eq!(names(&saved), before, "looking leaves nothing");
    world.run(["store", "verify", ".renewd"]).exits(3).says("is not a backup");
    world.run(["store", "verify", "--store", "saved"]).exits(3).says("renewd store verify BACKUP");
    let journal = saved.join("journal");
    let mut bytes = fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&journal, bytes).unwrap();
    world.run(["store", "verify", "saved"]).exits(6);
}

#[test]
fn a_backup_taken_while_others_commit_is_a_moment_of_the_store() {
    let world = busy();
    let mut saved = Vec::new();
    for round in 0..4 {
        let id = format!("round-{round}");
        let args = ["renew", "--all", "--request-id", &id, "--yes", "--wait", "60"];
        let mut writer = command(world.path(), Some(world.now()), args).stdout(Stdio::null()).spawn().unwrap();
        loop {
            let done = writer.try_wait().unwrap();
            let target = format!("saved-{}", saved.len());
            saved.push(world.json(0, ["store", "backup", &target, "--wait", "60"]));
            if let Some(status) = done {
                assert_eq!(status.code(), Some(0));
                break;
            }
        }
    }
    let sequences: Vec<u64> = saved.iter().map(|backup| backup["sequence"].as_u64().unwrap()).collect();
    assert!(sequences.is_sorted() && sequences.last() == Some(&world.sequence()), "{sequences:?}");
    for (number, sequence) in sequences.iter().enumerate() {
        let store = format!("restored-{number}");
        world.run(["store", "restore", &format!("saved-{number}"), "--store", &store]).exits(0);
        let verified = world.json(0, ["store", "verify", "--store", &store]);
        assert_eq!((&verified["clean"], &verified["records"]), (&Value::Bool(true), &Value::from(*sequence)));
    }
    world.verify();
}

#[test]
fn what_is_intact_of_a_damaged_store_is_saved_and_what_is_lost_is_told() {
    let world = busy();
    let (before, kept) = (contents(&world, ".renewd"), world.sequence());
    world.run(["renew", "vm-003", "--request-id", "later", "--yes"]).exits(0);
    let last = world.sequence();
    let journal = world.store().join("journal");
    let mut bytes = fs::read(&journal).unwrap();
    let at = bytes.windows(5).rposition(|five| five == b"later").unwrap();
    bytes[at] ^= 1;
    fs::write(&journal, &bytes).unwrap();
    let error = world.failure(6, ["list"])["error"].clone();
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("renewd store salvage NEWDIR") && hint.contains("renewd store restore BACKUP"), "{hint}");
    world.run(["store", "verify"]).exits(6).says("damaged at record").says("are intact");
    world.run(["store", "backup", "saved"]).exits(6);
    assert!(!world.path().join("saved").exists());
    let found = world.json(7, ["store", "salvage", "new"]);
    assert_eq!((&found["kind"], &found["complete"]), (&"store-salvage".into(), &Value::Bool(false)), "{found}");
    let saved = found["sequence"].as_u64().unwrap();
    assert!(saved >= kept && saved < last, "{saved} of {last}");
    assert_eq!(found["lost"]["acknowledged"], Value::from(last - saved));
    assert_eq!(found["restored"]["origin"], "salvage");
    assert!(found["damage"][0].as_str().unwrap().contains("damaged at record"), "{found}");
    assert_eq!(fs::read(&journal).unwrap(), bytes, "nothing is changed in the damaged store");
    // The renewal that was lost is gone as a whole: the list is the one from before.
    let verified = world.json(0, ["store", "verify", "--store", "new"]);
    assert_eq!(verified["clean"], true, "{verified}");
    let (listed, _) = contents(&world, "new");
    assert_eq!(listed, before.0);
    world.run(["store", "salvage", "again"]).exits(7).says("had been acknowledged").says("marked as salvaged");
}

#[test]
fn a_sound_store_is_salvaged_whole() {
    let world = busy();
    world.run(["store", "salvage", "new"]).exits(0).says("nothing was lost");
    assert!(contents(&world, "new") == contents(&world, ".renewd"));
}

#[test]
fn damage_in_the_first_commit_is_told_in_words_that_are_true() {
    let world = busy();
    let journal = world.store().join("journal");
    let mut bytes = fs::read(&journal).unwrap();
    bytes[80] ^= 1;
    fs::write(&journal, bytes).unwrap();
    let message = world.failure(6, ["store", "verify"])["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("no commit before it is known to be intact") && !message.contains("1 to 0"), "{message}");
    let refused = world.failure(6, ["store", "salvage", "new"])["error"].clone();
    assert!(refused["hint"].as_str().unwrap().contains("renewd store restore"), "{refused}");
    assert!(!world.path().join("new").exists());
}

#[test]
fn a_damaged_blob_is_written_again_as_verify_says() {
    let world = busy();
    let blobs = world.store().join("blobs");
    for name in names(&blobs) {
        fs::write(blobs.join(&name), b"not these").unwrap();
    }
    world.run(["store", "verify"]).exits(6).says("is damaged; `renewd apply DIR` writes it again");
    world.run(["apply", "policies"]).exits(0);
    world.verify();
}

#[test]
fn a_store_that_lacks_what_is_in_force_is_not_backed_up() {
    let world = busy();
    let blobs = world.store().join("blobs");
    for name in names(&blobs) {
        fs::remove_file(blobs.join(name)).unwrap();
    }
    let refused = world.run(["store", "backup", "saved"]).exits(6);
    refused.says("the store has no blob").says("`renewd apply DIR` writes it again");
    assert!(!world.path().join("saved").exists());
    world.run(["apply", "policies"]).exits(0);
    world.run(["store", "backup", "saved"]).exits(0);
}

/// A file system of this size in memory, for as long as it is held.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mounted(at: &'a Path) -> Option<Self> {
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=40m", "tmpfs"]).arg(at).output();
        if mount.is_ok_and(|done| done.status.success()) {
            return Some(Self(at));
        }
        eprintln!("SKIPPED: a full disk was not tried, because mounting a tmpfs needs root");
        None
    }

    /// Leaves not one byte free.
    fn fill(&self) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.0.join("filler")).unwrap();
        for size in [1 << 20, 4096, 1] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn on_a_full_disk_everything_can_be_read_and_nothing_is_changed() {
    let world = busy();
    let folder = world.path().join("small");
    fs::create_dir(&folder).unwrap();
    let Some(disk) = SmallDisk::mounted(&folder) else { return };
    world.run(["store", "backup", "saved"]).exits(0);
    world.run(["store", "restore", "saved", "--store", "small/store"]).exits(0);
    let before = contents(&world, "small/store");
    let order = before.1[0]["order"].as_str().unwrap().to_owned();
    let run = |args: &[&str]| -> Answer {
        let all = args.iter().copied().chain(["--store", "small/store"]);
        answer(&mut command(world.path(), Some(world.now()), all))
    };
    for without_index in [false, true] {
        if without_index {
            fs::remove_dir_all(folder.join("store/index")).unwrap();
        }
        disk.fill();
        assert!(contents(&world, "small/store") == before);
        for args in [
            vec![],
            vec!["show", "vm-001"],
            vec!["show", &order],
            vec!["plan", "policies"],
            vec!["plugin", "list"],
            vec!["renew", "vm-005", "--dry-run"],
            vec!["store", "info"],
        ] {
            run(&args).exits(0);
        }
        // sled may have failed to write what it writes at every open; the journal has lost nothing.
        let verified = run(&["store", "verify"]);
        assert!(verified.code == Some(0) || verified.clone().says("the journal is whole").code == Some(6));
        let refused = run(&["renew", "vm-005", "--request-id", "full", "--yes"]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        refused.says("make room on the disk; nothing was changed");
        fs::remove_file(folder.join("filler")).unwrap();
    }
    run(&["renew", "vm-005", "--request-id", "full", "--yes"]).exits(0);
    run(&["store", "verify"]).exits(0);
}
