//! Disks that fail: each write, sync, rename, truncation and creation of a command fails once, with every error that a
//! disk gives. Whatever happens, the exit code is a typed one, nothing is acknowledged that is not so, a failed sync is
//! never tried again, and the next command finds a whole store.

use crate::scenarios::{nothing, tear};
use crate::{bank, crew, shim};
use renewd_tests::bank::audit::{Strictness, Violation, audit};
use renewd_tests::bank::shop::{Shop, Template, Wallet, scratch};
use renewd_tests::binary::renewd;
use renewd_tests::fragment::{Fragment, forget};
use renewd_tests::preload::{CALLS, Call, Fault, Shim, calls};
use renewd_tests::process::answer;
use renewd_tests::world::{ACCOUNT, inventory, machines};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Faults strike in folders of this name alone.
const COPY: &str = "copies.renewd/one";
const RESTORED: &str = "copies.renewd/back";
/// A backup that was made before, which no fault reaches.
const KEPT: &str = "kept";
/// Stands for the order that was paid before.
const ORDER: &str = "ORDER";

/// A command that writes.
#[derive(Debug)]
struct Deed {
    name: &'static str,
    args: &'static [&'static str],
    /// What happened before it.
    prepare: fn(&mut Shop),
    /// Errors with which writes fail.
    errors: &'static [&'static str],
    /// The day on which everything expires in the end.
    ends: &'static str,
}

impl Deed {
    fn args(&self, shop: &Shop) -> Vec<String> {
        let order = || shop.orders()[0]["order"].as_str().unwrap().to_owned();
        self.args.iter().map(|word| if *word == ORDER { order() } else { (*word).to_owned() }).collect()
    }
}

const RENEWED: &str = "2027-01-10";
const AS_BEFORE: &str = "2026-12-10";

const ALL: &[&str] = &["EIO", "ENOSPC", "SHORT", "EINTR"];

/// Each is tried with every failing call, and everything is renewed after it.
const DEEDS: [Deed; 10] = [
    Deed { name: "renew", args: &RENEW, prepare: nothing, errors: ALL, ends: RENEWED },
    Deed { name: "apply", args: &["apply", "policies", "-o", "json"], prepare: nothing, errors: ALL, ends: RENEWED },
    Deed { name: "import", args: &["import", "named.csv", "-o", "json"], prepare: nothing, errors: ALL, ends: RENEWED },
    Deed {
        name: "mode",
        args: &["mode", "auto", "vm-001", "vm-002", "-o", "json"],
        prepare: nothing,
        errors: ALL,
        ends: RENEWED,
    },
    Deed {
        name: "topup",
        args: &["orders", "topup", "acme", "7.50 USD", "--reference", "wire", "-o", "json"],
        prepare: nothing,
        errors: ALL,
        ends: RENEWED,
    },
    Deed {
        name: "backup",
        args: &["store", "backup", COPY, "-o", "json"],
        prepare: nothing,
        errors: ALL,
        ends: RENEWED,
    },
    Deed {
        name: "restore",
        args: &["store", "restore", KEPT, "--store", RESTORED, "-o", "json"],
        prepare: kept,
        errors: &["EIO", "ENOSPC"],
        ends: RENEWED,
    },
    Deed {
        name: "refund",
        args: &["orders", "refund", ORDER, "--reason", "not needed", "--yes", "-o", "json"],
        prepare: paid,
        errors: &["EIO", "ENOSPC"],
        ends: AS_BEFORE,
    },
    Deed { name: "renew after a torn end", args: &RENEW, prepare: tear, errors: &["EIO"], ends: RENEWED },
    Deed {
        name: "run that asks what became of a payment",
        args: &["run", "-o", "json"],
        prepare: in_doubt,
        errors: &["EIO"],
        ends: RENEWED,
    },
];
const RENEW: [&str; 7] = ["renew", "--all", "--request-id", "r", "--yes", "-o", "json"];
/// Done, refused, invalid, waiting, busy, damaged, partly: every code but those of a bug or of wrong use.
const TYPED: [i32; 7] = [0, 1, 3, 4, 5, 6, 7];
const DAMAGED: i32 = 6;
/// When a gateway says of everything what became of it.
const LATER: &str = "2026-11-23T11:00:00Z";
const EINTR: i64 = -4;

/// One command that meets one fault.
#[derive(Debug)]
struct Case {
    deed: &'static Deed,
    fault: Fault,
}

