//! Double charges that are known from other tools, each acted out once: a process that dies after the charge, time-outs
//! and late successes, gateways that say "not found" too early, one plugin under two names, a gateway that moves, and
//! people and timers that renew at the same instant.

use crate::{bank, failing};
use renewd_tests::bank::audit::{Audited, Strictness, audit};
use renewd_tests::bank::shop::{NOW_SECONDS, Shop, Template, Wallet, plugins, scratch};
use renewd_tests::bank::{Bank, ledger::Paid};
use renewd_tests::binary::renewd;
use renewd_tests::process::answer;
use renewd_tests::world::POLICY;
use std::process::Stdio;
use std::time::Duration;

const RENEW: [&str; 7] = ["renew", "--all", "--request-id", "r", "--yes", "-o", "json"];
const AGAIN: [&str; 7] = ["renew", "--all", "--request-id", "again", "--yes", "-o", "json"];
/// Two machines of ten dollars.
const ONCE: i64 = 2000;

fn shop() -> Shop {
    Shop::open(&Template::new(bank(), &Wallet::card(), 2), bank(), failing())
}

fn kept(shop: &Shop) -> i64 {
    shop.till.ledger().paid().iter().map(Paid::net).sum()
}

/// Asks the gateways as a timer does: at moments ever later, until nothing is in doubt.
fn reconcile(shop: &mut Shop) -> usize {
    let hours = ["2026-11-23T10:00:00Z", "2026-11-23T13:00:00Z", "2026-11-24T01:00:00Z", "2026-11-24T13:00:00Z"];
    for (rounds, moment) in hours.into_iter().enumerate() {
        shop.set_clock(moment);
        _ = shop.run(&["run", "-o", "json"]);
        if shop.in_doubt() == 0 {
            return rounds + 1;
        }
    }
    panic!("still in doubt: {:?}", shop.orders());
}

#[track_caller]
fn once(shop: &Shop, case: &str) -> Audited {
    let audited = audit(shop, Strictness::Certain).is_clean(case);
    assert_eq!(kept(shop), ONCE, "{case}: {:?}", shop.till.ledger());
    assert!(audited.expiries.values().all(|expiry| expiry.starts_with("2027-01-10")), "{case}: {audited:?}");
    audited
}

/// A process died after the charge and before its record; the next renewal charged anew.
#[test]
fn a_crash_after_the_charge_and_before_its_record_charges_once() {
    let mut shop = shop();
    assert_eq!(shop.run_to("pay.after-call", &RENEW).code, Some(137));
    assert_eq!(kept(&shop), ONCE, "the gateway took it");
    for args in [RENEW, AGAIN] {
        assert_ne!(shop.run(&args).code, Some(0), "in doubt, nothing goes on");
    }
    reconcile(&mut shop);
    once(&shop, "found again");
    shop.run(&RENEW);
    once(&shop, "renewed again under the same request");
}

/// A time-out was read as a decline, the retry was charged, and then the first charge succeeded late.
#[test]
fn a_time_out_then_a_retry_then_a_late_success_charges_once() {
    let mut shop = shop();
    shop.till.fates("charge#1=stall:400");
    assert_eq!(shop.run(&RENEW).code, Some(4));
    assert_eq!(shop.run(&AGAIN).code, Some(1), "frozen until somebody knows");
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(kept(&shop), ONCE, "the gateway was late");
    _ = shop.run(&AGAIN);
    reconcile(&mut shop);
    once(&shop, "late success");
    assert_eq!(shop.till.seen("charge"), 1);
}

/// "Not found" a minute after the charge was read as "not taken".
#[test]
fn not_found_inside_the_visibility_window_is_no_decline() {
    let mut shop = shop();
    shop.till.fates("charge#1=reset-after find#1-4=blind");
    assert_eq!(shop.run(&RENEW).code, Some(4));
    shop.set_clock("2026-11-23T09:05:00Z");
    _ = shop.run(&["run", "-o", "json"]);
    assert_eq!(shop.orders()[0]["status"], "unknown", "five minutes are inside the window of ten");
    assert_eq!(shop.run(&AGAIN).code, Some(1));
    shop.till.fates("");
    reconcile(&mut shop);
    once(&shop, "found in the end");
}

