//! Refunds: money goes back once, at most what was paid, and the resource has its expiry from before.

use super::due::{DUE, EXPIRY, RENEWED, auto, from_balance, order, top_up};
use renewd_tests::world::{POLICY, World, item, machines};
use serde_json::Value;

/// Renews all machines in one order and names it.
#[track_caller]
fn renewed(world: &World, request: &str) -> String {
    let answer = world.json(0, ["renew", "--all", "--request-id", request, "--yes"]);
    item(&answer, "vm-001")["order"].as_str().unwrap().to_owned()
}

fn balance(world: &World) -> String {
    world.json(0, ["show", "acme"])["balance"]["amount"].as_str().unwrap().to_owned()
}

/// Number, resource, amount and outcome of each refund.
fn refunds(order: &Value) -> Vec<(u64, String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = order["refunds"].as_array().unwrap_or_else(|| panic!("no refunds in {order}"));
    all.iter()
        .map(|it| {
            (it["number"].as_u64().unwrap(), text(&it["resource"]), text(&it["amount"]["amount"]), text(&it["outcome"]))
        })
        .collect()
}

#[test]
fn a_whole_order_goes_back_with_its_expiries() {
    let world = World::with_machines(&machines(2, "2026-12-10"));
    let id = renewed(&world, "first");
    let answer = world.json(0, ["orders", "refund", &id, "--reason", "ordered twice", "--yes"]);
    let told: Vec<String> =
        refunds(&answer).into_iter().map(|(_, of, sum, word)| format!("{of} {sum} {word}")).collect();
    assert_eq!(told, ["vm-001 10.00 refunded", "vm-002 10.00 refunded"], "{answer}");
    assert_eq!((world.expiry("vm-001").as_str(), world.expiry("vm-002").as_str()), (EXPIRY, EXPIRY));
    world.run(["show", &id]).says("refunded").says("ordered twice");
    world.run(["orders", "list", "--all"]).says("settled, refunded");
    let again = renewed(&world, "second");
    assert_ne!(id, again, "what was undone can be renewed again");
    assert_eq!(world.expiry("vm-001"), RENEWED);
    world.verify();
}

#[test]
fn the_rest_of_an_order_goes_back_after_one_of_its_lines() {
    let world = World::with_machines(&machines(3, "2026-12-10"));
    let id = renewed(&world, "first");
    world
        .run(["orders", "refund", &id, "--line", "vm-001", "--amount", "4 USD", "--reason", "a part", "--yes"])
        .exits(0);
    world.run(["orders", "refund", &id, "--line", "vm-002", "--reason", "one", "--yes"]).exits(0);
    let answer = world.json(0, ["orders", "refund", &id, "--reason", "the rest", "--yes"]);
    let told: Vec<String> = refunds(&answer).into_iter().map(|(_, of, sum, _)| format!("{of} {sum}")).collect();
    assert_eq!(told, ["vm-001 4.00", "vm-002 10.00", "vm-001 6.00", "vm-003 10.00"], "{answer}");
    let again = world.failure(1, ["orders", "refund", &id, "--reason", "again", "--yes"]);
    assert_eq!(again["error"]["code"], "nothing-to-refund", "{again}");
}

#[test]
fn what_was_paid_from_the_balance_goes_back_to_it() {
    let world = from_balance(POLICY, &machines(2, "2026-12-10"));
    top_up(&world, "25 USD", "wire-1");
    let id = renewed(&world, "first");
    assert_eq!(balance(&world), "5.00");
    world.run(["orders", "refund", &id, "--line", "vm-002", "--reason", "returned", "--yes"]).exits(0);
    assert_eq!(balance(&world), "15.00");
    assert_eq!((world.expiry("vm-001").as_str(), world.expiry("vm-002").as_str()), (RENEWED, EXPIRY));
    let sequence = world.sequence();
    let twice = world.failure(1, ["orders", "refund", &id, "--line", "vm-002", "--reason", "returned", "--yes"]);
    assert_eq!(twice["error"]["code"], "nothing-to-refund", "{twice}");
    assert_eq!((balance(&world).as_str(), world.sequence()), ("15.00", sequence));
}