/// Nobody knows whether the gateway has charged; by now it would say.
fn in_doubt(shop: &mut Shop) {
    shop.till.fates("charge#1=reset-after");
    shop.run(&RENEW).exits(4);
    shop.set_clock(LATER);
}

fn kept(shop: &mut Shop) {
    shop.run(&["store", "backup", KEPT]).exits(0);
}

fn paid(shop: &mut Shop) {
    shop.run(&RENEW).exits(0);
}

/// Whether a fault was met, and what went wrong, if anything.
fn failing_call(shim: &Shim, template: &Template, Case { deed, fault }: &Case) -> (bool, Vec<String>) {
    let mut shop = Shop::open(template, bank(), renewd());
    (deed.prepare)(&mut shop);
    let args = deed.args(&shop);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let log = shop.path().join("calls");
    let mut command = shop.command(&args);
    shim.load(&mut command, Some(fault), &log);
    let said = shop.run_as(&args, command);
    let made = calls(&log);
    let hit = made.iter().any(|call| call.result < 0 && call.kind == fault.call) || fault.error == "SHORT";
    let mut wrong = Vec::new();
    if !said.code.is_some_and(|code| TYPED.contains(&code)) {
        wrong.push(format!("exit {:?}\n{}\n{}", said.code, said.stdout, said.stderr));
    }
    wrong.extend(retried_sync(&made));
    if journal_failed(&made) && said.code != Some(DAMAGED) {
        wrong.push(format!("a failed sync of the journal ends with {:?}: {}", said.code, said.stderr));
    }
    wrong.extend(audit(&shop, Strictness::Doubting).violations.iter().map(|it| format!("at once: {it}")));
    wrong.extend(again(&mut shop, &args, said.code == Some(0)));
    for _ in 0..3 {
        shop.resolve_by_ledger();
        _ = shop.run(&RENEW);
    }
    shop.resolve_by_ledger();
    let audited = audit(&shop, Strictness::Certain);
    wrong.extend(audited.violations.iter().map(|it: &Violation| format!("in the end: {it}")));
    if !audited.expiries.values().all(|expiry| expiry.starts_with(deed.ends)) || audited.payments != 1 {
        wrong.push(format!("it did not end well: {audited:?}"));
    }
    (hit, wrong)
}

/// The same command again on a disk that is well: it does what was not done, or finds that it was. A copy is never
/// written over, so the one that is there must be whole. A refund of which nobody knows is asked for by a run first.
fn again(shop: &mut Shop, args: &[&str], done: bool) -> Option<String> {
    if args == RENEW {
        return None;
    }
    if args.contains(&"refund") {
        shop.set_clock(LATER);
        shop.run(&["run", "-o", "json"]).exits(0);
        _ = shop.run(args);
        return None;
    }
    let said = shop.run(args);
    let is_whole = match said.stderr.contains("store-exists") {
        true if args.contains(&RESTORED) => Some(vec!["store", "verify", "--store", RESTORED]),
        true => Some(vec!["store", "restore", COPY, "--store", RESTORED]),
        false => None,
    };
    let said = is_whole.map(|words| answer(&mut shop.command(words))).unwrap_or(said);
    (said.code != Some(0)).then(|| format!("again, after it was done: {done}: {:?}\n{}", said.code, said.stderr))
}

/// A sync of the journal that failed and was tried again: what it had lost would then pass for durable. The watermark may
/// fall back and the index is made anew, so theirs may be.
fn retried_sync(made: &[Call]) -> Option<String> {
    let is_sync = |call: &Call| matches!(call.kind.as_str(), "fsync" | "fdatasync") && call.path.ends_with("/journal");
    let failed = made.iter().position(|call| is_sync(call) && call.result < 0 && call.result != EINTR)?;
    let path = &made[failed].path;
    let again = made[failed + 1..].iter().find(|call| is_sync(call) && call.path == *path)?;
    Some(format!("a failed sync of {path} was tried again: {again:?}"))
}

/// Whether the journal of the store itself, not that of a backup, could not be synced.
fn journal_failed(made: &[Call]) -> bool {
    let failed = |call: &&Call| call.kind == "fdatasync" && call.path.ends_with(".renewd/journal") && call.result < 0;
    made.iter().any(|call| failed(&call))
}

