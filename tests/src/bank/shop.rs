//! A customer of the gateway: a small world whose orders are paid at a till, made once as a template and copied for
//! every case. It remembers everything that the command ever acknowledged, for the audit.

use super::{Bank, Till};
use crate::process::{self, Answer, NOW, answer};
use crate::repository::root;
use crate::warm::Warm;
use crate::world::{ACCOUNT, Machine, POLICY, PRICES, inventory, machines};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When everything takes place at the gateway too: 2026-11-23T09:00:00Z.
pub const NOW_SECONDS: &str = "1795424400";
/// Where the secret stands.
pub const VARIABLE: &str = "BANK_KEY_OF_A_TEST";
static PLUGINS_OF_SHOPS: Warm = Warm::new();
/// Every case has a till of its own.
static CASES: AtomicU64 = AtomicU64::new(0);

/// What an account pays with, in order: `card`, `second`, `balance`, with the gateway's reference.
#[derive(Debug, Clone)]
pub struct Wallet(pub Vec<(&'static str, Option<&'static str>)>);

impl Wallet {
    /// One good card.
    pub fn card() -> Self {
        Self(vec![("card", Some("pm_card_visa"))])
    }

    /// The `Account` document that lists them.
    pub fn document(&self) -> String {
        let methods = self.0.iter().map(|(method, reference)| match reference {
            Some(reference) => format!("{{ method: {method}, reference: {reference} }}"),
            None => format!("{{ method: {method} }}"),
        });
        ACCOUNT.replace("{ method: on-account }", &methods.collect::<Vec<_>>().join(", "))
    }
}

