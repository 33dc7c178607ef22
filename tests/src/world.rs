//! A small world of its own for each test: a folder with documents, an inventory and a store.
//!
//! The documents are the least that can renew something: one account, one price list, two plugins, one policy. A test
//! writes over the files it wants different.

use crate::process::{Answer, NOW, answer, command};
use crate::repository::{copy_folder, root};
use crate::warm::Warm;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// The columns of an inventory.
pub const COLUMNS: &str =
    "id,name,account,kind,sku,quantity,region,labels,expiry,anchorDay,mode,price,externalId,renewable\n";

/// `policies/account.yaml`: pays on account, dates of Singapore.
pub const ACCOUNT: &str = "\
apiVersion: renewd/v1
kind: Account
metadata: { name: acme }
spec:
  timeZone: Asia/Singapore
  currency: USD
  renewalDay: 15
  paymentMethods: [ { method: on-account } ]
";

/// `policies/policy.yaml`: one policy for virtual machines.
pub const POLICY: &str = "\
apiVersion: renewd/v1
kind: RenewalPolicy
metadata: { name: machines }
spec:
  match: { kinds: [vm] }
  mode: manual
  terms: { allowed: [P1M, P3M, P1Y], default: P1M }
  pricing: { plugin: price-list, priceList: prices }
";

