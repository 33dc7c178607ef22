//! What a gateway says of an attempt afterwards, and what follows: every pair of both as one line of
//! `golden/reconcile.txt`, and the times at which it is asked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod fixtures;

use chrono::{DateTime, Utc};
use fixtures::*;
use renewd_core::decide::*;
use renewd_core::event::Event;
use renewd_core::ids::OrderId;
use renewd_core::order::{FOLLOW_UPS, Outcome, Retry, follow_up, next_look};
use renewd_core::refusal::Reason;

const GOLDEN: &str = include_str!("golden/reconcile.txt");
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

type Prepare = fn(&mut World) -> OrderId;
type Say = fn(&World, &OrderId) -> Seen;

fn answered(world: &mut World, outcome: Outcome) -> OrderId {
    let order = world.place(&["phone-1"]);
    world.pay(&order, "card").unwrap();
    world.answer(&order, outcome).unwrap();
    order
}

fn resolved(world: &mut World) -> OrderId {
    let order = world.unknown_order(&["phone-1"]);
    world.resolve(&order, Resolution::Declined).unwrap();
    order
}

/// Looked at until it is believed.
fn believed(world: &mut World) -> OrderId {
    let order = world.doubted_order(&["phone-1"]);
    while let Some(next) = world.order(&order).attempts[0].next_check {
        world.now = next;
        world.look(&order, 1, Seen::NotFound).unwrap();
    }
    order
}

const ATTEMPTS: [(&str, Prepare); 9] = [
    ("unknown", |world| world.unknown_order(&["phone-1"])),
    ("unknown, with reference", |world| {
        answered(world, Outcome::Unknown { detail: "no answer".to_owned(), reference: Some("ch_1".to_owned()) })
    }),
    ("pending", |world| answered(world, pending())),
    ("requires-action", |world| answered(world, requires_action())),
    ("declined: not-found", |world| world.doubted_order(&["phone-1"])),
    ("declined: resolved", resolved),
    ("declined: not-found, believed", believed),
    ("declined by gateway", |world| answered(world, declined(Retry::Later))),
    ("late: order expired", |world| {
        let order = resolved(world);
        world.advance(3 * DAY);
        world.expire();
        order
    }),
];

fn not_found(_: &World, _: &OrderId) -> Seen {
    Seen::NotFound
}

/// What is said, how many seconds after the attempt began at the earliest.
const SAYINGS: [(&str, i64, Say); 12] = [
    ("found: succeeded", HOUR, |world, order| world.found(order, succeeded())),
    ("found: declined", HOUR, |world, order| world.found(order, declined(Retry::Never))),
    ("found: pending", HOUR, |world, order| world.found(order, pending())),
    ("found: requires-action", HOUR, |world, order| world.found(order, requires_action())),
    ("found: price-moved", HOUR, |world, order| world.found(order, Outcome::PriceMoved { actual: money("21 USD") })),
    ("found: unknown", HOUR, |world, order| world.found(order, unknown())),
    ("found: other total", HOUR, |world, order| {
        let Seen::Found(charge) = world.found(order, succeeded()) else { panic!() };
        Seen::Found(FoundCharge { amount: money("19.99 USD"), ..charge })
    }),
    ("found: other lines", HOUR, |world, order| {
        let Seen::Found(charge) = world.found(order, succeeded()) else { panic!() };
        Seen::Found(FoundCharge { line_keys: vec!["another".to_owned()], ..charge })
    }),
    ("not found, inside window", HOUR, not_found),
    ("not found, after window", VISIBILITY as i64, not_found),
    ("canceled", HOUR, |_, _| Seen::Canceled),
    ("cannot tell", HOUR, |_, _| Seen::CannotTell { detail: "503".to_owned() }),
];

fn event_word(event: &Event) -> &'static str {
    match event {
        Event::AttemptEnded { .. } => "ended",
        Event::AttemptChecked { .. } => "checked",
        Event::LateSuccess { .. } => "late-success",
        Event::RefundStarted { .. } => "refund",
        Event::OrderSettled { .. } => "settled",
        other => panic!("{other:?}"),
    }
}