#[test]
fn a_part_goes_back_and_later_the_rest_but_no_more() {
    let world = from_balance(POLICY, &machines(1, "2026-12-10"));
    top_up(&world, "10 USD", "wire-1");
    let id = renewed(&world, "first");
    let refund = |amount: &str, code: i32| {
        world.run(["orders", "refund", &id, "--amount", amount, "--reason", "goodwill", "--yes"]).exits(code)
    };
    refund("4 USD", 0);
    assert_eq!((balance(&world).as_str(), world.expiry("vm-001").as_str()), ("4.00", EXPIRY));
    refund("6.01 USD", 1).says("6.00 USD of 10.00 USD can be given back");
    refund("1 EUR", 1);
    refund("0 USD", 1);
    refund("six", 3);
    refund("6 USD", 0);
    refund("0.01 USD", 1);
    assert_eq!(balance(&world), "10.00");
    assert_eq!(refunds(&order(&world, &id)).len(), 2);
}

#[test]
fn what_cannot_go_back_is_refused() {
    let world = World::with_machines(&machines(2, "2026-12-10"));
    let id = renewed(&world, "first");
    for (code, args) in [
        (64, ["orders", "refund", &id, "--reason", "no yes", "-q"]),
        (64, ["orders", "refund", &id, "--yes", "-q", "-q"]),
        (3, ["orders", "refund", &id, "--reason", " ", "--yes"]),
        (3, ["orders", "refund", "ord_1", "--reason", "no such", "--yes"]),
    ] {
        world.run(args).exits(code);
    }
    world.run(["orders", "refund", &id, "--line", "vm-009", "--reason", "r", "--yes"]).exits(1).says("vm-009");
    world.run(["orders", "refund", &id, "--amount", "1 USD", "--reason", "r", "--yes"]).exits(3).says("--line");
    assert_eq!(refunds(&order(&world, &id)), []);
    assert_eq!(world.expiry("vm-001"), RENEWED);
}

/// An older renewal cannot be taken from under a newer one.
#[test]
fn only_the_newest_renewal_of_a_resource_goes_back() {
    let world = World::with_machines(&machines(1, "2026-12-10"));
    let (older, newer) = (renewed(&world, "first"), renewed(&world, "second"));
    let error = world.failure(1, ["orders", "refund", &older, "--reason", "r", "--yes"]);
    assert_eq!(error["error"]["code"], "expiry-moved", "{error}");
    world.run(["orders", "refund", &newer, "--reason", "r", "--yes"]).exits(0);
    assert_eq!(world.expiry("vm-001"), RENEWED);
    world.run(["orders", "refund", &older, "--reason", "r", "--yes"]).exits(0);
    assert_eq!(world.expiry("vm-001"), EXPIRY);
}

#[test]
fn an_unpaid_order_has_nothing_to_give_back() {
    let world = World::with_machines(&machines(1, "2026-12-10"));
    let answer = world.json(0, ["renew", "--all", "--request-id", "r", "--yes", "--pay-later"]);
    let id = item(&answer, "vm-001")["order"].as_str().unwrap().to_owned();
    let error = world.failure(1, ["orders", "refund", &id, "--reason", "r", "--yes"]);
    assert_eq!(error["error"]["code"], "order-state", "{error}");
}

/// A refund of an automatic renewal was charged again by the next run.
#[test]
fn a_refunded_automatic_renewal_stays_refunded() {
    let mut world = from_balance(&auto(""), &machines(1, "2026-12-10"));
    top_up(&world, "20 USD", "wire-1");
    world.set_clock(DUE);
    let run = world.json(0, ["run"]);
    let id = item(&run, "vm-001")["order"].as_str().unwrap().to_owned();
    world.run(["orders", "refund", &id, "--reason", "not wanted", "--yes"]).exits(0).says("renewd mode policy");
    for now in [DUE, "2026-12-03T19:00:00Z"] {
        world.set_clock(now);
        let again = world.json(0, ["run"]);
        assert_eq!(again["charged"], serde_json::json!({}), "{again}");
    }
    assert_eq!(world.json(0, ["list", "vm-001"])["resources"][0]["mode"], "manual");
    assert_eq!((world.expiry("vm-001").as_str(), balance(&world).as_str()), (EXPIRY, "20.00"));
}