/// The `Plugin` and `PaymentMethod` documents that lead to the gateway.
pub fn plugins(base: &str) -> String {
    format!(
        "\
apiVersion: renewd/v1
kind: Plugin
metadata: {{ name: price-list }}
spec: {{ file: ../plugins/dist/price-list.wasm, role: pricing }}
---
apiVersion: renewd/v1
kind: Plugin
metadata: {{ name: bank }}
spec:
  file: ../plugins/dist/stripe.wasm
  role: payment
  grants: [ \"POST {base}/v1/\", \"GET {base}/v1/\" ]
  secrets: {{ stripe-key: {{ env: {VARIABLE} }} }}
---
apiVersion: renewd/v1
kind: PaymentMethod
metadata: {{ name: card }}
spec: {{ plugin: bank, config: {{ apiBase: \"{base}\" }} }}
---
apiVersion: renewd/v1
kind: PaymentMethod
metadata: {{ name: second }}
spec: {{ plugin: bank, config: {{ apiBase: \"{base}\" }} }}
"
    )
}

/// A world that is copied.
#[derive(Debug)]
pub struct Template {
    folder: tempfile::TempDir,
    base: String,
    /// The expiries that its copies begin with, by resource; empty without a store.
    pub began: BTreeMap<String, String>,
}

impl Template {
    /// A world with `count` machines that all expire on one day, applied and never renewed.
    ///
    /// # Panics
    /// It cannot be applied.
    pub fn new(bank: &Bank, wallet: &Wallet, count: usize) -> Self {
        Self::of_machines(bank, wallet, &machines(count, "2026-12-10"))
    }

    /// A world with machines, applied and never renewed.
    ///
    /// # Panics
    /// It cannot be applied.
    pub fn of_machines(bank: &Bank, wallet: &Wallet, machines: &[Machine]) -> Self {
        let mut template = Self { folder: scratch(), base: bank.base(), began: BTreeMap::new() };
        copy_folder(&root().join("plugins/dist"), &template.path().join("plugins/dist"));
        std::fs::create_dir_all(template.path().join("policies")).unwrap();
        for (file, text) in [
            ("policies/account.yaml", wallet.document()),
            ("policies/policy.yaml", POLICY.to_owned()),
            ("policies/prices.yaml", PRICES.to_owned()),
            ("policies/plugins.yaml", plugins(&bank.base())),
            ("fleet.csv", inventory(machines)),
        ] {
            template.write(file, &text);
        }
        let apply = ["apply", "policies", "--resources", "fleet.csv", "--allow", "grants", "--allow", "removals"];
        answer(&mut process::command(template.path(), Some(NOW), apply)).exits(0);
        PLUGINS_OF_SHOPS.give(&template.path().join(".renewd"), || template.compile_plugins());
        template.began = expiries(&mut process::command(template.path(), Some(NOW), ["list", "-o", "json"]));
        template
    }

    /// Has the plugins compiled, once for all copies: in a copy that pays, whose store is thrown away.
    fn compile_plugins(&self) {
        let copy = scratch();
        copy_folder(self.path(), copy.path());
        let mut renew = process::command(copy.path(), Some(NOW), ["renew", "--all", "--request-id", "warm", "--yes"]);
        _ = answer(renew.env(VARIABLE, "sk_test_template"));
        let cache = Path::new(".renewd/cache");
        if copy.path().join(cache).is_dir() {
            copy_folder(&copy.path().join(cache), &self.path().join(cache));
        }
    }

    /// The folder that is copied.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where its plugin reaches the gateway.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Writes a file.
    pub fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path().join(file), text).unwrap();
    }

    /// Runs a command in the template itself, with a till that nobody audits.
    ///
    /// # Panics
    /// It does not exit as said.
    #[track_caller]
    pub fn run<const N: usize>(&self, code: i32, args: [&str; N]) {
        let mut command = process::command(self.path(), Some(NOW), args);
        answer(command.env(VARIABLE, "sk_test_template")).exits(code);
    }
}

/// Copies a folder with everything in it, who may read it included: what was compiled is used by its owner alone.
///
/// # Panics
/// It cannot be copied.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// A folder in memory where there is such a thing: killing a process does not ask for a disk.
pub fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a folder for a test")
}

/// One renewal that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acknowledged {
    /// The order.
    pub order: String,
    /// The resource.
    pub resource: String,
    /// The expiry that was shown, RFC 3339.
    pub new_expiry: String,
}

/// A copy of a template, with a till of its own.
#[derive(Debug)]
pub struct Shop {
    folder: tempfile::TempDir,
    now: String,
    binary: PathBuf,
    /// Where it pays.
    pub till: Till,
    /// The expiries that it began with, by resource.
    pub began: BTreeMap<String, String>,
    /// What was acknowledged.
    pub acknowledged: BTreeSet<Acknowledged>,
    /// Prepaid money that somebody tried to add, in the currency's minor unit, by its reference.
    pub topups: BTreeMap<String, TopUp>,
    /// Orders of which it was acknowledged that they are canceled.
    pub canceled: BTreeSet<String>,
    /// Orders of which it was acknowledged that they are given back.
    pub given_back: BTreeSet<String>,
    /// Backups that were acknowledged, by their folder.
    pub backups: BTreeSet<String>,
}

/// Prepaid money that somebody tried to add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopUp {
    /// How much, in the currency's minor unit.
    pub amount: i64,
    /// Whether it was acknowledged.
    pub acknowledged: bool,
}

impl Shop {
    /// A copy of a template that is run by a binary.
    pub fn open(template: &Template, bank: &Bank, binary: &Path) -> Self {
        let folder = scratch();
        copy_folder(template.path(), folder.path());
        let case = CASES.fetch_add(1, Ordering::Relaxed);
        let till = bank.till(&format!("{}-{case}", std::process::id()));
        Self {
            folder,
            now: NOW.to_owned(),
            binary: binary.to_path_buf(),
            till,
            began: template.began.clone(),
            acknowledged: BTreeSet::new(),
            topups: BTreeMap::new(),
            canceled: BTreeSet::new(),
            given_back: BTreeSet::new(),
            backups: BTreeSet::new(),
        }
    }

    /// A copy of it as it is now, that pays at the same till.
    pub fn twin(&self) -> Self {
        let folder = scratch();
        copy_folder(self.path(), folder.path());
        Self {
            folder,
            now: self.now.clone(),
            binary: self.binary.clone(),
            till: self.till.clone(),
            began: self.began.clone(),
            acknowledged: self.acknowledged.clone(),
            topups: self.topups.clone(),
            canceled: self.canceled.clone(),
            given_back: self.given_back.clone(),
            backups: self.backups.clone(),
        }
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Its store.
    pub fn store(&self) -> PathBuf {
        self.path().join(".renewd")
    }

    /// What time it is there, RFC 3339 in UTC.
    pub fn now(&self) -> &str {
        &self.now
    }

    /// Moves the clock.
    pub fn set_clock(&mut self, now: &str) {
        now.clone_into(&mut self.now);
    }

    /// A command of this world, not started yet.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(args);
        process::bare(&mut command, self.path(), Some(&self.now));
        command.env(VARIABLE, &self.till.secret);
        command
    }

    /// Runs a command to its end, and remembers what it acknowledges.
    pub fn run(&mut self, args: &[&str]) -> Answer {
        let command = self.command(args);
        self.run_as(args, command)
    }

    /// Runs a command that was prepared otherwise to its end, and remembers what it acknowledges.
    pub fn run_as(&mut self, args: &[&str], mut command: Command) -> Answer {
        let answer = answer(&mut command);
        self.done(args, answer.code == Some(0));
        self.acknowledged.extend(acknowledgements(&answer.stdout));
        answer
    }

    /// Its history is lost: what was acknowledged in it is no longer expected.
    pub fn lose_history(&mut self) {
        self.acknowledged.clear();
        self.canceled.clear();
        self.given_back.clear();
    }

    /// Remembers what a command was to do and whether that was acknowledged: prepaid money that it was to add, an order
    /// that it canceled or gave back, a backup that it made.
    ///
    /// # Panics
    /// An amount has not two decimals.
    pub fn done<S: AsRef<str>>(&mut self, args: &[S], acknowledged: bool) {
        let words: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
        match words.as_slice() {
            ["orders", "topup", _, money, "--reference", reference, ..] => {
                let digits = money.split(' ').next().unwrap().replace('.', "");
                let amount = digits.parse().expect("an amount with two decimals");
                let known = self.topups.entry((*reference).to_owned()).or_insert(TopUp { amount, acknowledged });
                known.acknowledged |= acknowledged;
            }
            ["orders", "cancel", order, ..] if acknowledged => _ = self.canceled.insert((*order).to_owned()),
            ["orders", "refund", order, ..] if acknowledged => _ = self.given_back.insert((*order).to_owned()),
            ["store", "backup", backup, ..] if acknowledged => _ = self.backups.insert((*backup).to_owned()),
            _ => {}
        }
    }

    /// Runs a command that dies at a failpoint, if it comes there.
    pub fn run_to(&mut self, failpoint: &str, args: &[&str]) -> Answer {
        let mut command = self.command(args);
        command.env("RENEWD_FAILPOINT", failpoint);
        self.run_as(args, command)
    }

    /// Starts a command and kills it after a while. Says whether it was still alive.
    ///
    /// # Panics
    /// It does not start.
    pub fn run_and_kill(&mut self, args: &[&str], after: Duration) -> bool {
        let mut command = self.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary starts");
        let deadline = Instant::now() + after;
        let mut alive = true;
        while alive && Instant::now() < deadline {
            alive = child.try_wait().unwrap().is_none();
            std::thread::sleep(Duration::from_micros(300));
        }
        // SIGKILL on Unix: the process has no chance to tidy up.
        _ = child.kill();
        let mut shown = String::new();
        _ = child.stdout.take().unwrap().read_to_string(&mut shown);
        _ = child.wait();
        self.acknowledged.extend(acknowledgements(&shown));
        alive
    }

    /// A command that must exit with 0, as JSON. It acknowledges nothing.
    ///
    /// # Panics
    /// It does not.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["-o", "json"]).collect();
        answer(&mut self.command(args)).exits(0).json()
    }

    /// All orders, whatever their status.
    ///
    /// # Panics
    /// They cannot be listed.
    #[track_caller]
    pub fn orders(&self) -> Vec<Value> {
        self.json(&["orders", "list", "--all"])["orders"].as_array().expect("`orders list` has orders").clone()
    }

    /// How many orders wait for somebody to find out what became of a payment.
    ///
    /// # Panics
    /// They cannot be listed.
    #[track_caller]
    pub fn in_doubt(&self) -> usize {
        let doubtful = |order: &&Value| ["unknown", "pending", "paying"].map(Value::from).contains(&order["status"]);
        self.orders().iter().filter(doubtful).count()
    }

    /// The expiry of each resource, RFC 3339.
    ///
    /// # Panics
    /// They cannot be listed.
    #[track_caller]
    pub fn expiries(&self) -> BTreeMap<String, String> {
        expiries(&mut self.command(["list", "-o", "json"]))
    }

    /// Finds out at the gateway what became of each unknown order and says so, as a person does.
    ///
    /// # Panics
    /// The store refuses what the gateway's ledger shows.
    #[track_caller]
    pub fn resolve_by_ledger(&mut self) -> usize {
        let ledger = self.till.ledger();
        let orders = self.orders();
        let unknown: Vec<_> = orders.iter().filter(|order| order["status"] == "unknown").collect();
        for order in &unknown {
            let id = text(order, "order");
            let taken = ledger.of_order(&id);
            let answer = match taken.first() {
                Some(paid) => self.run(&[
                    "orders",
                    "resolve",
                    &id,
                    "--as",
                    "succeeded",
                    "--reference",
                    &paid.payment,
                    "--reason",
                    "ledger",
                ]),
                None => self.run(&["orders", "resolve", &id, "--as", "declined", "--reason", "not in the ledger"]),
            };
            answer.exits(0);
        }
        unknown.len()
    }
}

#[track_caller]
fn expiries(list: &mut Command) -> BTreeMap<String, String> {
    let listed = answer(list).exits(0).json();
    let rows = listed["resources"].as_array().expect("`list` has resources").iter();
    rows.map(|row| (text(row, "id"), text(row, "expiry"))).collect()
}

/// A text field.
///
/// # Panics
/// It is not there.
#[track_caller]
pub fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {value}")).to_owned()
}

/// What a JSON or NDJSON answer acknowledges as renewed. A line that the death of the process cut off acknowledges
/// nothing.
pub fn acknowledgements(stdout: &str) -> Vec<Acknowledged> {
    let whole = serde_json::from_str::<Value>(stdout).ok();
    let values: Vec<Value> = match whole.as_ref().and_then(|value| value["items"].as_array()) {
        Some(items) => items.clone(),
        None => stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
    };
    let renewed = values.iter().filter(|item| item["verdict"] == "renewed");
    renewed
        .map(|item| Acknowledged {
            order: text(item, "order"),
            resource: text(item, "resource"),
            new_expiry: text(item, "newExpiry"),
        })
        .collect()
}