fn outcome_word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::InFlight => "in-flight".to_owned(),
        Outcome::Succeeded { .. } => "succeeded".to_owned(),
        Outcome::Declined { code, .. } => format!("declined: {code}"),
        Outcome::Pending { .. } => "pending".to_owned(),
        Outcome::RequiresAction { .. } => "requires-action".to_owned(),
        Outcome::PriceMoved { .. } => "price-moved".to_owned(),
        Outcome::Unknown { reference: None, .. } => "unknown".to_owned(),
        Outcome::Unknown { reference: Some(_), .. } => "unknown, with reference".to_owned(),
    }
}

fn next_word(next: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    let Some(next) = next else { return "-".to_owned() };
    match (next - now).num_minutes() {
        0 => "now".to_owned(),
        minutes if minutes < 120 => format!("{minutes} min"),
        minutes => format!("{} h", minutes / 60),
    }
}

/// One line; none for a moment that cannot be: a window that had passed before the attempt was taken for declined.
fn line(attempt: &(&str, Prepare), saying: &(&str, i64, Say)) -> Option<String> {
    let mut world = World::new();
    let order = (attempt.1)(&mut world);
    let started = world.order(&order).attempts[0].started_at;
    let moment = started + chrono::TimeDelta::seconds(saying.1);
    if saying.0.ends_with("inside window") && moment < world.now {
        return None;
    }
    world.now = world.now.max(moment);
    let seen = (saying.2)(&world, &order);
    let events = world.look(&order, 1, seen).unwrap();
    let words: Vec<&str> = events.iter().map(event_word).collect();
    let words = if words.is_empty() { "-".to_owned() } else { words.join(" + ") };
    let row = world.order(&order);
    let frozen = if world.resource("phone-1").freeze.is_some() { "frozen" } else { "-" };
    let after = &row.attempts[0];
    assert_eq!(world.state.live.contains(&order), row.is_live());
    Some(format!(
        "{:30} | {:24} | {:21} | {:8} | {:6} | {:24} | {}",
        attempt.0,
        saying.0,
        words,
        row.status.as_str(),
        frozen,
        outcome_word(&after.outcome),
        next_word(after.next_check, world.now)
    ))
}

/// `UPDATE_EXPECT=1` writes the table anew; read the difference.
#[test]
fn every_look_has_its_line() {
    let head = format!(
        "{:30} | {:24} | {:21} | {:8} | {:6} | {:24} | {}",
        "attempt before", "the gateway says", "events", "order", "frozen", "attempt after", "next look"
    );
    let lines = ATTEMPTS.iter().flat_map(|attempt| SAYINGS.iter().filter_map(move |saying| line(attempt, saying)));
    let table: Vec<String> = std::iter::once(head).chain(lines).collect();
    assert!(table.len() > 100, "{} lines", table.len());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/reconcile.txt");
        std::fs::write(path, table.join("\n") + "\n").unwrap();
        return;
    }
    for (found, golden) in table.iter().zip(GOLDEN.lines()) {
        assert_eq!(found, golden);
    }
    assert_eq!(table.len(), GOLDEN.lines().count());
}

/// Rules that hold for all lines of the table, whatever it says.
#[test]
fn the_table_keeps_its_promises() {
    let rows: Vec<Vec<&str>> =
        GOLDEN.lines().skip(1).map(|line| line.split('|').map(str::trim).collect::<Vec<_>>()).collect();
    for row in &rows {
        let [before, says, events, order, frozen, after, next] = row.as_slice() else { panic!("{row:?}") };
        let declined = after.starts_with("declined");
        assert_eq!(*frozen == "frozen", *order == "unknown", "only what is unknown is frozen: {row:?}");
        if *says == "not found, inside window" && !before.starts_with("declined") && !before.starts_with("late") {
            assert!(!declined, "a decline inside the window: {row:?}");
        }
        if matches!(*before, "unknown, with reference" | "pending" | "requires-action") && says.starts_with("not found")
        {
            assert!(!declined, "an acknowledged charge that is not found: {row:?}");
        }
        if says.starts_with("found: other") || *says == "cannot tell" {
            assert!(matches!(*events, "checked" | "-"), "nobody can tell: {row:?}");
        }
        if *after == "unknown" || *after == "pending" || *after == "requires-action" {
            assert_ne!(*next, "-", "an undecided attempt is looked at again: {row:?}");
        }
    }
}

// ---- times

