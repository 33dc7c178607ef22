//! Batches: each resource has its own verdict, and `--atomic` is all or nothing.

use renewd_tests::world::{Machine, World, item, machines, verdicts};

/// 197 machines that can be renewed, and three that cannot.
fn batch_of_200() -> Vec<Machine> {
    let mut fleet = machines(197, "2026-12-10");
    fleet.push(Machine::new("vm-gone", "2026-10-01"));
    fleet.push(Machine { kind: "other".to_owned(), ..Machine::new("vm-uncovered", "2026-12-10") });
    fleet.push(Machine { renewable: false, ..Machine::new("vm-fixed", "2026-12-10") });
    fleet
}

const REASONS: [(&str, &str); 3] =
    [("vm-gone", "released"), ("vm-uncovered", "no-policy"), ("vm-fixed", "not-renewable")];

#[test]
fn a_batch_of_200_with_3_unrenewable_renews_197_and_exits_7() {
    let world = World::with_machines(&batch_of_200());
    let answer = world.json(7, ["renew", "--all", "--request-id", "batch", "--yes"]);
    let counts = verdicts(&answer);
    assert_eq!((counts["renewed"], counts["refused"]), (197, 3), "{counts:?}");
    for (resource, reason) in REASONS {
        assert_eq!(item(&answer, resource)["reason"], reason);
    }
    assert_eq!(world.orders().len(), 2, "at most 100 lines an order");
    assert_eq!(world.expiry("vm-001"), "2027-01-10T23:59:59+08:00");
    assert_eq!(world.expiry("vm-fixed"), "2026-12-10T23:59:59+08:00");
    world.verify();
}

#[test]
fn an_atomic_batch_with_unrenewable_resources_renews_none_and_exits_1() {
    let mut fleet = batch_of_200();
    fleet.truncate(97);
    fleet.extend(batch_of_200().split_off(197));
    let world = World::with_machines(&fleet);
    let sequence = world.sequence();
    let answer = world.json(1, ["renew", "--all", "--request-id", "batch", "--yes", "--atomic"]);
    let counts = verdicts(&answer);
    assert_eq!(counts.get("renewed"), None, "{counts:?}");
    for (resource, reason) in REASONS {
        assert_eq!(item(&answer, resource)["reason"], reason);
    }
    assert!(world.orders().is_empty());
    assert_eq!(world.sequence(), sequence);
}

#[test]
fn an_atomic_batch_of_200_is_refused_and_renews_none() {
    let world = World::with_machines(&batch_of_200());
    world.run(["renew", "--all", "--request-id", "batch", "--yes", "--atomic"]).exits(1);
    assert!(world.orders().is_empty());
}

#[test]
fn an_atomic_batch_that_can_be_renewed_is_renewed() {
    let world = World::with_machines(&machines(20, "2026-12-10"));
    let answer = world.json(0, ["renew", "--all", "--request-id", "batch", "--yes", "--atomic"]);
    assert_eq!(verdicts(&answer)["renewed"], 20);
}

#[test]
fn every_item_names_its_arithmetic() {
    let world = World::with_machines(&machines(1, "2026-12-10"));
    let answer = world.json(0, ["renew", "vm-001", "--align", "--dry-run"]);
    let item = item(&answer, "vm-001");
    assert_eq!(item["oldExpiry"], "2026-12-10T23:59:59+08:00");
    assert_eq!(item["base"], "2027-01-10T23:59:59+08:00");
    assert_eq!(item["newExpiry"], "2027-01-15T23:59:59+08:00");
    assert_eq!(item["extraDays"], 5);
    assert_eq!(item["fraction"], "5/31");
    // 10.00 for the month, 10.00 × 5/31 = 1.6129… for the days.
    assert_eq!(item["total"]["amount"], "11.61");
    assert_eq!(item["total"]["currency"], "USD");
    assert_eq!(answer["formatVersion"], 1);
}
