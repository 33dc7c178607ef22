//! Measures a run of many orders against a slow gateway, by real processes, and prints it beside the bound that the
//! figures give: `cargo run --release -p renewd-tests --bin renewd-bench -- [ORDERS [LATENCY_MS]]`, 9,800 orders and
//! 800 ms where nothing is said. Not a test: nothing here fails because a machine is slow.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "a program that prints what it measured, or ends")]

use renewd_tests::bank::audit::minor;
use renewd_tests::bank::server::ledger_file;
use renewd_tests::bank::shop::plugins;
use renewd_tests::bank::{Bank, Ledger};
use renewd_tests::fragment::Fragment;
use renewd_tests::process::{answer, command};
use renewd_tests::repository::{copy_folder, root};
use renewd_tests::world::{COLUMNS, PRICES};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Payments in flight at one method.
const IN_FLIGHT: u32 = 16;
/// Orders of one account. A new store asks the gateway for an account's earlier charges, which are listed page by page.
const ORDERS_PER_ACCOUNT: usize = 100;
/// How often the other process asks for the list.
const LIST_EVERY: Duration = Duration::from_secs(5);
const FIRST: &str = "2026-11-23T09:00:00Z";
const SECOND: &str = "2026-12-23T09:00:00Z";
const VARIABLE: &str = "BANK_KEY_OF_A_TEST";
const SECRET: &str = "sk_test_bench";

const POLICY: &str = "\
apiVersion: renewd/v1
kind: RenewalPolicy
metadata: { name: machines }
spec:
  match: { kinds: [vm] }
  mode: auto
  terms: { allowed: [P1M], default: P1M }
  auto: { chargeBefore: 7d, chargeAt: \"03:00\" }
  pricing: { plugin: price-list, priceList: prices }
";

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>().expect("a number"));
    let orders = usize::try_from(args.next().unwrap_or(9_800)).expect("a number of orders");
    let latency_ms = args.next().unwrap_or(800);
    let folder = tempfile::tempdir().expect("a folder");
    let bank_program = std::env::current_exe().expect("this program").with_file_name("renewd-bank");
    let bank_program = bank_program.to_str().expect("a path");
    let ledgers = folder.path().join("ledgers");
    let quick = Bank::start(bank_program, &ledgers, &[]);
    let port = quick.port.to_string();
    prepare(folder.path(), &quick.base(), orders);
    let began = Instant::now();
    run(folder.path(), FIRST);
    println!("{orders} orders, gateway at once, each asked for earlier charges first: {:.1} s", seconds(began));
    drop(quick);
    let slow = Bank::start(bank_program, &ledgers, &["--port", &port, "--latency", &latency_ms.to_string()]);
    let stop = AtomicBool::new(false);
    let (took, mut lists) = std::thread::scope(|scope| {
        let lister = scope.spawn(|| lists(folder.path(), &stop));
        let began = Instant::now();
        run(folder.path(), SECOND);
        let took = seconds(began);
        stop.store(true, Ordering::SeqCst);
        (took, lister.join().expect("the lists"))
    });
    drop(slow);
    let wrong = held_against(folder.path(), &Ledger::read(&ledger_file(&ledgers, SECRET)), 2 * orders);
    let waves = orders.div_ceil(IN_FLIGHT as usize);
    let bound = waves as f64 * latency_ms as f64 / 1000.0;
    println!("{orders} orders, gateway at {latency_ms} ms, {IN_FLIGHT} in flight: {took:.1} s");
    println!("bound {waves} x {latency_ms} ms = {bound:.1} s; ratio {:.3}", took / bound);
    lists.sort_by(f64::total_cmp);
    let median = lists.get(lists.len() / 2).copied().unwrap_or_default();
    let worst = lists.last().copied().unwrap_or_default();
    println!("`renewd list` beside it, {} times: median {median:.2} s, worst {worst:.2} s", lists.len());
    let note = format!(
        "orders paid by one run at a gateway that answers a charge after {latency_ms} ms, {IN_FLIGHT} in flight: {took:.1} s, \
         {:.3} of the bound of {bound:.1} s; `renewd list` of all of them beside it {} times, median {median:.2} s, worst \
         {worst:.2} s",
        took / bound,
        lists.len()
    );
    let Wrong { lost, doubled, silent } = wrong;
    println!("the gateway's ledger against the store: {lost} lost, {doubled} doubled, {silent} silent");
    Fragment { suite: "in-flight".into(), tried: orders as u64, lost, doubled, silent, note, ..Fragment::default() }
        .write();
}