/// The same plugin was registered twice, and both were charged for one renewal.
#[test]
fn the_same_plugin_registered_twice_charges_once() {
    let wallet = Wallet(vec![("card", Some("pm_card_visa")), ("second", Some("pm_card_visa"))]);
    let template = Template::new(bank(), &wallet, 2);
    let documents = plugins(template.base());
    let twin = documents.split("---\n").nth(1).unwrap().replace("name: bank", "name: twin");
    let documents = documents.replace("name: second }\nspec: { plugin: bank", "name: second }\nspec: { plugin: twin");
    template.write("policies/plugins.yaml", &format!("{documents}---\n{twin}"));
    template.run(0, ["apply", "policies", "--allow", "grants"]);
    let mut shop = Shop::open(&template, bank(), failing());
    shop.till.fates("charge#1=error-after find#*=blind");
    assert_eq!(shop.run(&RENEW).code, Some(4), "doubt is no decline: the second method is not tried");
    let order = shop.orders()[0]["order"].as_str().unwrap().to_owned();
    assert_ne!(shop.run(&["orders", "pay", &order, "--pay-with", "second", "--yes"]).code, Some(0));
    assert_eq!(shop.till.seen("charge"), 1);
    shop.till.fates("");
    reconcile(&mut shop);
    once(&shop, "one of two names");
    assert_eq!(shop.till.seen("charge"), 1);
}

/// A person read the wrong line of a dashboard, and one payment extended two terms.
#[test]
fn a_payment_of_another_order_resolves_nothing() {
    let mut shop = shop();
    let renew = |machine: &'static str| ["renew", machine, "--request-id", machine, "--yes", "-o", "json"];
    shop.run(&renew("vm-001")).exits(0);
    let taken = shop.till.ledger().paid()[0].payment.clone();
    shop.till.fates("charge#*=timeout-before");
    shop.run(&renew("vm-002")).exits(4);
    let unknown = shop.orders().iter().find(|order| order["status"] == "unknown").unwrap().clone();
    let id = unknown["order"].as_str().unwrap();
    let resolve = ["orders", "resolve", id, "--as", "succeeded", "--reference", &taken, "--reason", "dashboard"];
    let said = shop.run(&resolve).exits(1);
    assert!(said.stderr.contains(&format!("`{taken}` is the payment of order")), "{said:?}");
    audit(&shop, Strictness::Doubting).is_clean("refused");
    shop.till.fates("");
    reconcile(&mut shop);
    shop.run(&renew("vm-002")).exits(0);
    once(&shop, "each order has a payment of its own");
}

/// A job was started twice, or clicked twice.
#[test]
fn a_renewal_that_is_started_many_times_charges_once() {
    let shop = shop();
    let start = || shop.command(RENEW).args(["--wait", "30"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let children: Vec<_> = (0..6).map(|_| start().unwrap()).collect();
    for mut child in children {
        child.wait().unwrap();
    }
    once(&shop, "six at once");
    assert!(answer(&mut shop.command(RENEW)).code.is_some());
    once(&shop, "and once more");
}

/// The gateway's address changed while a payment was in doubt; the new one knew nothing, and was charged.
#[test]
fn a_gateway_that_moves_while_a_payment_is_in_doubt_charges_once() {
    let template = Template::new(bank(), &Wallet::card(), 2);
    let mut shop = Shop::open(&template, bank(), failing());
    shop.till.fates("charge#1=reset-after");
    assert_eq!(shop.run(&RENEW).code, Some(4));
    let folder = scratch();
    let other = Bank::start(env!("CARGO_BIN_EXE_renewd-bank"), folder.path(), &["--created", NOW_SECONDS]);
    std::fs::write(shop.path().join("policies/plugins.yaml"), plugins(&other.base())).unwrap();
    shop.run(&["plugin", "lock", "policies", "--upgrade", "bank"]).exits(0);
    shop.run(&["apply", "policies", "--allow", "grants", "--allow", "removals"]).exits(0);
    for args in [RENEW, AGAIN] {
        assert_ne!(shop.run(&args).code, Some(0), "in doubt, nothing goes on");
    }
    reconcile(&mut shop);
    once(&shop, "the old gateway was asked");
    let elsewhere = || other.till(shop.till.secret.trim_start_matches("sk_test_")).ledger().paid();
    assert_eq!(elsewhere(), [], "nothing was taken at the new one");
    answer(&mut shop.command(AGAIN)).exits(0);
    assert_eq!(elsewhere().iter().map(Paid::net).sum::<i64>(), ONCE, "the next month is paid at the new one");
}

/// A person and the timer renewed the same resource at the same instant.
#[test]
fn automatic_and_manual_renewal_at_the_same_instant_charge_once() {
    let template = Template::new(bank(), &Wallet::card(), 2);
    template.write("policies/policy.yaml", &POLICY.replace("mode: manual", "mode: auto"));
    template.run(0, ["apply", "policies"]);
    for round in 0..4 {
        let mut shop = Shop::open(&template, bank(), renewd());
        shop.set_clock("2026-12-03T20:00:00Z");
        let manual = [RENEW.as_slice(), &["--expires-before", "2026-12-31", "--wait", "30"]].concat();
        let timer = ["run", "--wait", "30", "-o", "json"];
        let started: Vec<_> = [&timer[..], &manual[..], &timer[..]]
            .into_iter()
            .map(|args| shop.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
            .collect();
        for mut child in started {
            child.wait().unwrap();
        }
        once(&shop, &format!("round {round}: whoever came first, the other found nothing left to renew"));
    }
}
