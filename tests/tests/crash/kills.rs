//! `kill -9` at random moments, several processes at once, against a gateway at which a fifth of all requests goes
//! wrong. Now and then an audit looks in between; at the end everything that is in doubt is looked up and audited.
//!
//! `RENEWD_KILLS` says how many processes are killed in all (24 unless told, 200 where every change is checked);
//! `RENEWD_KILL_SEED` repeats a run.

use crate::bank;
use renewd_tests::bank::audit::{Audited, Strictness, audit};
use renewd_tests::bank::shop::{Shop, Template, Wallet, acknowledgements};
use renewd_tests::binary::renewd;
use renewd_tests::dice::Dice;
use renewd_tests::fragment::{Fragment, forget};
use std::io::Read as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Kills of one world; after them it is audited, and another begins.
const KILLS_PER_SHOP: u64 = 50;
const MACHINES: u64 = 12;
/// Processes beside each other at most.
const BESIDE: u64 = 3;
/// Longest life of a process that is to be killed.
const LIFE_MS: u64 = 400;
const AUDIT_EACH: u64 = 10;

fn kills() -> u64 {
    std::env::var("RENEWD_KILLS").map_or(24, |text| text.parse().expect("RENEWD_KILLS is a number"))
}

fn seed() -> u64 {
    let told = std::env::var("RENEWD_KILL_SEED").ok().and_then(|text| text.parse().ok());
    told.unwrap_or_else(|| u64::from(std::process::id()))
}

#[test]
fn random_kills_under_load_lose_double_and_hide_nothing() {
    forget("random-kills");
    let seed = seed();
    eprintln!("repeat with RENEWD_KILL_SEED={seed}");
    let mut dice = Dice::seeded(seed);
    let wallet = Wallet(vec![("card", Some("pm_card_visa")), ("second", Some("pm_card_mastercard"))]);
    let template = Template::new(bank(), &wallet, usize::try_from(MACHINES).unwrap());
    let (mut killed, mut payments, mut renewals) = (0, 0, 0);
    while killed < kills() {
        let mut shop = Shop::open(&template, bank(), renewd());
        shop.till.fates(&format!("seed={}:20", dice.roll() % 1_000_000));
        let target = (killed + KILLS_PER_SHOP).min(kills());
        let mut round = 0;
        while killed < target {
            round += 1;
            killed += strike(&mut shop, &mut dice, round);
            if round % AUDIT_EACH == 0 {
                audit(&shop, Strictness::Doubting).is_clean(&format!("seed {seed}, kill {killed}"));
            }
        }
        let audited = recover(&mut shop, &mut dice).is_clean(&format!("seed {seed}, after kill {killed}"));
        payments += audited.payments;
        renewals += audited.acknowledged;
    }
    let note = format!(
        "processes killed at random, up to {BESIDE} at once, a fifth of all requests to the gateway going wrong; \
         {payments} payments, {renewals} acknowledged renewals"
    );
    let seeds = vec![seed.to_string()];
    Fragment { suite: "random-kills".into(), tried: killed, seeds, note, ..Fragment::default() }.write();
    eprintln!("{killed} killed, {payments} payments, {renewals} acknowledged renewals");
}

/// Starts some processes and kills them one by one. Answers how many were alive when they were killed.
fn strike(shop: &mut Shop, dice: &mut Dice, round: u64) -> u64 {
    let count = 1 + dice.below(BESIDE);
    let mut running: Vec<(Child, Instant)> = (0..count)
        .map(|_| {
            let args = deed(shop, dice, round);
            let mut command = shop.command(&args);
            let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            (child, Instant::now() + Duration::from_millis(dice.below(LIFE_MS)))
        })
        .collect();
    running.sort_by_key(|(_, end)| *end);
    let mut alive = 0;
    for (mut child, end) in running {
        while Instant::now() < end && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(300));
        }
        alive += u64::from(child.try_wait().unwrap().is_none());
        // SIGKILL on Unix: the process has no chance to tidy up.
        _ = child.kill();
        let mut shown = String::new();
        _ = child.stdout.take().unwrap().read_to_string(&mut shown);
        _ = child.wait();
        shop.acknowledged.extend(acknowledgements(&shown));
    }
    alive
}

/// Something to do: mostly renewals of a few machines under few requests, so that they meet each other.
fn deed(shop: &Shop, dice: &mut Dice, round: u64) -> Vec<String> {
    let machine = |dice: &mut Dice| format!("vm-{:03}", 1 + dice.below(MACHINES));
    let request = format!("r{}", round / 2);
    let words: Vec<String> = match dice.below(10) {
        0 => vec!["renew".into(), "--all".into(), "--request-id".into(), request, "--yes".into()],
        1..=5 => {
            let picked = [machine(dice), machine(dice)];
            let rest = ["--request-id", &request, "--yes"].map(str::to_owned);
            [vec!["renew".to_owned()], picked.to_vec(), rest.to_vec()].concat()
        }
        6 | 7 => {
            let file = ["import", "fleet.csv"].map(str::to_owned);
            file.to_vec()
        }
        8 => vec!["apply".into(), "policies".into()],
        _ => settle(shop, dice),
    };
    let ends = ["--wait", "20", "-o", "json"].map(str::to_owned);
    [words, ends.to_vec()].concat()
}

/// Pays or gives up an order, or lets a run look after them all.
fn settle(shop: &Shop, dice: &mut Dice) -> Vec<String> {
    let orders = shop.orders();
    let open: Vec<&str> =
        orders.iter().filter(|order| order["status"] == "placed").filter_map(|order| order["order"].as_str()).collect();
    let Some(order) = open.get(usize::try_from(dice.below(open.len().max(1) as u64)).unwrap()) else {
        return vec!["list".into()];
    };
    match dice.below(4) {
        0 => ["orders", "cancel", order, "--reason", "no"].map(str::to_owned).to_vec(),
        _ => ["orders", "pay", order, "--yes"].map(str::to_owned).to_vec(),
    }
}

/// The gateway is well again, and everything in doubt is looked up.
fn recover(shop: &mut Shop, dice: &mut Dice) -> Audited {
    shop.till.fates("");
    audit(shop, Strictness::Doubting).is_clean("before recovery");
    shop.resolve_by_ledger();
    let request = format!("last-{}", dice.roll());
    _ = shop.run(&["renew", "--all", "--request-id", &request, "--yes", "-o", "json"]);
    shop.resolve_by_ledger();
    audit(shop, Strictness::Certain)
}
