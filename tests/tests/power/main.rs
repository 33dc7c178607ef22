//! Power cuts: the store lies on an ext4 file system in a file; the writer is stopped, the file is copied as a disk would
//! be found after the cut, and the copy is mounted and audited. What was acknowledged before the cut must be there.
//!
//! Kinder than reality in one thing: what the system has handed to the device counts as written. Needs root and loop
//! devices; elsewhere it says so. `RENEWD_POWER_CUTS` says how many cuts (3 unless told).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "this whole program is tests: a panic is how one fails"
)]

use renewd_tests::bank::Bank;
use renewd_tests::bank::audit::{Strictness, audit};
use renewd_tests::bank::shop::{
    Acknowledged, NOW_SECONDS, Shop, Template, Wallet, acknowledgements, copy_folder, scratch,
};
use renewd_tests::binary::renewd;
use renewd_tests::dice::Dice;
use renewd_tests::fragment::{Fragment, forget};
use renewd_tests::preload::Shim;
use renewd_tests::skipping::{skip, skip_or_fail};
use std::io::{BufRead as _, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const MACHINES: usize = 4;
/// How long the gateway takes over a charge: so that many cuts fall between an intent and its outcome.
const LATENCY_MS: &str = "120";
/// The image; an ext4 of this size has a journal of its own.
const IMAGE: &str = "48M";
/// Half of the cuts fall within a second, the others after the system's writeback has begun.
const SHORT_MS: u64 = 1_000;
const LONG_MS: u64 = 12_000;

fn run(program: &str, args: &[&str]) -> Result<(), String> {
    match Command::new(program).args(args).stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("`{program}`: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Err(format!("`{program}`: {error}")),
    }
}

/// A mounted image; unmounted with this value.
struct Mounted(PathBuf);

impl Mounted {
    fn mount(image: &Path, at: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(at).map_err(|error| error.to_string())?;
        run("mount", &["-o", "loop", &image.display().to_string(), &at.display().to_string()])?;
        Ok(Self(at.to_path_buf()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let at = self.0.display().to_string();
        // Whoever was killed a moment ago may still hold a file.
        for _ in 0..50 {
            if run("umount", &[&at]).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(40));
        }
        _ = run("umount", &["-l", &at]);
    }
}

/// The gateway, a world that is copied, and where a disk can be cut; or why it cannot.
fn ready() -> Option<(Bank, tempfile::TempDir, Template)> {
    let folder = tempfile::tempdir().unwrap();
    let tried = image(folder.path()).and_then(|image| Mounted::mount(&image, &folder.path().join("try")));
    if let Err(why) = tried.map(drop) {
        skip(&format!("no power is cut: {why}"));
        return None;
    }
    let ledgers = scratch();
    let options = ["--created", NOW_SECONDS, "--latency", LATENCY_MS];
    let bank = Bank::start(env!("CARGO_BIN_EXE_renewd-bank"), ledgers.path(), &options);
    let template = Template::new(&bank, &Wallet::card(), MACHINES);
    Some((bank, ledgers, template))
}

fn image(folder: &Path) -> Result<PathBuf, String> {
    let image = folder.join("disk.img");
    run("truncate", &["-s", IMAGE, &image.display().to_string()])?;
    run("mkfs.ext4", &["-q", "-F", &image.display().to_string()])?;
    Ok(image)
}

#[test]
fn what_was_acknowledged_before_a_power_cut_is_there_after_it() {
    let Some((bank, _ledgers, template)) = ready() else { return };
    forget("power-cuts");
    let cuts: u64 =
        std::env::var("RENEWD_POWER_CUTS").map_or(3, |text| text.parse().expect("RENEWD_POWER_CUTS is a number"));
    let seed: u64 = std::env::var("RENEWD_KILL_SEED").map_or(7, |text| text.parse().expect("a number"));
    let mut dice = Dice::seeded(seed);
    let (mut survived, mut in_doubt) = (0, 0);
    for cut in 0..cuts {
        let long = cut % 2 == 1;
        let time = if long { 6_000 + dice.below(LONG_MS - 6_000) } else { 100 + dice.below(SHORT_MS) };
        let (acknowledged, doubtful) = cut_once(&bank, &template, Duration::from_millis(time), cut);
        survived += acknowledged;
        in_doubt += doubtful;
    }
    let note = format!(
        "ext4 images copied under a stopped writer, half within a second, half after more than six; \
         {survived} acknowledged renewals were there, {in_doubt} orders were in doubt and found out"
    );
    let seeds = vec![seed.to_string()];
    Fragment { suite: "power-cuts".into(), tried: cuts, seeds, note, ..Fragment::default() }.write();
    assert!(cuts < 20 || 0 < in_doubt, "no cut fell into a payment");
    eprintln!("{cuts} cuts; {survived} acknowledged renewals survived, {in_doubt} orders were in doubt");
}

/// The proof is worth something only if it can fail: on a disk that lies about its syncs it must.
#[test]
fn a_disk_that_lies_about_its_syncs_is_found_out() {
    let Some((bank, _ledgers, template)) = ready() else { return };
    let shim = match Shim::compile(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("preload")) {
        Ok(shim) => shim,
        Err(why) => return skip_or_fail(&format!("no disk lies: {why}")),
    };
    let folder = tempfile::tempdir().unwrap();
    let mut cut = Cut::begin(&bank, &template, folder.path(), Some(&shim));
    let acknowledged = cut.fall(Duration::from_millis(1_500));
    assert!(!acknowledged.is_empty(), "something was acknowledged");
    let after = cut.mount_copy(folder.path());
    cut.shop.acknowledged.extend(acknowledged);
    let found = catch_unwind(AssertUnwindSafe(|| audit(&cut.shop, Strictness::Doubting).violations.len()));
    assert_ne!(found.unwrap_or(1), 0, "what was never synced is gone");
    drop(after);
}

/// One cut; answers how many acknowledged renewals were there, and how many orders were in doubt.
fn cut_once(bank: &Bank, template: &Template, time: Duration, cut: u64) -> (usize, usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut one = Cut::begin(bank, template, folder.path(), None);
    let acknowledged = one.fall(time);
    let _after = one.mount_copy(folder.path());
    let mut shop = one.shop;
    shop.acknowledged.extend(acknowledged);
    let case = format!("cut {cut} after {time:?}");
    let doubting = audit(&shop, Strictness::Doubting).is_clean(&case);
    shop.resolve_by_ledger();
    shop.run(&["renew", "--all", "--request-id", "after-the-cut", "--yes", "-o", "json"]).exits(0);
    audit(&shop, Strictness::Certain).is_clean(&case);
    (doubting.acknowledged, doubting.doubtful)
}

/// A writer on a disk of its own, before and after the power is cut.
struct Cut {
    shop: Shop,
    writer: Child,
    told: Receiver<String>,
    disk: PathBuf,
    before: Option<Mounted>,
}

impl Cut {
    fn begin(bank: &Bank, template: &Template, folder: &Path, lying: Option<&Shim>) -> Self {
        let disk = image(folder).unwrap();
        let before = Mounted::mount(&disk, &folder.join("before")).unwrap();
        let shop = Shop::open(template, bank, renewd());
        move_store(&shop, &before.0);
        let (writer, told) = writer(&shop, lying);
        Self { shop, writer, told, disk, before: Some(before) }
    }

    /// The writer stops where it is, and nothing more of it reaches the disk. Answers what it had acknowledged.
    fn fall(&mut self, time: Duration) -> Vec<Acknowledged> {
        let mut acknowledged = heard(&self.told, time);
        signal(&self.writer, "-STOP");
        acknowledged.extend(heard(&self.told, Duration::from_millis(30)));
        let copy = self.disk.with_extension("cut");
        run("cp", &["--sparse=always", &self.disk.display().to_string(), &copy.display().to_string()]).unwrap();
        signal(&self.writer, "-KILL");
        _ = self.writer.wait();
        drop(self.before.take());
        acknowledged
    }

    /// The disk as it was when the power was cut.
    fn mount_copy(&self, folder: &Path) -> Mounted {
        let after = Mounted::mount(&self.disk.with_extension("cut"), &folder.join("after")).unwrap();
        point_at(&self.shop, &after.0);
        after
    }
}

fn move_store(shop: &Shop, to: &Path) {
    copy_folder(&shop.store(), &to.join("store"));
    // What the store was made with is on the disk before the test begins.
    run("sync", &["-f", &to.display().to_string()]).unwrap();
    std::fs::remove_dir_all(shop.store()).unwrap();
    std::os::unix::fs::symlink(to.join("store"), shop.store()).unwrap();
}

fn point_at(shop: &Shop, disk: &Path) {
    std::fs::remove_file(shop.store()).unwrap();
    std::os::unix::fs::symlink(disk.join("store"), shop.store()).unwrap();
}

/// A shell that renews again and again, in a process group of its own, and what it shows.
fn writer(shop: &Shop, lying: Option<&Shim>) -> (Child, Receiver<String>) {
    use std::os::unix::process::CommandExt as _;
    let mut ready = shop.command(["renew"]);
    if let Some(shim) = lying {
        shim.lie(&mut ready);
    }
    let script = "n=0; while :; do n=$((n+1)); \"$0\" renew --all --request-id round-$n --yes -o json; done";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(ready.get_program()).current_dir(shop.path()).env_clear().process_group(0);
    for (name, value) in ready.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let shown = BufReader::new(child.stdout.take().unwrap());
    let (sender, told) = channel();
    std::thread::spawn(move || shown.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    (child, told)
}

/// Everything that is acknowledged within a time.
fn heard(told: &Receiver<String>, time: Duration) -> Vec<Acknowledged> {
    let end = Instant::now() + time;
    let mut lines = Vec::new();
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        match told.recv_timeout(left) {
            Ok(line) => lines.push(line),
            Err(_) => break,
        }
    }
    lines.iter().flat_map(|line| acknowledgements(line)).collect()
}

/// Sends a signal to the writer and whatever it started.
fn signal(child: &Child, signal: &str) {
    run("kill", &[signal, "--", &format!("-{}", child.id())]).unwrap();
}