#[test]
fn an_undecided_attempt_is_looked_at_after_5_minutes_an_hour_and_then_daily() {
    for outcome in [pending(), unknown()] {
        let mut world = World::new();
        let order = answered(&mut world, outcome.clone());
        assert_eq!(world.order(&order).attempts[0].next_check, Some(world.now), "at once");
        for (checks, wait) in [(1, 5 * MINUTE), (2, HOUR), (3, DAY), (4, DAY), (5, DAY)] {
            world.look(&order, 1, Seen::CannotTell { detail: "503".to_owned() }).unwrap();
            let attempt = &world.order(&order).attempts[0];
            let next = world.now + chrono::TimeDelta::seconds(wait);
            assert_eq!((attempt.checks, attempt.next_check), (checks, Some(next)), "{outcome:?}");
            world.now = next;
        }
    }
}

/// Whoever did not act in time held the order open for most of another day, until the next daily look.
#[test]
fn what_waits_for_a_person_is_looked_at_when_its_time_has_come() {
    let mut world = World::new();
    let order = answered(&mut world, requires_action());
    let expires = at("2026-11-02T00:00:00Z");
    let mut looks = Vec::new();
    while world.now < expires {
        world.look(&order, 1, Seen::CannotTell { detail: "503".to_owned() }).unwrap();
        world.now = world.order(&order).attempts[0].next_check.unwrap();
        looks.push(world.now);
    }
    assert_eq!(looks.last(), Some(&expires));
    world.look(&order, 1, Seen::CannotTell { detail: "503".to_owned() }).unwrap();
    assert_eq!(world.order(&order).attempts[0].next_check, Some(expires + chrono::TimeDelta::days(1)));
}

/// A change of what is known begins anew: what became pending is not looked at only once a day.
#[test]
fn a_new_outcome_starts_the_waits_again() {
    let mut world = World::new();
    let order = answered(&mut world, unknown());
    for _ in 0..4 {
        world.look(&order, 1, Seen::CannotTell { detail: "503".to_owned() }).unwrap();
    }
    let seen = world.found(&order, pending());
    world.look(&order, 1, seen).unwrap();
    let attempt = &world.order(&order).attempts[0];
    assert_eq!((attempt.checks, attempt.next_check), (0, Some(world.now)));
}

#[test]
fn a_presumed_decline_is_followed_for_eleven_days_and_then_believed() {
    let mut world = World::new();
    let order = world.doubted_order(&["phone-1"]);
    let declined_at = world.now;
    let mut after = Vec::new();
    while let Some(next) = world.order(&order).attempts[0].next_check {
        world.now = next;
        world.look(&order, 1, Seen::NotFound).unwrap();
        after.push((next - declined_at).num_hours());
    }
    assert_eq!(after, [1, 25, 97, 265]);
    assert_eq!(after.len() as u32, FOLLOW_UPS);
    world.expire();
    assert!(world.state.live.is_empty());
    assert_eq!(world.look(&order, 1, Seen::NotFound), Ok(Vec::new()), "a believed decline is not asked for again");
}

/// Two processes asked at once: the one that was told "not found" believed it, and then the other one wrote what it had
/// been shown.
#[test]
fn what_a_gateway_showed_counts_although_another_process_has_just_believed_the_decline() {
    let expired = || {
        let mut world = World::new();
        let order = believed(&mut world);
        world.expire();
        assert!(world.state.live.is_empty());
        (world, order)
    };
    let (mut world, order) = expired();
    let seen = world.found(&order, succeeded());
    let events = world.look(&order, 1, seen.clone()).unwrap();
    assert!(matches!(events.as_slice(), [Event::LateSuccess { .. }, Event::RefundStarted { .. }]), "{events:?}");
    assert_eq!(world.look(&order, 1, seen), Ok(Vec::new()), "it goes back once");
    for shown in [pending(), unknown()] {
        let (mut world, order) = expired();
        let seen = world.found(&order, shown.clone());
        world.look(&order, 1, seen).unwrap();
        assert!(world.order(&order).attempts[0].next_check.is_some(), "{shown:?}: it is asked for until it has ended");
        assert!(world.state.live.contains(&order));
        let declined = world.found(&order, Outcome::declined("card-declined", "no", Retry::Later));
        world.look(&order, 1, declined.clone()).unwrap();
        assert_eq!(world.order(&order).attempts[0].next_check, None);
        assert_eq!(world.look(&order, 1, declined), Ok(Vec::new()), "a decline says nothing new");
    }
}

