//! Orders: what was agreed is charged once or not at all.

use renewd_tests::world::{PRICES, World, item, machines, verdicts};

/// Places an unpaid order over all machines and names it.
fn placed(world: &World) -> String {
    let answer = world.json(0, ["renew", "--all", "--request-id", "first", "--yes", "--pay-later"]);
    assert_eq!(verdicts(&answer).keys().collect::<Vec<_>>(), ["placed"]);
    item(&answer, "vm-001")["order"].as_str().expect("an order").to_owned()
}

fn status(world: &World, order: &str) -> String {
    let orders = world.orders();
    let found = orders.iter().find(|it| it["order"] == order).unwrap_or_else(|| panic!("no {order} in {orders:?}"));
    found["status"].as_str().unwrap().to_owned()
}

#[test]
fn an_order_is_paid_once() {
    let world = World::with_machines(&machines(3, "2026-12-10"));
    let order = placed(&world);
    world.run(["orders", "pay", &order, "--yes"]).exits(0);
    let (expiry, sequence) = (world.expiry("vm-001"), world.sequence());
    assert_eq!(expiry, "2027-01-10T23:59:59+08:00");
    world.run(["orders", "pay", &order, "--yes"]).exits(1);
    assert_eq!((world.expiry("vm-001"), world.sequence()), (expiry, sequence));
}

#[test]
fn a_stale_quote_is_refused_and_nothing_is_charged() {
    let mut world = World::with_machines(&machines(2, "2026-12-10"));
    world.run(["renew", "--all", "--dry-run", "--out", "quote.json"]).exits(0);
    world.set_clock("2026-11-24T09:00:01Z");
    let sequence = world.sequence();
    let answer = world.run(["renew", "--quote", "quote.json", "--yes", "-o", "json"]).exits(1);
    answer.says("stale-quote");
    assert_eq!(world.sequence(), sequence);
    assert!(world.orders().is_empty());
}

#[test]
fn a_fresh_quote_is_accepted_once() {
    let world = World::with_machines(&machines(2, "2026-12-10"));
    world.run(["renew", "--all", "--dry-run", "--out", "quote.json"]).exits(0);
    world.run(["renew", "--quote", "quote.json", "--yes"]).exits(0);
    assert_eq!(world.expiry("vm-002"), "2027-01-10T23:59:59+08:00");
    let _ = world.run(["renew", "--quote", "quote.json", "--yes"]);
    assert_eq!(world.expiry("vm-002"), "2027-01-10T23:59:59+08:00");
}

#[test]
fn a_price_that_changed_between_quote_and_renewal_is_refused() {
    let world = World::with_machines(&machines(2, "2026-12-10"));
    world.run(["renew", "--all", "--dry-run", "--out", "quote.json"]).exits(0);
    world.write("policies/prices.yaml", &PRICES.replace("10.00", "10.50"));
    world.run(["apply", "policies"]).exits(0);
    let answer = world.json(1, ["renew", "--quote", "quote.json", "--yes"]);
    assert_eq!(item(&answer, "vm-001")["reason"], "price-changed");
    assert_eq!(world.expiry("vm-001"), "2026-12-10T23:59:59+08:00");
}

#[test]
fn a_price_that_changed_between_order_and_payment_is_refused() {
    let world = World::with_machines(&machines(2, "2026-12-10"));
    let order = placed(&world);
    world.write("policies/prices.yaml", &PRICES.replace("10.00", "10.50"));
    world.run(["apply", "policies"]).exits(0);
    world.run(["orders", "pay", &order, "--yes", "-o", "json"]).exits(1).says("price-changed");
    assert_eq!(world.expiry("vm-001"), "2026-12-10T23:59:59+08:00");
    assert_eq!(status(&world, &order), "placed", "nothing was charged, the order can still be paid or canceled");
}

#[test]
fn a_second_renew_adopts_the_open_order() {
    let world = World::with_machines(&machines(3, "2026-12-10"));
    let order = placed(&world);
    let answer = world.json(0, ["renew", "--all", "--request-id", "first", "--yes"]);
    assert_eq!(item(&answer, "vm-001")["order"], order);
    assert_eq!(verdicts(&answer)["renewed"], 3);
    assert_eq!(world.orders().len(), 1);
    assert_eq!(world.expiry("vm-001"), "2027-01-10T23:59:59+08:00");
}

/// A declined order was shown as declined in the quote of the next `renew`, which therefore had nothing to pay and
/// repeated the old decline without a new attempt.
#[test]
fn renewing_again_after_a_decline_makes_a_new_attempt() {
    let world = World::with_machines(&machines(1, "2026-12-10"));
    let renew = ["renew", "--all", "--request-id", "first", "--pay-with", "balance", "--yes"];
    let declined = world.json(1, renew);
    assert_eq!(item(&declined, "vm-001")["reason"], "insufficient-balance");
    world.run(["orders", "topup", "acme", "50 USD", "--reference", "bank-1"]).exits(0);
    let renewed = world.json(0, renew);
    assert_eq!(item(&renewed, "vm-001")["verdict"], "renewed");
    assert_eq!(item(&renewed, "vm-001")["order"], item(&declined, "vm-001")["order"]);
    assert_eq!(world.orders().len(), 1);
}

