//! `run --group`: as few orders as there can be, and not a resource less is renewed than if each had its own.

use super::due::{DUE, EXPIRY, RENEWED, auto, charged, from_balance, is_done, order, order_of, top_up, verdict, world};
use renewd_tests::world::{Machine, World, machines, verdicts};

/// Three machines, the last row of the inventory expiring first.
fn fleet() -> [Machine; 3] {
    [Machine::new("late", "2026-12-10"), Machine::new("mid", "2026-12-09"), Machine::new("first", "2026-12-08")]
}

fn lines(world: &World) -> Vec<u64> {
    let mut lines: Vec<u64> = world.orders().iter().map(|order| order["lineCount"].as_u64().unwrap()).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn grouped_renewals_are_one_order() {
    let mut world = world(&auto(""), &machines(3, "2026-12-10"));
    world.set_clock(DUE);
    let run = world.json(0, ["run", "--group"]);
    assert_eq!(verdicts(&run)["renewed"], 3, "{run}");
    assert_eq!(world.orders().len(), 1);
    is_done(&world);
}

/// One line left automatic renewal, and the order of all stood still until they lapsed.
#[test]
fn what_is_due_does_not_wait_for_a_line_that_is_no_longer_automatic() {
    let mut world = from_balance(&auto(""), &machines(3, "2026-12-10"));
    world.set_clock(DUE);
    let first = world.json(1, ["run", "--group"]);
    assert_eq!(verdicts(&first)["declined"], 3, "{first}");
    let dead = order_of(&first, "vm-001");
    world.run(["mode", "manual", "vm-002", "--yes"]).exits(0);
    top_up(&world, "30 USD", "wire-1");
    world.set_clock("2026-12-03T19:00:00Z");
    let run = world.json(0, ["run", "--group"]);
    assert_eq!((charged(&run), verdicts(&run)["renewed"]), ("20.00", 2), "{run}");
    assert_eq!(
        (order(&world, &dead)["status"].as_str(), order_of(&run, "vm-001")),
        (Some("canceled"), order_of(&run, "vm-003"))
    );
    assert_eq!((world.expiry("vm-003").as_str(), world.expiry("vm-002").as_str()), (RENEWED, EXPIRY));
    is_done(&world);
    world.verify();
}

/// An order of all was over the limit of the month, so that none was renewed.
#[test]
fn a_limit_holds_what_expires_last_and_not_the_whole_order() {
    for limits in ["perMonth: 20 USD", "perMonth: 25 USD, perOrder: 20 USD"] {
        let mut world = world(&auto(&format!("  limits: {{ {limits} }}\n")), &fleet());
        world.set_clock(DUE);
        world.run(["plan", "policies"]).says("next run charges 2 resources, 20.00 USD");
        let run = world.json(4, ["run", "--group"]);
        assert_eq!(verdict(&run, "late"), ("held".to_owned(), "over-month-limit".to_owned()), "{limits}: {run}");
        assert_eq!((charged(&run), lines(&world)), ("20.00", vec![1, 2]), "{limits}: {run}");
        assert_eq!((verdict(&run, "first").0.as_str(), verdict(&run, "mid").0.as_str()), ("renewed", "renewed"));
    }
}

#[test]
fn an_order_has_no_more_than_one_order_may() {
    let mut world = world(&auto("  limits: { perOrder: 20 USD }\n"), &fleet());
    world.set_clock(DUE);
    let run = world.json(0, ["run", "--group"]);
    assert_eq!((charged(&run), lines(&world)), ("30.00", vec![1, 2]), "{run}");
}

#[test]
fn a_sum_is_charged_as_far_as_it_goes() {
    let mut world = world(&auto(""), &fleet());
    world.set_clock(DUE);
    let run = world.json(7, ["run", "--group", "--max-charge", "25 USD"]);
    assert_eq!(verdict(&run, "late"), ("refused".to_owned(), "over-max-charge".to_owned()), "{run}");
    assert_eq!((charged(&run), lines(&world)), ("20.00", vec![1, 2]), "{run}");
    // What waits from before has its place among what is due.
    assert_eq!(charged(&world.json(0, ["run", "--group", "--max-charge", "10 USD"])), "10.00");
    is_done(&world);
}