/// What the gateway's ledger and the store do not agree on.
#[derive(Default)]
struct Wrong {
    /// Orders that are not there, are not settled, or whose money the gateway does not have.
    lost: u64,
    /// Lines that were paid more than once, and orders for which too much was taken.
    doubled: u64,
    /// Payments of no order.
    silent: u64,
}

/// Holds the ledger against the store, which is to have so many orders, all of them paid.
fn held_against(folder: &Path, ledger: &Ledger, orders: usize) -> Wrong {
    let listed = answer(&mut command(folder, Some(SECOND), ["orders", "list", "--all", "-o", "json"])).exits(0).json();
    let listed = listed.get("orders").and_then(Value::as_array).expect("`orders list` has orders");
    let mut taken: BTreeMap<String, i64> = BTreeMap::new();
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    for paid in ledger.paid() {
        *taken.entry(paid.order).or_default() += paid.amount;
        paid.lines.into_iter().for_each(|line| *lines.entry(line).or_default() += 1);
    }
    let mut wrong = Wrong { lost: orders.saturating_sub(listed.len()) as u64, ..Wrong::default() };
    wrong.doubled = lines.values().map(|times| times - 1).sum();
    for order in listed {
        let word = |name: &str| order.get(name).and_then(Value::as_str).unwrap_or_default();
        let kept = taken.remove(word("order")).unwrap_or_default();
        let due = minor(order.get("total").expect("an order has a total"));
        wrong.lost += u64::from(word("status") != "settled" || kept < due);
        wrong.doubled += u64::from(due < kept);
    }
    wrong.silent = taken.len() as u64;
    wrong
}

fn prepare(folder: &Path, base: &str, orders: usize) {
    copy_folder(&root().join("plugins/dist"), &folder.join("plugins/dist"));
    std::fs::create_dir_all(folder.join("policies")).expect("a folder");
    let accounts = orders.div_ceil(ORDERS_PER_ACCOUNT);
    let mut documents = String::new();
    for account in 0..accounts {
        _ = writeln!(
            documents,
            "---\napiVersion: renewd/v1\nkind: Account\nmetadata: {{ name: acme-{account} }}\nspec:\n  timeZone: \
             Asia/Singapore\n  currency: USD\n  paymentMethods: [ {{ method: card, reference: \
             cus_{account}/pm_card_visa }} ]"
        );
    }
    let mut fleet = COLUMNS.to_owned();
    for number in 0..orders {
        let account = number / ORDERS_PER_ACCOUNT;
        _ = writeln!(fleet, "vm-{number:05},,acme-{account},vm,vm.small,1,ap-1,,2026-11-28T12:00:00,,,,,");
    }
    for (file, text) in [
        ("policies/accounts.yaml", documents.as_str()),
        ("policies/policy.yaml", POLICY),
        ("policies/prices.yaml", PRICES),
        ("policies/plugins.yaml", &plugins(base)),
        ("fleet.csv", &fleet),
    ] {
        std::fs::write(folder.join(file), text).expect("a file");
    }
    let apply = ["apply", "policies", "--resources", "fleet.csv", "--allow", "grants"];
    answer(&mut command(folder, Some(FIRST), apply)).exits(0);
}

fn run(folder: &Path, now: &str) {
    let mut command = command(folder, Some(now), ["run", "-q", "-o", "json"]);
    let answer = answer(command.env(VARIABLE, SECRET)).exits(0);
    let view = answer.json();
    let renewed = view.pointer("/counts/renewed").and_then(Value::as_u64).unwrap_or_default();
    let charged = view.pointer("/charged/USD/amount").and_then(Value::as_str).unwrap_or("nothing");
    println!("run at {now}: {renewed} renewed, charged {charged} USD");
}

/// How long another process waits for the list, again and again.
fn lists(folder: &Path, stop: &AtomicBool) -> Vec<f64> {
    let mut took = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let began = Instant::now();
        answer(&mut command(folder, Some(SECOND), ["list", "-o", "ids"])).exits(0);
        took.push(seconds(began));
        std::thread::sleep(LIST_EVERY);
    }
    took
}

fn seconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64()
}