#[test]
fn a_renew_that_cannot_adopt_names_the_open_order() {
    let world = World::with_machines(&machines(3, "2026-12-10"));
    let order = placed(&world);
    let answer = world.json(1, ["renew", "vm-001", "--request-id", "second", "--term", "P3M", "--yes"]);
    let refused = item(&answer, "vm-001");
    assert_eq!(refused["reason"], "open-order");
    let hint = refused["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("orders pay") && hint.contains("orders cancel"), "{refused}");
    assert_eq!(status(&world, &order), "placed");
}

#[test]
fn a_canceled_order_can_neither_be_paid_nor_block() {
    let world = World::with_machines(&machines(2, "2026-12-10"));
    let order = placed(&world);
    world.run(["orders", "cancel", &order]).exits(0);
    world.run(["orders", "pay", &order, "--yes"]).exits(1);
    assert_eq!(world.expiry("vm-001"), "2026-12-10T23:59:59+08:00");
    world.run(["renew", "--all", "--request-id", "second", "--yes"]).exits(0);
    assert_eq!(world.expiry("vm-001"), "2027-01-10T23:59:59+08:00");
}

#[test]
fn an_unpaid_order_expires_after_72_hours() {
    let mut world = World::with_machines(&machines(2, "2026-12-10"));
    let order = placed(&world);
    world.set_clock("2026-11-26T09:00:01Z");
    world.run(["orders", "pay", &order, "--yes"]).exits(1);
    assert_eq!(status(&world, &order), "expired");
    assert_eq!(world.expiry("vm-001"), "2026-12-10T23:59:59+08:00");
}

#[test]
fn over_a_limit_an_order_is_held_until_approved() {
    let world = World::new();
    let limited = format!("{}  limits: {{ perOrder: 25 USD }}\n", renewd_tests::world::POLICY);
    world.write("policies/policy.yaml", &limited);
    world.write("fleet.csv", &renewd_tests::world::inventory(&machines(3, "2026-12-10")));
    world.run(["apply", "policies", "--resources", "fleet.csv"]).exits(0);
    let answer = world.json(4, ["renew", "--all", "--request-id", "all", "--yes"]);
    assert_eq!(verdicts(&answer)["held"], 3);
    let order = item(&answer, "vm-001")["order"].as_str().unwrap().to_owned();
    let _ = world.run(["orders", "pay", &order, "--yes"]);
    assert_eq!(world.expiry("vm-001"), "2026-12-10T23:59:59+08:00", "a held order is not paid");
    world.run(["orders", "approve", &order]).exits(0);
    world.run(["orders", "pay", &order, "--yes"]).exits(0);
    assert_eq!(world.expiry("vm-001"), "2027-01-10T23:59:59+08:00");
}

#[test]
fn a_top_up_with_the_same_reference_changes_nothing_and_with_another_amount_is_refused() {
    let world = World::with_machines(&machines(1, "2026-12-10"));
    world.run(["orders", "topup", "acme", "50.00 USD", "--reference", "wire-1"]).exits(0);
    let sequence = world.sequence();
    world.run(["orders", "topup", "acme", "50.00 USD", "--reference", "wire-1"]).exits(0);
    assert_eq!(world.sequence(), sequence);
    world.run(["orders", "topup", "acme", "60.00 USD", "--reference", "wire-1"]).exits(1);
    assert_eq!(world.sequence(), sequence);
}

#[test]
fn the_prepaid_balance_pays_what_it_holds_and_no_more() {
    let world = World::new();
    world.write("policies/account.yaml", &renewd_tests::world::ACCOUNT.replace("on-account", "balance"));
    world.write("fleet.csv", &renewd_tests::world::inventory(&machines(2, "2026-12-10")));
    world.run(["apply", "policies", "--resources", "fleet.csv"]).exits(0);
    world.run(["orders", "topup", "acme", "15.00 USD", "--reference", "wire-1"]).exits(0);
    world.run(["renew", "vm-001", "--request-id", "a", "--yes"]).exits(0);
    let declined = world.json(1, ["renew", "vm-002", "--request-id", "b", "--yes"]);
    assert_eq!(item(&declined, "vm-002")["verdict"], "declined");
    let account = world.json(0, ["show", "acme"]);
    assert_eq!(account["balance"]["amount"], "5.00", "{account}");
    assert_eq!(world.expiry("vm-002"), "2026-12-10T23:59:59+08:00");
}