#[test]
fn every_failing_call_is_typed_and_loses_nothing() {
    let Some(shim) = shim() else { return };
    forget("failing-calls");
    let template = Template::new(bank(), &Wallet::card(), 2);
    std::fs::create_dir(template.path().join("copies.renewd")).unwrap();
    template.write("named.csv", &inventory(&machines(2, "2026-12-10")).replace("vm-001,,", "vm-001,first,"));
    template.write("policies/bolt.yaml", &ACCOUNT.replace("acme", "bolt").replace("on-account", "balance"));
    let mut work: Vec<Case> = Vec::new();
    let mut counted: Vec<String> = Vec::new();
    for deed in &DEEDS {
        let counts = count(&shim, &template, deed);
        let calls: usize = counts.values().sum();
        counted.push(format!("{} {calls}", deed.name));
        work.extend(faults(&counts, deed.errors).into_iter().map(|fault| Case { deed, fault }));
    }
    let failures: Mutex<Vec<String>> = Mutex::default();
    let hits = AtomicUsize::new(0);
    crew::each(
        &work,
        || (),
        |(), case| {
            let (hit, wrong) = failing_call(&shim, &template, case);
            hits.fetch_add(usize::from(hit), Ordering::Relaxed);
            failures.lock().unwrap().extend(wrong.into_iter().map(|it| format!("{case:?}: {it}")));
        },
    );
    let failures = failures.into_inner().unwrap();
    let count = |word: &str| failures.iter().filter(|it| it.contains(word)).count() as u64;
    let counted = counted.join(", ");
    let note = format!("each call fails once, with EIO, ENOSPC, EINTR and short writes; calls: {counted}");
    let (lost, doubled, silent) = (count("LOST"), count("DOUBLED"), count("SILENT"));
    let tried = work.len() as u64;
    Fragment { suite: "failing-calls".into(), tried, lost, doubled, silent, seeds: Vec::new(), note }.write();
    eprintln!("{tried} failing calls; calls: {counted}");
    assert!(work.len() - hits.into_inner() <= work.len() / 20, "most faults are met");
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
}

/// Every fault of every call that was counted.
fn faults(counts: &BTreeMap<String, usize>, of_writes: &[&'static str]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for call in CALLS {
        let errors: &[&'static str] = match call {
            "write" | "pwrite" => of_writes,
            "create" => &["EIO", "ENOSPC"],
            _ => &["EIO"],
        };
        for nth in 1..=counts.get(call).copied().unwrap_or(0) {
            faults.extend(errors.iter().map(|error| Fault { call, nth, error }));
        }
    }
    faults
}

/// How many calls of each kind a command makes where nothing fails.
fn count(shim: &Shim, template: &Template, deed: &Deed) -> BTreeMap<String, usize> {
    let mut shop = Shop::open(template, bank(), renewd());
    (deed.prepare)(&mut shop);
    let args = deed.args(&shop);
    let log = shop.path().join("calls");
    let mut command = shop.command(&args);
    shim.load(&mut command, None, &log);
    answer(&mut command).exits(0);
    let mut counts = BTreeMap::new();
    for call in calls(&log).into_iter().filter(|call| call.path != "stdout" && call.kind != "send") {
        *counts.entry(call.kind).or_insert(0) += 1;
    }
    let [syncs, writes] = [["fdatasync", "fsync"], ["pwrite", "write"]]
        .map(|kinds| kinds.iter().filter_map(|kind| counts.get(*kind)).sum::<usize>());
    assert!(0 < syncs && 0 < writes, "{args:?}: {counts:?}");
    if deed.name == "renew" {
        assert!(counts["fdatasync"] >= 3 && counts["pwrite"] >= 6, "{counts:?}");
    }
    counts
}

/// Accounts that pay for one machine each, so that one command makes as many orders.
const ACCOUNTS: usize = 100;
const ROUNDS: usize = 9;
const SINGLES: usize = 100;

#[test]
fn every_acknowledged_order_was_synced_before_it_was_shown() {
    let Some(shim) = shim() else { return };
    forget("sync-before-ack");
    let template = many_accounts();
    let mut shop = Shop::open(&template, bank(), renewd());
    let (mut orders, mut charges) = (0, 0);
    for round in 0..ROUNDS {
        let request = format!("round-{round}");
        let args = ["renew", "--all", "--request-id", &request, "--yes", "-o", "json"];
        let traced = traced(&shim, &mut shop, &args);
        assert_eq!(traced.charges, 0, "they are paid from balances");
        orders += traced.orders;
    }
    for single in 0..SINGLES {
        let machine = format!("vm-{:03}", single % ACCOUNTS);
        let args = ["renew", &machine, "--request-id", "single", "--yes", "--pay-with", "card", "-o", "json"];
        let traced = traced(&shim, &mut shop, &args);
        assert_eq!(traced.charges, 1, "a card is charged");
        orders += traced.orders;
        charges += traced.charges;
    }
    assert_eq!((orders, charges), (ACCOUNTS * ROUNDS + SINGLES, SINGLES));
    let note = format!(
        "orders whose records were covered by a successful fdatasync before standard output was written; before each of \
         {charges} requests to charge a card its intent was"
    );
    let tried = orders as u64;
    Fragment { suite: "sync-before-ack".into(), tried, note, ..Fragment::default() }.write();
}