/// `policies/prices.yaml`: a machine costs 10.00 USD a month.
pub const PRICES: &str = "\
apiVersion: renewd/v1
kind: PriceList
metadata: { name: prices }
spec:
  currency: USD
  rows:
    - { sku: vm.small, term: P1M, price: \"10.00\" }
    - { sku: vm.small, term: P3M, price: \"28.50\" }
    - { sku: vm.small, term: P1Y, price: \"100.00\" }
";

/// `policies/plugins.yaml`: the reference plugins.
pub const PLUGINS: &str = "\
apiVersion: renewd/v1
kind: Plugin
metadata: { name: price-list }
spec: { file: ../plugins/dist/price-list.wasm, role: pricing }
---
apiVersion: renewd/v1
kind: Plugin
metadata: { name: invoice }
spec: { file: ../plugins/dist/invoice.wasm, role: payment }
---
apiVersion: renewd/v1
kind: PaymentMethod
metadata: { name: on-account }
spec: { plugin: invoice, config: { creditLimit: \"100000 USD\", netDays: 30 } }
";

static PLUGINS_OF_WORLDS: Warm = Warm::new();

/// A folder with documents and a store, and a clock.
#[derive(Debug)]
pub struct World {
    folder: tempfile::TempDir,
    now: String,
}

impl World {
    /// A world with the least documents and no store.
    pub fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap(), now: NOW.to_owned() };
        copy_folder(&root().join("plugins/dist"), &world.path().join("plugins/dist"));
        world.write("policies/account.yaml", ACCOUNT);
        world.write("policies/policy.yaml", POLICY);
        world.write("policies/prices.yaml", PRICES);
        world.write("policies/plugins.yaml", PLUGINS);
        world
    }

    /// A world in which an inventory of machines has been applied.
    #[track_caller]
    pub fn with_machines(machines: &[Machine]) -> Self {
        let world = Self::new();
        world.write("fleet.csv", &inventory(machines));
        world.run(["apply", "policies", "--resources", "fleet.csv"]).exits(0);
        PLUGINS_OF_WORLDS.give(&world.store(), || _ = world.run(["apply", "policies"]).exits(0));
        world
    }

    /// The folder in which commands run.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of the store.
    pub fn store(&self) -> std::path::PathBuf {
        self.path().join(".renewd")
    }

    /// Writes a file, with its folders.
    pub fn write(&self, file: &str, text: &str) {
        let file = self.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Moves the clock.
    pub fn set_clock(&mut self, now: &str) {
        now.clone_into(&mut self.now);
    }

    /// The clock.
    pub fn now(&self) -> &str {
        &self.now
    }

    /// Runs the binary without a terminal.
    #[must_use = "look at the exit code at least"]
    pub fn run<const N: usize>(&self, args: [&str; N]) -> Answer {
        answer(&mut command(self.path(), Some(&self.now), args))
    }

    /// Runs the binary and reads its JSON; the exit code must be as said.
    #[track_caller]
    pub fn json<const N: usize>(&self, code: i32, args: [&str; N]) -> Value {
        let args: Vec<&str> = args.into_iter().chain(["-o", "json"]).collect();
        answer(&mut command(self.path(), Some(&self.now), args)).exits(code).json()
    }

    /// Runs the binary, which must fail, and reads the JSON error.
    #[track_caller]
    pub fn failure<const N: usize>(&self, code: i32, args: [&str; N]) -> Value {
        let args: Vec<&str> = args.into_iter().chain(["-o", "json"]).collect();
        answer(&mut command(self.path(), Some(&self.now), args)).exits(code).error()
    }

    /// The sequence of the journal's last record: what "appends nothing" is judged by.
    #[track_caller]
    pub fn sequence(&self) -> u64 {
        self.json(0, ["store", "info"])["sequence"].as_u64().expect("`store info` says the sequence")
    }

    /// The expiry of a resource, RFC 3339.
    #[track_caller]
    pub fn expiry(&self, resource: &str) -> String {
        let listed = self.json(0, ["list", resource]);
        listed["resources"][0]["expiry"].as_str().unwrap_or_else(|| panic!("no `{resource}` in {listed}")).to_owned()
    }

    /// All orders, whatever their status.
    #[track_caller]
    pub fn orders(&self) -> Vec<Value> {
        self.json(0, ["orders", "list", "--all"])["orders"].as_array().expect("`orders list` has orders").clone()
    }

    /// Asserts that the store is whole.
    #[track_caller]
    pub fn verify(&self) {
        let verified = self.json(0, ["store", "verify"]);
        assert_eq!(verified["clean"], true, "{verified}");
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// One row of an inventory of machines.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Its id.
    pub id: String,
    /// As an inventory writes it.
    pub expiry: String,
    /// `vm`, unless a test wants no policy to match.
    pub kind: String,
    /// Its labels, `k=v;k=v`.
    pub labels: String,
    /// Its mode, mostly empty.
    pub mode: String,
    /// Whether the vendor renews it.
    pub renewable: bool,
}

impl Machine {
    /// A machine that expires on a date at 23:59:59 in Singapore.
    pub fn new(id: impl Into<String>, expiry: &str) -> Self {
        Self {
            id: id.into(),
            expiry: expiry.to_owned(),
            kind: "vm".to_owned(),
            labels: String::new(),
            mode: String::new(),
            renewable: true,
        }
    }
}

/// Machines `vm-001` … with one expiry.
pub fn machines(count: usize, expiry: &str) -> Vec<Machine> {
    (1..=count).map(|number| Machine::new(format!("vm-{number:03}"), expiry)).collect()
}

/// The CSV of machines.
pub fn inventory(machines: &[Machine]) -> String {
    let mut text = COLUMNS.to_owned();
    for Machine { id, expiry, kind, labels, mode, renewable } in machines {
        text.push_str(&format!("{id},,acme,{kind},vm.small,1,sg,{labels},{expiry},,{mode},,,{renewable}\n"));
    }
    text
}

/// How many items have each verdict.
pub fn verdicts(answer: &Value) -> std::collections::BTreeMap<String, usize> {
    let mut counts = std::collections::BTreeMap::new();
    for item in answer["items"].as_array().unwrap_or_else(|| panic!("no items in {answer}")) {
        *counts.entry(item["verdict"].as_str().unwrap_or("?").to_owned()).or_insert(0) += 1;
    }
    counts
}

/// The item of a resource.
#[track_caller]
pub fn item<'a>(answer: &'a Value, resource: &str) -> &'a Value {
    let items = answer["items"].as_array().unwrap_or_else(|| panic!("no items in {answer}"));
    items.iter().find(|item| item["resource"] == resource).unwrap_or_else(|| panic!("no `{resource}` in {answer}"))
}
