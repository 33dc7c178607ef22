//! More double charges that are known from other tools: those in which time passes. Each is acted out by the real binary
//! against a gateway with its own books: late successes, restored backups, replays, automatic renewal beside people,
//! daylight saving, and three years of month ends.

use crate::{bank, failing};
use renewd_tests::bank::audit::{Audited, Strictness, audit};
use renewd_tests::bank::ledger::Paid;
use renewd_tests::bank::shop::{Shop, Template, Wallet};
use renewd_tests::binary::renewd;
use renewd_tests::world::{ACCOUNT, Machine, POLICY};
use std::process::Stdio;
use std::time::{Duration, Instant};

const RENEW: [&str; 7] = ["renew", "--all", "--request-id", "r", "--yes", "-o", "json"];
const AGAIN: [&str; 7] = ["renew", "--all", "--request-id", "again", "--yes", "-o", "json"];
const RUN: [&str; 3] = ["run", "-o", "json"];
/// Two machines of ten dollars.
const ONCE: i64 = 2000;
/// One moment behind the gateway's window, and one on each of the days on which a presumed decline is doubted.
const LATER: [&str; 6] = [
    "2026-11-23T09:20:00Z",
    "2026-11-23T11:00:00Z",
    "2026-11-24T12:00:00Z",
    "2026-11-27T13:00:00Z",
    "2026-12-04T14:00:00Z",
    "2026-12-05T15:00:00Z",
];

fn shop(wallet: &Wallet) -> Shop {
    Shop::open(&Template::new(bank(), wallet, 2), bank(), renewd())
}

fn two_cards() -> Wallet {
    Wallet(vec![("card", Some("pm_card_visa")), ("second", Some("pm_card_mastercard"))])
}

fn kept(shop: &Shop) -> i64 {
    shop.till.ledger().paid().iter().map(Paid::net).sum()
}

#[track_caller]
fn once(shop: &Shop, case: &str) -> Audited {
    let audited = audit(shop, Strictness::Certain).is_clean(case);
    assert_eq!(kept(shop), ONCE, "{case}: {:?}", shop.till.ledger());
    assert!(audited.expiries.values().all(|expiry| expiry.starts_with("2027-01-10")), "{case}: {audited:?}");
    audited
}

/// A timer at all these moments, and the job that asks for the renewals of a request.
fn jobs(shop: &mut Shop, moments: &[&str]) {
    for moment in moments {
        runs(shop, &[moment]);
        _ = shop.run(&RENEW);
        audit(shop, Strictness::Doubting).is_clean(moment);
    }
}

/// A timer at all these moments.
fn runs(shop: &mut Shop, moments: &[&str]) {
    for moment in moments {
        shop.set_clock(moment);
        _ = shop.run(&RUN);
        audit(shop, Strictness::Doubting).is_clean(moment);
    }
}

fn only_order(shop: &Shop) -> String {
    let orders = shop.orders();
    assert_eq!(orders.len(), 1, "{orders:?}");
    orders[0]["order"].as_str().unwrap().to_owned()
}

