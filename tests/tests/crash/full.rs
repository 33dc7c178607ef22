//! Full disks: files that may not grow beyond a size, for many sizes, and where this is allowed a file system of a few
//! megabytes that fills up. Nothing that was acknowledged is lost, reading goes on, and with room everything goes on.

use crate::bank;
use renewd_tests::bank::audit::{Strictness, audit};
use renewd_tests::bank::shop::{Shop, Template, Wallet, copy_folder};
use renewd_tests::binary::renewd;
use renewd_tests::fragment::{Fragment, forget};
use renewd_tests::process::answer;
use renewd_tests::skipping::skip;
use std::path::Path;
use std::process::{Command, Stdio};

const RENEW: [&str; 7] = ["renew", "--all", "--request-id", "r", "--yes", "-o", "json"];
/// What shells count sizes of files in; some count twice as much.
const BLOCK_BYTES: u64 = 512;
const TYPED: [i32; 7] = [0, 1, 3, 4, 5, 6, 7];

/// A command whose files may not grow beyond so many blocks.
fn limited(shop: &Shop, blocks: u64, args: &[&str]) -> Command {
    let ready = shop.command(args);
    let mut command = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    command.args(["-c", &script, "sh"]).arg(ready.get_program()).args(ready.get_args());
    command.current_dir(shop.path()).env_clear().stdin(Stdio::null());
    for (name, value) in ready.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command
}

#[test]
fn files_that_cannot_grow_lose_nothing_and_go_on_when_they_can() {
    forget("full-disk");
    let template = Template::new(bank(), &Wallet::card(), 2);
    let mut codes = std::collections::BTreeMap::new();
    let sizes = sizes(&template);
    for step in sizes.iter().copied() {
        let mut shop = Shop::open(&template, bank(), renewd());
        let command = limited(&shop, step, &RENEW);
        let said = shop.run_as(&RENEW, command);
        assert!(said.code.is_some_and(|code| TYPED.contains(&code)), "{step} blocks: {said:?}");
        *codes.entry(said.code).or_insert(0) += 1;
        audit(&shop, Strictness::Doubting).is_clean(&format!("{step} blocks"));
        shop.resolve_by_ledger();
        _ = shop.run(&RENEW);
        shop.resolve_by_ledger();
        let audited = audit(&shop, Strictness::Certain).is_clean(&format!("{step} blocks, then room"));
        assert_eq!(audited.payments, 1, "{step} blocks");
        assert!(audited.expiries.values().all(|expiry| expiry.starts_with("2027-01-10")), "{step}: {audited:?}");
    }
    eprintln!("exit codes under a limit: {codes:?}");
    let note = format!("sizes beyond which no file may grow; exit codes {codes:?}");
    Fragment { suite: "full-disk".into(), tried: sizes.len() as u64, note, ..Fragment::default() }.write();
    assert!(codes.len() > 1, "some sizes are too small, some are not: {codes:?}");
}

/// Sizes around those of the journal and of the index, where something may be written and something else not.
fn sizes(template: &Template) -> Vec<u64> {
    let bytes = |file: &str| std::fs::metadata(template.path().join(".renewd").join(file)).unwrap().len();
    let around = |blocks: u64| (0..12).map(move |step| blocks.saturating_sub(2) + step);
    let mut sizes: Vec<u64> = (0..8).map(|step| step * 4).collect();
    for file in ["journal", "index/db"] {
        sizes.extend(around(bytes(file) / BLOCK_BYTES));
    }
    sizes.extend([2, 4, 16].map(|times| times * bytes("index/db") / BLOCK_BYTES));
    sizes
}

/// A file system in memory of a few megabytes; gone with this value.
struct Small(tempfile::TempDir);

impl Small {
    fn mount(megabytes: u32) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let size = format!("size={megabytes}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path());
        match mount.output() {
            Ok(output) if output.status.success() => Ok(Self(folder)),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        _ = Command::new("umount").arg(self.path()).status();
    }
}

#[test]
fn a_file_system_that_fills_up_loses_nothing_and_can_be_read() {
    let small = match Small::mount(12) {
        Ok(small) => small,
        Err(why) => return skip(&format!("no small file system can be mounted: {why}")),
    };
    let template = Template::new(bank(), &Wallet::card(), 2);
    let mut shop = Shop::open(&template, bank(), renewd());
    let there = small.path().join("store");
    copy_folder(&shop.store(), &there);
    std::fs::remove_dir_all(shop.store()).unwrap();
    std::os::unix::fs::symlink(&there, shop.store()).unwrap();
    // All but some kilobytes are taken, a little less each time.
    let ballast = small.path().join("ballast");
    let mut refused = 0;
    for round in 0..12_u64 {
        _ = std::fs::remove_file(&ballast);
        fill(&ballast, round * 160 * 1024);
        let request = format!("round-{round}");
        let said = shop.run(&["renew", "--all", "--request-id", &request, "--yes", "-o", "json"]);
        assert!(said.code.is_some_and(|code| TYPED.contains(&code)), "round {round}: {said:?}");
        refused += u32::from(said.code != Some(0));
        assert_eq!(answer(&mut shop.command(["list"])).code, Some(0), "round {round}: reading goes on");
        audit(&shop, Strictness::Doubting).is_clean(&format!("round {round}"));
    }
    std::fs::remove_file(&ballast).unwrap();
    shop.resolve_by_ledger();
    shop.run(&["renew", "--all", "--request-id", "last", "--yes", "-o", "json"]).exits(0);
    audit(&shop, Strictness::Certain).is_clean("with room again");
    assert!(0 < refused && refused < 12, "refused {refused} times of 12");
}

/// Takes all the room there is, and gives so many bytes of it back.
fn fill(ballast: &Path, free: u64) {
    let mut file = std::fs::File::create(ballast).unwrap();
    let block = vec![0; 16 * 1024];
    while std::io::Write::write_all(&mut file, &block).is_ok() {}
    let length = file.metadata().unwrap().len();
    file.set_len(length.saturating_sub(free)).unwrap();
}
