//! `kill -9` at random moments, several processes at once, against a gateway at which a fifth of all requests goes
//! wrong. Now and then an audit looks in between; at the end everything that is in doubt is looked up and audited.
//!
//! `RENEWD_KILLS` says how many processes are killed in all (24 unless told, 200 where every change is checked);
//! `RENEWD_KILL_SEED` repeats a run.

use crate::{bank, crew};
use renewd_tests::bank::audit::{Audited, Strictness, audit};
use renewd_tests::bank::shop::{Shop, Template, Wallet, acknowledgements};
use renewd_tests::binary::renewd;
use renewd_tests::dice::Dice;
use renewd_tests::fragment::{Fragment, forget};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Kills of one world; after them it is audited, and another begins.
const KILLS_PER_SHOP: u64 = 50;
const MACHINES: u64 = 12;
/// Processes beside each other at most.
const BESIDE: u64 = 3;
/// Longest life of a process that is to be killed.
const LIFE_MS: u64 = 400;
const AUDIT_EACH: u64 = 10;
/// When runs look after what is in doubt, once the gateway is well again: until presumed declines are believed.
const LATER: [&str; 7] = [
    "2026-11-23T09:20:00Z",
    "2026-11-23T11:00:00Z",
    "2026-11-24T12:00:00Z",
    "2026-11-25T13:00:00Z",
    "2026-11-28T14:00:00Z",
    "2026-12-05T15:00:00Z",
    "2026-12-06T16:00:00Z",
];

fn kills() -> u64 {
    std::env::var("RENEWD_KILLS").map_or(24, |text| text.parse().expect("RENEWD_KILLS is a number"))
}

fn seed() -> u64 {
    let told = std::env::var("RENEWD_KILL_SEED").ok().and_then(|text| text.parse().ok());
    told.unwrap_or_else(|| u64::from(std::process::id()))
}

/// What came of all worlds.
#[derive(Default)]
struct Tally {
    killed: u64,
    payments: usize,
    renewals: usize,
    /// Kills by what the process was doing.
    deeds: BTreeMap<String, u64>,
}

#[test]
fn random_kills_under_load_lose_double_and_hide_nothing() {
    forget("random-kills");
    let seed = seed();
    eprintln!("repeat with RENEWD_KILL_SEED={seed}");
    let wallet =
        Wallet(vec![("card", Some("pm_card_visa")), ("second", Some("pm_card_mastercard")), ("balance", None)]);
    let template = Template::new(bank(), &wallet, usize::try_from(MACHINES).unwrap());
    let worlds: Vec<(u64, u64)> = (0..kills().div_ceil(KILLS_PER_SHOP))
        .map(|world| (seed.wrapping_add(world), KILLS_PER_SHOP.min(kills() - world * KILLS_PER_SHOP)))
        .collect();
    let tally = Mutex::new(Tally::default());
    crew::each(&worlds, || (), |(), (seed, target)| one_world(&template, *seed, *target, &tally));
    let Tally { killed, payments, renewals, deeds } = tally.into_inner().unwrap();
    let deeds: Vec<String> = deeds.iter().map(|(deed, count)| format!("{deed} {count}")).collect();
    let note = format!(
        "processes killed at random, up to {BESIDE} at once, a fifth of all requests to the gateway going wrong; \
         {payments} payments, {renewals} acknowledged renewals; killed were {}",
        deeds.join(", ")
    );
    let seeds = vec![seed.to_string()];
    eprintln!("{note}");
    assert!(0 < payments && 0 < renewals, "nothing was at stake");
    Fragment { suite: "random-kills".into(), tried: killed, seeds, note, ..Fragment::default() }.write();
}

/// One world with its own dice: so many kills in it, then everything is looked up.
fn one_world(template: &Template, seed: u64, target: u64, tally: &Mutex<Tally>) {
    let mut dice = Dice::seeded(seed);
    let mut shop = Shop::open(template, bank(), renewd());
    shop.till.fates(&format!("seed={}:20", dice.roll() % 1_000_000));
    let mut deeds: Vec<String> = Vec::new();
    let mut round = 0;
    while (deeds.len() as u64) < target {
        round += 1;
        deeds.extend(strike(&mut shop, &mut dice, round));
        if round % AUDIT_EACH == 0 {
            audit(&shop, Strictness::Doubting).is_clean(&format!("seed {seed}, kill {}", deeds.len()));
        }
    }
    let audited = recover(&mut shop, &mut dice).is_clean(&format!("seed {seed}, after kill {}", deeds.len()));
    let mut tally = tally.lock().unwrap();
    tally.killed += deeds.len() as u64;
    tally.payments += audited.payments;
    tally.renewals += audited.acknowledged;
    for deed in deeds {
        *tally.deeds.entry(deed).or_default() += 1;
    }
}