/// A webhook and a timer learned of one payment at the same instant, and both extended the term.
#[test]
fn a_payment_that_four_processes_learn_of_at_once_extends_once() {
    let mut shop = shop(&Wallet::card());
    shop.till.fates("charge#1=reset-after");
    shop.run(&RENEW).exits(4);
    shop.set_clock(LATER[0]);
    let order = only_order(&shop);
    let asks = [vec!["run"], vec!["orders", "pay", &order, "--yes"], vec!["run"], vec!["run"]];
    let children: Vec<_> = asks
        .iter()
        .map(|args| {
            let mut command = shop.command(args.iter().chain(&["--wait", "30"]));
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        child.wait().unwrap();
    }
    once(&shop, "four at once");
    assert_eq!(shop.till.seen("charge"), 1);
}

/// A charge never arrived, was made again after the window, and the look that follows the presumed decline took the
/// second charge for a late success of the first: it gave the money back and left the term.
#[test]
fn a_payment_that_was_made_again_is_not_given_back_by_a_later_look() {
    let mut shop = shop(&Wallet::card());
    shop.till.fates("charge#1=timeout-before");
    shop.run(&RENEW).exits(4);
    jobs(&mut shop, &LATER);
    once(&shop, "made again");
    assert_eq!((shop.till.seen("charge"), shop.till.seen("refund")), (2, 0));
}

/// A charge timed out, was not found behind the window, and was retried; then the first one succeeded after all.
#[test]
fn a_retry_that_pays_before_the_first_charge_succeeds_late_is_kept_and_the_first_goes_back() {
    let mut shop = shop(&Wallet::card());
    shop.till.fates("charge#1=stall:12000");
    let began = Instant::now();
    shop.run(&RENEW).exits(4);
    jobs(&mut shop, &LATER[..2]);
    assert_eq!(shop.till.ledger().paid().len(), 1, "{:?}: the retry has paid", began.elapsed());
    once(&shop, "the first one is still under way");
    while shop.till.ledger().paid().len() < 2 {
        assert!(began.elapsed() < Duration::from_secs(60), "the first charge never succeeded");
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut told = Vec::new();
    for moment in &LATER[2..] {
        shop.set_clock(moment);
        let run = shop.run(&RUN).json();
        told.extend(run["refunds"].as_array().unwrap().iter().map(|refund| refund["outcome"].clone()));
    }
    assert_eq!(told, ["refunded"], "the run that gives it back says so");
    once(&shop, "the first one went back");
    assert_eq!(shop.till.seen("refund"), 1);
}

/// A key was made anew on every retry, so that the gateway could not tell a retry from a new purchase.
#[test]
fn an_attempt_has_one_key_however_often_it_is_asked_about() {
    for point in ["pay.before-call", "pay.after-call"] {
        let mut shop = Shop::open(&Template::new(bank(), &Wallet::card(), 2), bank(), failing());
        assert_eq!(shop.run_to(point, &RENEW).code, Some(137));
        let order = only_order(&shop);
        let key = |shop: &Shop| shop.orders()[0]["attempts"][0]["key"].as_str().unwrap().to_owned();
        let first = key(&shop);
        _ = shop.run(&["orders", "pay", &order, "--yes"]);
        assert_eq!(key(&shop), first, "{point}");
        jobs(&mut shop, &LATER);
        assert_eq!(key(&shop), first, "{point}");
        once(&shop, point);
        let again = usize::from(point == "pay.before-call");
        let keys: Vec<String> = shop.orders()[0]["attempts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|attempt| attempt["key"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(keys.len(), 1 + again, "{point}: only what the gateway never saw is made again, under another key");
        let taken: Vec<String> = shop.till.ledger().paid().into_iter().map(|paid| paid.key).collect();
        assert_eq!(taken, [keys[again].clone()], "{point}: the gateway was given the key that the journal has");
    }
}

/// A saved quote, an old request and an old order were played again, an hour or a year later, when the expiry that they
/// were for had been extended.
#[test]
fn a_replay_with_the_old_expiry_a_year_later_charges_nothing() {
    for moment in ["2026-11-23T10:00:00Z", "2027-11-23T09:00:00Z"] {
        let mut shop = shop(&Wallet::card());
        shop.run(&["renew", "--all", "--dry-run", "--out", "quote.json"]).exits(0);
        shop.run(&RENEW).exits(0);
        let order = only_order(&shop);
        let copy = std::fs::read(shop.path().join("quote.json")).unwrap();
        shop.set_clock(moment);
        for args in [
            &["renew", "--quote", "quote.json", "--yes"][..],
            &RENEW,
            &["orders", "pay", &order, "--yes"],
            &["orders", "resolve", &order, "--as", "succeeded", "--reference", "pi_000001", "--reason", "replayed"],
        ] {
            std::fs::write(shop.path().join("quote.json"), &copy).unwrap();
            let said = shop.run(args);
            assert!(matches!(said.code, Some(0 | 1 | 3)), "{said:?}");
            assert!(args[1] != "--quote" || said.stdout.contains("it now expires on"), "{said:?}");
            assert_eq!(shop.till.seen("charge"), 1, "{said:?}");
        }
        once(&shop, moment);
    }
}

/// A renewal was given back and then wanted after all: while nobody knew whether the money had gone back the second charge
/// was made, or it had the key of the first and the gateway answered with the payment that was gone, or a second click on
/// "renew" charged a third time, or the refund was tried again and took the second one.
#[test]
fn a_renewal_after_a_refund_charges_once_more_and_once_only() {
    let mut shop = shop(&Wallet::card());
    shop.run(&RENEW).exits(0);
    let order = only_order(&shop);
    shop.till.fates("refund#1=reset-after find-refund#1=error-before");
    let refund = ["orders", "refund", &order, "--reason", "not needed", "--yes", "-o", "json"];
    _ = shop.run(&refund);
    let said = shop.run(&AGAIN);
    assert_ne!(said.code, Some(0), "nobody knows yet whether the money has gone back: {said:?}");
    assert_eq!(shop.till.seen("charge"), 1);
    shop.till.fates("");
    runs(&mut shop, &LATER[..2]);
    assert_eq!(kept(&shop), 0);
    for args in [&AGAIN[..], &AGAIN, &RENEW, &refund, &RUN] {
        _ = shop.run(args);
        assert_eq!(shop.till.seen("charge"), 2, "{args:?}");
        audit(&shop, Strictness::Certain).is_clean(&format!("{args:?}"));
    }
    runs(&mut shop, &LATER[2..]);
    once(&shop, "after a refund");
}

/// Last week's backup took the place of the store, and everything that had been renewed since was charged again.
#[test]
fn a_store_restored_from_last_week_s_backup_charges_nothing_twice() {
    type Week = fn(&mut Shop);
    let weeks: [(&str, i64, Week); 4] = [
        ("paid", 1, |shop| drop(shop.run(&RENEW).exits(0))),
        ("declined, then paid", 1, |shop| {
            shop.till.fates("charge#1=decline");
            _ = shop.run(&RENEW);
            let order = only_order(shop);
            shop.set_clock("2026-11-25T09:00:00Z");
            shop.run(&["orders", "pay", &order, "--yes"]).exits(0);
        }),
        ("paid with another method", 1, |shop| {
            shop.run(&["renew", "--all", "--request-id", "r", "--pay-with", "second", "--yes"]).exits(0);
        }),
        ("paid and given back", 0, |shop| {
            shop.run(&RENEW).exits(0);
            let order = only_order(shop);
            shop.run(&["orders", "refund", &order, "--reason", "not needed", "--yes"]).exits(0);
        }),
    ];
    for (week, before, live) in weeks {
        let template = Template::new(bank(), &two_cards(), 2);
        template.write("policies/policy.yaml", &POLICY.replace("  pricing:", "  payment: [card]\n  pricing:"));
        template.run(0, ["apply", "policies"]);
        let mut shop = Shop::open(&template, bank(), renewd());
        shop.run(&["store", "backup", "last-week"]).exits(0);
        live(&mut shop);
        assert_eq!(kept(&shop), before * ONCE, "{week}");
        shop.lose_history();
        std::fs::remove_dir_all(shop.store()).unwrap();
        shop.set_clock("2026-11-30T09:00:00Z");
        shop.run(&["store", "restore", "last-week"]).exits(0);
        shop.till.fates("");
        _ = shop.run(&AGAIN);
        shop.set_clock("2026-12-01T09:00:00Z");
        _ = shop.run(&RUN);
        _ = shop.run(&AGAIN);
        runs(&mut shop, &LATER[4..]);
        once(&shop, week);
    }
}

fn automatic(charge: &str) -> String {
    POLICY.replace("mode: manual", &format!("mode: auto\n  auto: {{ chargeBefore: 7d, chargeAt: \"{charge}\" }}"))
}

/// A card was declined at three in the morning, a person paid with another one at eight, and the next night's retry
/// charged once more.
#[test]
fn a_card_declined_at_three_and_paid_by_hand_at_eight_is_charged_once() {
    let template = Template::new(bank(), &two_cards(), 2);
    template.write("policies/policy.yaml", &automatic("03:00").replace("  pricing:", "  payment: [card]\n  pricing:"));
    template.run(0, ["apply", "policies"]);
    let mut shop = Shop::open(&template, bank(), renewd());
    shop.till.fates("charge#1-2=decline");
    // Three o'clock in Singapore.
    shop.set_clock("2026-12-02T19:00:00Z");
    shop.run(&RUN).exits(1);
    assert_eq!(kept(&shop), 0);
    shop.set_clock("2026-12-03T00:00:00Z");
    for order in shop.orders() {
        let id = order["order"].as_str().unwrap().to_owned();
        shop.run(&["orders", "pay", &id, "--pay-with", "second", "--yes"]).exits(0);
    }
    runs(&mut shop, &["2026-12-03T19:00:00Z", "2026-12-04T19:00:00Z", "2026-12-05T19:00:00Z"]);
    once(&shop, "three and eight");
    assert_eq!(shop.till.seen("charge"), 4, "two were declined, two paid");
}

/// The hour that daylight saving takes away, or gives twice, made a timer charge never or twice. The first charge is
/// declined here, so that a second one within the hour that comes twice would be made.
#[test]
fn automatic_renewal_at_a_change_of_daylight_saving_charges_once() {
    let changes = [
        ("2027-03-28", "2027-04-04", ["2027-03-28T01:00", "2027-03-29T00:30"]),
        ("2027-10-31", "2027-11-07", ["2027-10-31T00:30", "2027-11-01T01:30"]),
    ];
    for (change, expiry, charged) in changes {
        let machine = Machine::new("vm-001", expiry);
        let template = Template::of_machines(bank(), &Wallet::card(), &[machine]);
        let account = ACCOUNT.replace("Asia/Singapore", "Europe/Berlin");
        let account = account.replace("{ method: on-account }", "{ method: card, reference: pm_card_visa }");
        template.write("policies/account.yaml", &account);
        template.write("policies/policy.yaml", &automatic("02:30"));
        std::fs::remove_dir_all(template.path().join(".renewd")).unwrap();
        template.run(0, ["apply", "policies", "--resources", "fleet.csv", "--allow", "grants"]);
        let mut shop = Shop::open(&template, bank(), renewd());
        shop.began = shop.expiries();
        shop.till.fates("charge#1=decline");
        let mut charges = Vec::new();
        for day in [change, &charged[1][..10]] {
            for minutes in (0..5 * 60).step_by(15) {
                let moment = format!("{day}T{:02}:{:02}", minutes / 60, minutes % 60);
                shop.set_clock(&format!("{moment}:00Z"));
                let said = shop.run(&RUN);
                assert!(matches!(said.code, Some(0 | 1)), "{said:?}");
                if shop.till.seen("charge") > charges.len() as u64 {
                    charges.push(moment);
                }
            }
        }
        assert_eq!(charges, charged, "{change}");
        assert_eq!((shop.till.seen("charge"), kept(&shop)), (2, 1000), "{change}: declined, and paid a day later");
        let audited = audit(&shop, Strictness::Certain).is_clean(change);
        let extended = audited.expiries.values().next().unwrap();
        let month =
            if change.starts_with("2027-03") { "2027-05-04T23:59:59+02:00" } else { "2027-12-07T23:59:59+01:00" };
        assert_eq!(extended, month);
    }
}

/// A month end lost a day in each February and never came back, until somebody paid for a month of 28 days every month.
#[test]
fn thirty_six_paid_renewals_keep_the_end_of_the_month() {
    let machine = Machine::new("vm-001", "2027-01-31");
    let template = Template::of_machines(bank(), &Wallet::card(), &[machine]);
    template.write("policies/policy.yaml", &automatic("03:00"));
    template.run(0, ["apply", "policies"]);
    let mut shop = Shop::open(&template, bank(), renewd());
    const DAYS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let last = |year: u32, month: u32| match (month, year % 4) {
        (2, 0) => 29,
        _ => DAYS[month as usize - 1],
    };
    for renewal in 0..36 {
        let (year, month) = (2027 + renewal / 12, renewal % 12 + 1);
        shop.set_clock(&format!("{year}-{month:02}-{:02}T21:00:00Z", last(year, month) - 3));
        shop.run(&RUN).exits(0);
        let (year, month) = (2027 + (renewal + 1) / 12, (renewal + 1) % 12 + 1);
        let expected = format!("{year}-{month:02}-{:02}T23:59:59+08:00", last(year, month));
        assert_eq!(shop.expiries()["vm-001"], expected, "renewal {}", renewal + 1);
    }
    audit(&shop, Strictness::Certain).is_clean("three years");
    assert_eq!((kept(&shop), shop.till.seen("charge")), (36 * 1000, 36));
}