/// Looks at a gateway that is down prove nothing, however many there were.
#[test]
fn a_presumed_decline_is_not_believed_because_the_gateway_was_down() {
    let mut world = World::new();
    let order = world.doubted_order(&["phone-1"]);
    for _ in 0..6 {
        world.look(&order, 1, Seen::CannotTell { detail: "503".to_owned() }).unwrap();
    }
    world.advance(HOUR);
    world.look(&order, 1, Seen::NotFound).unwrap();
    assert!(world.order(&order).attempts[0].next_check.is_some(), "too young to be believed");
    world.advance(11 * DAY);
    world.look(&order, 1, Seen::NotFound).unwrap();
    assert_eq!(world.order(&order).attempts[0].next_check, None);
}

/// "Not found" until one second before the window ends is no decline; the look comes no later than its end.
#[test]
fn not_found_is_a_decline_from_the_end_of_the_window_on() {
    let mut world = World::new();
    let order = world.unknown_order(&["phone-1"]);
    let visible = world.now + chrono::TimeDelta::seconds(VISIBILITY as i64);
    for checks in 0..5 {
        world.look(&order, 1, Seen::NotFound).unwrap();
        let next = world.order(&order).attempts[0].next_check.unwrap();
        assert_eq!(next, visible.min(next_look(world.now, checks)));
    }
    world.now = visible - chrono::TimeDelta::seconds(1);
    world.look(&order, 1, Seen::NotFound).unwrap();
    assert_eq!((world.status(&order), world.order(&order).attempts[0].next_check), ("unknown", Some(visible)));
    world.now = visible;
    world.look(&order, 1, Seen::NotFound).unwrap();
    assert_eq!(world.status(&order), "placed");
    assert_eq!(world.order(&order).attempts[0].next_check, follow_up(visible, 0));
}

/// Once a gateway has acknowledged a charge, that it does not know it later is no decline.
#[test]
fn an_acknowledged_charge_is_never_taken_for_declined_because_it_is_not_found() {
    let mut world = World::new();
    let order = world.unknown_order(&["phone-1"]);
    let seen = world.found(&order, unknown());
    world.look(&order, 1, seen).unwrap();
    world.advance(30 * DAY);
    world.look(&order, 1, Seen::NotFound).unwrap();
    assert_eq!(world.status(&order), "unknown");
}

#[test]
fn a_window_without_end_never_ends() {
    let mut world = World::new();
    let order = world.unknown_order(&["phone-1"]);
    world.advance(10_000 * DAY);
    for visibility_seconds in [u64::MAX, i64::MAX as u64, 9_000_000_000_000] {
        let look = Look { order: &order, number: 1, seen: Seen::NotFound, visibility_seconds, owner: "p" };
        let events = reconcile(&world.state, look, world.now).unwrap();
        assert!(matches!(events.as_slice(), [Event::AttemptChecked { next: Some(_), .. }]), "{events:?}");
    }
}

#[test]
fn only_what_has_been_asked_for_can_be_looked_at() {
    let mut world = World::new();
    let order = world.place(&["phone-1"]);
    assert_eq!(reason(world.look(&order, 1, Seen::NotFound)), Reason::OrderState, "no attempt");
    world.pay(&order, "card").unwrap();
    assert_eq!(reason(world.look(&order, 1, Seen::NotFound)), Reason::OrderState, "it is under way");
    assert_eq!(reason(world.look(&OrderId::new("ord_none").unwrap(), 1, Seen::NotFound)), Reason::NoOrder);
}

#[test]
fn a_charge_without_line_keys_is_judged_by_its_total() {
    let mut world = World::new();
    let order = world.unknown_order(&["phone-1", "phone-2"]);
    let Seen::Found(charge) = world.found(&order, succeeded()) else { panic!() };
    let bare = FoundCharge { line_keys: Vec::new(), ..charge.clone() };
    assert_eq!(bare.differs_from(world.order(&order)), None);
    let fewer = FoundCharge { line_keys: vec![charge.line_keys[0].clone()], ..charge.clone() };
    assert!(fewer.differs_from(world.order(&order)).unwrap().contains("other lines"));
    let turned = FoundCharge { line_keys: charge.line_keys.iter().rev().cloned().collect(), ..charge.clone() };
    assert_eq!(turned.differs_from(world.order(&order)), None);
    let euros = FoundCharge { amount: money("40 EUR"), ..charge };
    assert!(euros.differs_from(world.order(&order)).unwrap().contains("40.00 EUR"));
}
