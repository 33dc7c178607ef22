//! The whole of renewd at a gateway that nobody here wrote: the real binary pays through a proxy that cuts, loses and
//! doubles exchanges, and later runs find out by themselves what became of each payment.

use crate::cuts::{Gateway, LOCAL_STRIPE, STATEFUL_MOCK};
use crate::start;
use renewd_tests::bank::shop::{VARIABLE, Wallet, plugins, scratch};
use renewd_tests::fault_proxy::{Fate, FaultProxy};
use renewd_tests::process::{Answer, answer, command};
use renewd_tests::repository::{copy_folder, root};
use renewd_tests::standins::SECRET;
use renewd_tests::world::{POLICY, PRICES, inventory, machines};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Replies that are cut, at points spread over all of them.
const CUTS: usize = 12;
const OTHERS: [Fate; 3] = [Fate::LoseRequest, Fate::LoseReply, Fate::Twice];
const NOW: &str = "2026-11-23T09:00:00Z";
/// When runs ask what became of payments: behind the gateway's window, until presumed declines are believed.
const LATER: [&str; 4] =
    ["2026-11-23T09:30:00Z", "2026-11-23T11:00:00Z", "2026-11-24T12:00:00Z", "2026-11-25T13:00:00Z"];

fn prepare(folder: &Path, gateway: &Gateway, port: u16) {
    let documents = plugins(&format!("http://127.0.0.1:{port}"));
    let settings = gateway.config.replace('"', "").replace(':', ": ");
    let documents = documents
        .replace("config: { ", &format!("config: {{ {settings}{} ", if settings.is_empty() { "" } else { "," }));
    copy_folder(&root().join("plugins/dist"), &folder.join("plugins/dist"));
    std::fs::create_dir(folder.join("policies")).unwrap();
    for (file, text) in [
        ("policies/account.yaml", Wallet(vec![("card", Some(gateway.good))]).document()),
        ("policies/policy.yaml", POLICY.to_owned()),
        ("policies/prices.yaml", PRICES.to_owned()),
        ("policies/plugins.yaml", documents),
        ("fleet.csv", inventory(&machines(1 + CUTS + OTHERS.len(), "2026-12-10"))),
    ] {
        std::fs::write(folder.join(file), text).unwrap();
    }
    let apply = ["apply", "policies", "--resources", "fleet.csv", "--allow", "grants", "--allow", "removals"];
    answer(&mut command(folder, Some(NOW), apply)).exits(0);
}

fn renewd(folder: &Path, now: &str, args: &[&str]) -> Answer {
    answer(command(folder, Some(now), args).env(VARIABLE, SECRET))
}

fn renew(folder: &Path, now: &str, machine: &str) -> Answer {
    renewd(folder, now, &["renew", machine, "--request-id", machine, "--yes", "-o", "json"])
}

fn disturbed_renewals_are_paid_once(gateway: &Gateway) {
    let Some(standin) = start(gateway.kind) else { return };
    let proxy = FaultProxy::start(standin.port);
    let folder = scratch();
    let folder = folder.path();
    prepare(folder, gateway, proxy.port);
    renew(folder, NOW, "vm-001").exits(0);
    // Before its charge the gateway is asked for earlier ones.
    let before = proxy.heads().iter().position(|head| head.starts_with("POST")).unwrap();
    let bytes = proxy.last_reply_bytes();
    let fates = (0..CUTS).map(|cut| Fate::Cut(cut * bytes / CUTS)).chain(OTHERS);
    let machine = |number: usize| format!("vm-{:03}", number + 2);
    for (number, fate) in fates.clone().enumerate() {
        let heads = proxy.heads().len();
        let fates: Vec<Fate> = std::iter::repeat_n(Fate::Pass, before).chain([fate]).collect();
        proxy.next(&fates);
        let said = renew(folder, NOW, &machine(number));
        assert!(proxy.is_spent() && proxy.heads()[heads + before].starts_with("POST"), "{fate:?}: {:?}", proxy.heads());
        let known = matches!(fate, Fate::Twice);
        assert_eq!(said.code, Some(if known { 0 } else { 4 }), "{fate:?}: {said:?}");
        let again = renewd(folder, NOW, &["renew", &machine(number), "--request-id", "again", "--dry-run"]);
        assert_eq!(again.code, Some(i32::from(!known)), "{fate:?}: what is in doubt is frozen: {again:?}");
    }
    for now in LATER {
        _ = renewd(folder, now, &["run", "-o", "json"]);
        // The job that asked is started again, as after every failure.
        (0..fates.clone().count()).for_each(|number| drop(renew(folder, now, &machine(number))));
    }
    let orders = renewd(folder, LATER[3], &["orders", "list", "--all", "-o", "json"]).exits(0).json();
    let mut paid: BTreeMap<String, usize> = BTreeMap::new();
    for payment in standin.ledger().iter().filter(|payment| payment["status"] == "succeeded") {
        *paid.entry(payment["metadata"]["renewd_order"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    let orders: &Vec<Value> = orders["orders"].as_array().unwrap();
    assert_eq!(orders.len(), 1 + CUTS + OTHERS.len());
    for order in orders {
        assert_eq!(
            (&order["status"], paid.get(order["order"].as_str().unwrap())),
            (&"settled".into(), Some(&1)),
            "{order}"
        );
    }
    let listed = renewd(folder, LATER[3], &["list", "-o", "json"]).exits(0).json();
    for row in listed["resources"].as_array().unwrap() {
        assert!(row["expiry"].as_str().unwrap().starts_with("2027-01-10"), "{row}");
    }
}

#[test]
fn renewals_at_localstripe_that_are_cut_are_paid_once() {
    disturbed_renewals_are_paid_once(&LOCAL_STRIPE);
}

#[test]
fn renewals_at_the_stateful_mock_that_are_cut_are_paid_once() {
    disturbed_renewals_are_paid_once(&STATEFUL_MOCK);
}