/// How the journal begins to say that an attempt to pay is made.
const INTENT: &[u8] = br#""attempt-started""#;

/// What a traced command did.
struct Traced {
    /// Orders that were acknowledged.
    orders: usize,
    /// Requests that were sent to the gateway to charge.
    charges: usize,
}

/// Runs a renewal and holds the trace against the journal: before the first byte of the answer, every byte of the
/// journal up to its end had been synced; before a request to charge, every byte written had been, the intent among them.
fn traced(shim: &Shim, shop: &mut Shop, args: &[&str]) -> Traced {
    let folder = scratch();
    let log = folder.path().join("calls");
    let mut command = shop.command(args);
    shim.load(&mut command, None, &log);
    let before = shop.acknowledged.len();
    let length = std::fs::read(shop.store().join("journal")).unwrap().len();
    shop.run_as(args, command).exits(0);
    let orders = shop.acknowledged.len() - before;
    let made = calls(&log);
    let shown = made.iter().position(|call| call.path == "stdout").expect("an answer was shown");
    let journal = |call: &&Call| call.path.ends_with("/journal");
    let (mut unsynced, mut written, mut charges) = (0, 0, Vec::new());
    for call in made[..shown].iter().filter(|call| journal(call) || call.kind == "send") {
        match call.kind.as_str() {
            "send" if call.path == "POST" => {
                assert_eq!(unsynced, 0, "{args:?}: charged before what was written was synced: {made:#?}");
                charges.push(usize::try_from(written).unwrap());
            }
            "pwrite" | "write" => {
                unsynced += 1;
                written = written.max(call.offset + call.bytes);
            }
            "fdatasync" | "fsync" if call.result == 0 => unsynced = 0,
            _ => {}
        }
    }
    assert_eq!(unsynced, 0, "{args:?}: something was shown before it was synced: {made:#?}");
    let bytes = std::fs::read(shop.store().join("journal")).unwrap();
    assert_eq!(written, bytes.len() as i64, "{args:?}: the trace saw the whole journal being written");
    for synced in &charges {
        let intents = bytes[length..*synced].windows(INTENT.len()).filter(|window| *window == INTENT).count();
        assert_eq!(intents, 1, "{args:?}: the intent was not in what was synced before the card was charged");
    }
    let charges = charges.len();
    assert!(!made[shown..].iter().any(|call| journal(&call)), "{args:?}: nothing is written after the answer");
    Traced { orders, charges }
}

fn many_accounts() -> Template {
    use renewd_tests::world::{COLUMNS, POLICY};
    let template = Template::new(bank(), &Wallet::card(), 1);
    let (mut accounts, mut fleet) = (String::new(), COLUMNS.to_owned());
    for number in 0..ACCOUNTS {
        accounts.push_str(&format!(
            "---\napiVersion: renewd/v1\nkind: Account\nmetadata: {{ name: payer-{number:03} }}\nspec: {{ timeZone: \
             UTC, currency: USD, renewalDay: 1, paymentMethods: [ {{ method: balance }}, {{ method: card, reference: pm_card_visa }} ] }}\n"
        ));
        fleet.push_str(&format!("vm-{number:03},,payer-{number:03},vm,vm.small,1,sg,,2026-12-10,,,,,true\n"));
    }
    template.write("policies/many.yaml", accounts.trim_start_matches("---\n"));
    template.write("policies/policy.yaml", &POLICY.replace("  pricing:", "  payment: [balance]\n  pricing:"));
    template.write("fleet.csv", &fleet);
    std::fs::remove_dir_all(template.path().join(".renewd")).unwrap();
    template.run(0, ["apply", "policies", "--resources", "fleet.csv", "--allow", "grants"]);
    for number in 0..ACCOUNTS {
        let payer = format!("payer-{number:03}");
        template.run(0, ["orders", "topup", &payer, "1000.00 USD", "--reference", "wire"]);
    }
    template
}