/// Starts some processes and kills them one by one. Answers what those were doing that were alive when they were killed.
fn strike(shop: &mut Shop, dice: &mut Dice, round: u64) -> Vec<String> {
    let count = 1 + dice.below(BESIDE);
    let mut running: Vec<(Vec<String>, Child, Instant)> = (0..count)
        .map(|_| {
            let args = deed(shop, dice, round);
            let mut command = shop.command(&args);
            let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            (args, child, Instant::now() + Duration::from_millis(dice.below(LIFE_MS)))
        })
        .collect();
    running.sort_by_key(|(.., end)| *end);
    let mut killed = Vec::new();
    for (args, mut child, end) in running {
        while Instant::now() < end && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(300));
        }
        if let Some(ended) = child.try_wait().unwrap() {
            // A panic, a bug or a damaged store is no end of its own that a process may come to.
            assert!(matches!(ended.code(), Some(0..=5 | 7)), "{args:?} ended by itself with {ended}");
        } else {
            let words = if args[0] == "orders" || args[0] == "store" { &args[..2] } else { &args[..1] };
            killed.push(words.join(" "));
        }
        // SIGKILL on Unix: the process has no chance to tidy up.
        _ = child.kill();
        let mut shown = String::new();
        _ = child.stdout.take().unwrap().read_to_string(&mut shown);
        let done = child.wait().unwrap().success();
        shop.done(&args, done);
        shop.acknowledged.extend(acknowledgements(&shown));
    }
    killed
}

/// Something to do: mostly renewals of a few machines under few requests, so that they meet each other.
fn deed(shop: &Shop, dice: &mut Dice, round: u64) -> Vec<String> {
    let machine = |dice: &mut Dice| format!("vm-{:03}", 1 + dice.below(MACHINES));
    let request = format!("r{}", round / 2);
    let line = match dice.below(20) {
        0 | 1 => format!("renew --all --request-id {request} --yes"),
        2..=7 => format!("renew {} {} --request-id {request} --yes", machine(dice), machine(dice)),
        8 => format!("renew {} --request-id {request} --pay-with balance --yes", machine(dice)),
        9..=11 => "run".to_owned(),
        12 => "import fleet.csv".to_owned(),
        13 => "apply policies".to_owned(),
        14 => format!("mode {} {}", ["auto", "manual"][usize::try_from(dice.below(2)).unwrap()], machine(dice)),
        15 => format!("store backup copy-{}", dice.roll()),
        16 => return top_up(dice),
        _ => of_an_order(shop, dice),
    };
    let words = line.split(' ').map(str::to_owned);
    words.chain(["--wait", "20", "-o", "json"].map(str::to_owned)).collect()
}

fn top_up(dice: &mut Dice) -> Vec<String> {
    let number = dice.below(30);
    let (money, reference) = (format!("{}.50 USD", 10 + number), format!("wire-{number}"));
    let words = ["orders", "topup", "acme", &money, "--reference", &reference, "--wait", "20", "-o", "json"];
    words.map(str::to_owned).to_vec()
}

/// Pays, gives up or gives back an order.
fn of_an_order(shop: &Shop, dice: &mut Dice) -> String {
    let orders = shop.orders();
    let mut one = |status: &str| {
        let of: Vec<&str> = orders
            .iter()
            .filter(|order| order["status"] == status)
            .filter_map(|order| order["order"].as_str())
            .collect();
        of.get(usize::try_from(dice.below(of.len().max(1) as u64)).unwrap()).map(|order| (*order).to_owned())
    };
    let (open, paid) = (one("placed"), one("settled"));
    match (dice.below(4), open, paid) {
        (0, Some(order), _) => format!("orders cancel {order} --reason no"),
        (1, Some(order), _) => format!("orders pay {order} --yes"),
        (_, _, Some(order)) => format!("orders refund {order} --reason unused --yes"),
        (_, Some(order), None) => format!("orders pay {order} --yes"),
        (_, None, None) => "list".to_owned(),
    }
}

/// The gateway is well again, and everything in doubt is looked up.
fn recover(shop: &mut Shop, dice: &mut Dice) -> Audited {
    shop.till.fates("");
    audit(shop, Strictness::Doubting).is_clean("before recovery");
    for moment in LATER {
        shop.set_clock(moment);
        let run = shop.run(&["run", "-o", "json"]);
        assert!(matches!(run.code, Some(0 | 1 | 4 | 7)), "{run:?}");
    }
    let request = format!("last-{}", dice.roll());
    let renewed = shop.run(&["renew", "--all", "--request-id", &request, "--yes", "-o", "json"]);
    assert!(matches!(renewed.code, Some(0 | 1 | 7)), "{renewed:?}");
    audit(shop, Strictness::Certain)
}
