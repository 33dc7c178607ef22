//! What time brings: phases, the end of a term, release, and the moments and methods of automatic renewal.

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
use renewd_core::calendar::{Expiry, auto_charge_at, next_auto_try};
use renewd_core::cover::{Cover, ModeSource, mode_of};
use renewd_core::decide::*;
use renewd_core::documents::{Mode, Overrides};
use renewd_core::event::Event;
use renewd_core::ids::{MethodName, OrderId};
use renewd_core::order::*;
use renewd_core::quote::Wish;
use renewd_core::refusal::Reason;
use renewd_core::resource::{Freeze, ModeOverride, Phase};

/// 7, 15 and 15 days around 20 November, 23:59:59 in Singapore.
const EXPIRING: &str = "2026-11-13T15:59:59Z";
const EXPIRY: &str = "2026-11-20T15:59:59Z";
const RETENTION: &str = "2026-12-05T15:59:59Z";
const RELEASED: &str = "2026-12-20T15:59:59Z";

fn word(event: &Event) -> String {
    match event {
        Event::PhaseEntered { phase, .. } => phase.to_string(),
        Event::ResourceConverted { .. } => "converted".to_owned(),
        Event::ResourceEnded { .. } => "ended".to_owned(),
        other => panic!("{other:?}"),
    }
}

impl World {
    /// `run` notes what time has done to phone-1.
    fn pass(&mut self, moment: &str, mode: Mode) -> String {
        self.now = at(moment);
        let events = time_passes(self.resource("phone-1"), mode, self.now);
        self.apply(&events);
        assert_eq!(time_passes(self.resource("phone-1"), mode, self.now), [], "twice at {moment}");
        events.iter().map(word).collect::<Vec<_>>().join(" + ")
    }
}

fn before(moment: &str) -> String {
    (at(moment) - chrono::TimeDelta::seconds(1)).to_rfc3339()
}

#[test]
fn each_phase_is_entered_once_at_its_instant() {
    let steps = [(EXPIRING, "expiring"), (EXPIRY, "grace"), (RETENTION, "retention"), (RELEASED, "released")];
    for mode in [Mode::Manual, Mode::Auto] {
        let mut world = World::new();
        for (moment, phase) in steps {
            assert_eq!(world.pass(&before(moment), mode), "", "before {phase}");
            assert_eq!(world.pass(moment, mode), phase);
        }
        assert_eq!(world.pass("2030-01-01T00:00:00Z", mode), "", "for ever");
    }
}

/// Mode, what was noted before, moment, events. A run that comes late notes where it finds itself.
#[test]
fn a_run_that_comes_late_jumps() {
    let cases = [
        (Mode::Manual, None, EXPIRY, "grace"),
        (Mode::Manual, None, RETENTION, "retention"),
        (Mode::Manual, None, RELEASED, "released"),
        (Mode::Auto, Some(EXPIRING), RELEASED, "released"),
        (Mode::Expire, None, EXPIRING, "expiring"),
        (Mode::Expire, None, EXPIRY, "ended + grace"),
        (Mode::Expire, Some(EXPIRING), RETENTION, "ended + retention"),
        (Mode::Expire, None, RELEASED, "ended + released"),
        (Mode::Expire, Some(EXPIRY), RETENTION, "retention"),
        (Mode::PayPerUse, None, EXPIRING, "expiring"),
        (Mode::PayPerUse, None, EXPIRY, "converted"),
        (Mode::PayPerUse, Some(EXPIRING), RETENTION, "converted"),
        (Mode::PayPerUse, None, RELEASED, "converted"),
    ];
    for (mode, earlier, moment, expected) in cases {
        let mut world = World::new();
        if let Some(earlier) = earlier {
            world.pass(earlier, mode);
        }
        assert_eq!(world.pass(moment, mode), expected, "{mode} at {moment} after {earlier:?}");
    }
}

#[test]
fn a_clock_that_goes_back_takes_nothing_back() {
    let mut world = World::new();
    assert_eq!(world.pass(EXPIRY, Mode::Manual), "grace");
    for moment in ["2026-11-01T00:00:00Z", EXPIRING, EXPIRY] {
        assert_eq!(world.pass(moment, Mode::Manual), "", "{moment}");
    }
    assert_eq!(world.pass(RELEASED, Mode::Manual), "released");
    world.now = at(EXPIRING);
    assert_eq!(world.resource("phone-1").phase(world.now), Phase::Released, "a journaled release stands");
    assert_eq!(world.quote_for("phone-1", &Wish::default()).unwrap_err().reason, Reason::Released);
}

/// An open order, an unknown payment, a refund or a conflict may still move the expiry.
#[test]
fn nothing_ends_while_an_expiry_may_still_move() {
    type Unsettle = fn(&mut World);
    let unsettled: [(&str, Unsettle, Unsettle); 4] = [
        (
            "an open order",
            |world| {
                world.place(&["phone-1"]);
            },
            |world| {
                world.now = at(RELEASED);
                world.expire();
            },
        ),
        (
            "an unknown payment",
            |world| {
                world.unknown_order(&["phone-1"]);
            },
            |world| {
                let order = world.resource("phone-1").open_order.clone().unwrap();
                world.resolve(&order, Resolution::Declined).unwrap();
                world.cancel(&order).unwrap();
            },
        ),
        (
            "an import conflict",
            |world| {
                let freeze = Freeze::ImportConflict { detail: "two dates".to_owned() };
                world.apply(&[Event::ResourceFrozen { resource: id("phone-1"), freeze }]);
            },
            |world| world.apply(&[Event::ResourceThawed { resource: id("phone-1") }]),
        ),
        (
            "a refund",
            |world| world.edit_resource("phone-1", |row| row.freeze = Some(Freeze::Refunding { order: a_name() })),
            |world| world.edit_resource("phone-1", |row| row.freeze = None),
        ),
    ];
    for (name, unsettle, settle) in unsettled {
        for (mode, at_expiry, at_release, afterwards) in [
            (Mode::Manual, "grace", "", "released"),
            (Mode::Expire, "", "", "ended + released"),
            (Mode::PayPerUse, "grace", "", "converted"),
        ] {
            let mut world = World::new();
            unsettle(&mut world);
            assert_eq!(world.pass(EXPIRY, mode), at_expiry, "{name}, {mode}");
            assert_eq!(world.pass(RELEASED, mode), at_release, "{name}, {mode}");
            settle(&mut world);
            assert_eq!(world.pass(RELEASED, mode), afterwards, "{name}, {mode}");
        }
    }
}

fn a_name() -> OrderId {
    OrderId::new("ord_0123456789ab").unwrap()
}

#[test]
fn what_became_pay_per_use_is_prepaid_again_by_an_import_only() {
    let mut world = World::new();
    world.pass(EXPIRY, Mode::PayPerUse);
    assert_eq!(world.resource("phone-1").converted, Some(at(EXPIRY)));
    for (moment, mode) in [(RETENTION, Mode::Manual), (RELEASED, Mode::Expire)] {
        assert_eq!(world.pass(moment, mode), "", "it has no term that could end");
    }
    assert_eq!(world.resource("phone-1").phase(at(RELEASED)), Phase::Active, "it runs on");
    assert_eq!(reason(world.quote_for("phone-1", &Wish::default())), Reason::Converted);
    world.import_expiry("phone-1", "2026-11-20T23:59:59");
    assert!(world.resource("phone-1").converted.is_some(), "the same expiry again changes nothing");
    world.import_expiry("phone-1", "2027-01-20T23:59:59");
    assert!(world.resource("phone-1").is_prepaid());
    assert!(world.quote_for("phone-1", &Wish::default()).is_ok());
    assert_eq!(world.pass("2027-01-13T15:59:59Z", Mode::PayPerUse), "expiring");
    assert_eq!(world.pass("2027-01-20T15:59:59Z", Mode::PayPerUse), "converted");
}

#[test]
fn a_new_expiry_has_phases_of_its_own() {
    let mut world = World::new();
    world.pass(EXPIRY, Mode::Manual);
    world.paid_order(&["phone-1"]);
    assert_eq!(world.pass(&before("2026-12-10T15:59:59Z"), Mode::Manual), "", "active again");
    assert_eq!(world.pass("2026-12-10T15:59:59Z", Mode::Manual), "expiring", "10 days: the policy's windows");
    // A released resource that its inventory brings back is prepaid again.
    let mut world = World::new();
    world.pass(RELEASED, Mode::Manual);
    world.import_expiry("phone-1", "2027-01-20T23:59:59");
    assert_eq!(world.resource("phone-1").phase(world.now), Phase::Active);
    assert_eq!(world.pass("2027-01-20T15:59:59Z", Mode::Manual), "grace");
}

// ---- when automatic renewal tries

fn moments(expiry: &Expiry, charge_at: &str, retry: u32, tries: usize) -> Vec<String> {
    let charge_at = charge_at.parse().unwrap();
    let mut tried = None;
    let mut found = Vec::new();
    for _ in 0..tries {
        let next = next_auto_try(expiry, 7, charge_at, retry, tried);
        found.push(renewd_core::calendar::rfc3339_in(next, expiry.zone));
        // A run is never quite on time.
        tried = Some(next + chrono::TimeDelta::seconds(90));
    }
    found
}

#[test]
fn tries_come_at_the_charge_time_every_retry() {
    let expiry = local("2026-11-20T23:59:59");
    assert_eq!(
        moments(&expiry, "03:00:00", 1, 3),
        ["2026-11-13T03:00:00+08:00", "2026-11-14T03:00:00+08:00", "2026-11-15T03:00:00+08:00"]
    );
    assert_eq!(
        moments(&expiry, "03:00:00", 3, 3),
        ["2026-11-13T03:00:00+08:00", "2026-11-16T03:00:00+08:00", "2026-11-19T03:00:00+08:00"]
    );
    assert_eq!(moments(&expiry, "03:00:00", 0, 2)[1], "2026-11-14T03:00:00+08:00", "never twice a day");
}

#[test]
fn tries_keep_their_local_time_over_daylight_saving() {
    let zone = chrono_tz::Europe::Berlin;
    let berlin = |text: &str| Expiry { zone, ..local(text) };
    // The clock goes forward on 29 March 2026: 02:30 does not exist, and is the first instant after the gap.
    assert_eq!(
        moments(&berlin("2026-04-04T12:00:00"), "02:30:00", 1, 3),
        ["2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]
    );
    // It goes back on 25 October 2026: 02:30 is there twice, and tried once.
    assert_eq!(
        moments(&berlin("2026-10-31T12:00:00"), "02:30:00", 1, 3),
        ["2026-10-24T02:30:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]
    );
    assert_eq!(
        moments(&berlin("2026-10-31T12:00:00"), "03:00:00", 3, 3),
        ["2026-10-24T03:00:00+02:00", "2026-10-27T03:00:00+01:00", "2026-10-30T03:00:00+01:00"]
    );
}

/// Retry, the last try, the next one. The first is on 13 November at 03:00.
#[test]
fn the_next_try_follows_the_last_one_on_the_same_days() {
    let expiry = local("2026-11-20T23:59:59");
    let singapore = |text: &str| local(text).instant();
    let cases = [
        (1, None, "2026-11-13T03:00:00"),
        // Turned on inside the window, or tried by hand before: the first one is still due.
        (1, Some("2026-11-01T12:00:00"), "2026-11-13T03:00:00"),
        (1, Some("2026-11-13T02:59:59"), "2026-11-13T03:00:00"),
        (1, Some("2026-11-13T03:00:00"), "2026-11-14T03:00:00"),
        (1, Some("2026-11-14T02:59:59"), "2026-11-14T03:00:00"),
        // A week of downtime: one try at once, then the next day's; never one for each day that was missed.
        (1, Some("2026-11-20T14:00:00"), "2026-11-21T03:00:00"),
        (3, Some("2026-11-13T03:00:00"), "2026-11-16T03:00:00"),
        (3, Some("2026-11-15T03:00:00"), "2026-11-16T03:00:00"),
        (3, Some("2026-11-20T14:00:00"), "2026-11-22T03:00:00"),
        (3, Some("2026-11-22T03:00:00"), "2026-11-25T03:00:00"),
        (30, Some("2026-11-13T03:00:00"), "2026-12-13T03:00:00"),
    ];
    for (retry, tried, next) in cases {
        let tried = tried.map(singapore);
        let found = next_auto_try(&expiry, 7, "03:00:00".parse().unwrap(), retry, tried);
        assert_eq!(found, singapore(next), "every {retry} days, after {tried:?}");
    }
}

#[test]
fn after_a_week_of_downtime_there_is_one_catch_up() {
    let expiry = local("2026-11-20T23:59:59");
    let charge_at = "03:00:00".parse().unwrap();
    let due = |tried: Option<DateTime<Utc>>, now: DateTime<Utc>| next_auto_try(&expiry, 7, charge_at, 1, tried) <= now;
    let now = local("2026-11-20T14:00:00").instant();
    assert!(due(None, now) && due(Some(local("2026-11-13T03:00:00").instant()), now));
    assert!(!due(Some(now), now), "the catch-up was made");
    assert!(due(Some(now), local("2026-11-21T03:00:00").instant()));
}

#[test]
fn a_next_try_is_always_later_than_the_last_and_never_before_the_first() {
    let zones = [ZONE, chrono_tz::Europe::Berlin, chrono_tz::America::St_Johns, chrono_tz::Australia::Lord_Howe];
    for (zone, charge_at) in
        zones.into_iter().flat_map(|zone| ["00:00:00", "02:30:00", "23:59:59"].map(|time| (zone, time)))
    {
        let expiry = Expiry { zone, ..local("2026-04-04T12:00:00") };
        let charge_at = charge_at.parse().unwrap();
        let first = auto_charge_at(&expiry, 7, charge_at);
        for hours in 0..400 {
            let tried = first - chrono::TimeDelta::hours(50) + chrono::TimeDelta::hours(hours);
            let next = next_auto_try(&expiry, 7, charge_at, 2, Some(tried));
            assert!(tried < next && first <= next, "{zone} {tried}: {next}");
            assert!(tried < first || next <= tried + chrono::TimeDelta::hours(50), "{zone} {tried}: {next}");
        }
    }
}

// ---- how often, and by which methods

/// Places an automatic order of phone-1.
fn auto_order(world: &mut World) -> OrderId {
    let quote = world.quote("phone-1", 1);
    let placing = Placing { origin: Origin::Auto, ..world.placing(vec![quote]) };
    world.place_with(placing).unwrap().id
}

fn auto_paid(world: &mut World) -> Vec<Event> {
    let order = auto_order(world);
    world.pay(&order, "card").unwrap();
    world.answer(&order, succeeded()).unwrap()
}

fn mode(world: &World) -> (Mode, bool) {
    let resource = world.resource("phone-1");
    let cover = Cover::find(resource, world.state.policies());
    let (mode, source) = mode_of(resource, &cover, world.now);
    (mode, matches!(source, ModeSource::Finished(_)))
}

fn choice(mode: Mode, until: Option<DateTime<Utc>>) -> ModeOverride {
    ModeOverride { mode, actor: "ana".to_owned(), reason: None, until }
}

#[test]
fn after_its_times_a_resource_is_manual_until_somebody_chooses_again() {
    let mut world = World::new();
    world.edit_policy(|policy| policy.auto.times = Some(2));
    assert_eq!(auto_paid(&mut world).len(), 1);
    assert_eq!(mode(&world), (Mode::Auto, false));
    world.paid_order(&["phone-1"]);
    assert_eq!(world.resource("phone-1").auto.renewals, 1, "a manual renewal does not count");
    let events = auto_paid(&mut world);
    let finished = Event::AutoFinished { resource: id("phone-1"), renewals: 2 };
    assert_eq!(events.last(), Some(&finished));
    assert_eq!(mode(&world), (Mode::Manual, true));
    for chosen in [true, false] {
        let mut world = world.clone();
        let event = if chosen {
            Event::ModeChosen { resource: id("phone-1"), chosen: choice(Mode::Auto, None) }
        } else {
            Event::ModeReturned { resource: id("phone-1") }
        };
        world.apply(&[event]);
        assert_eq!((mode(&world), world.resource("phone-1").auto.renewals), ((Mode::Auto, false), 0));
    }
}

/// It is said only of a resource that is automatic when it is paid: by the policy, unless a choice holds against it.
#[test]
fn only_what_is_automatic_finishes() {
    let later = at("2027-01-01T00:00:00Z");
    let cases = [
        (Mode::Auto, None, Overrides::Allow, true),
        (Mode::Manual, None, Overrides::Allow, false),
        (Mode::Manual, Some(choice(Mode::Auto, None)), Overrides::Allow, true),
        (Mode::Manual, Some(choice(Mode::Auto, None)), Overrides::Deny, false),
        (Mode::Auto, Some(choice(Mode::Manual, None)), Overrides::Allow, false),
        (Mode::Auto, Some(choice(Mode::Manual, None)), Overrides::Deny, true),
        (Mode::Auto, Some(choice(Mode::Manual, Some(later))), Overrides::Allow, false),
        (Mode::Auto, Some(choice(Mode::Manual, Some(at("2026-10-01T00:00:00Z")))), Overrides::Allow, true),
    ];
    for (of_policy, chosen, overrides, finishes) in cases {
        let mut world = World::new();
        world
            .edit_policy(|policy| (policy.mode, policy.overrides, policy.auto.times) = (of_policy, overrides, Some(1)));
        world.edit_resource("phone-1", |row| row.chosen = chosen.clone());
        assert_eq!(auto_paid(&mut world).len() == 2, finishes, "{of_policy}, {chosen:?}, {overrides:?}");
    }
}

fn usable(world: &World, order: &OrderId, only: Option<&str>) -> Vec<String> {
    let only = only.map(|name| MethodName::new(name).unwrap());
    let methods = usable_methods(&world.state, world.order(order), only.as_ref(), world.now);
    methods.into_iter().map(|method| method.method.to_string()).collect()
}

/// The order that a hard decline leaves may expire: the next one for the same expiry does not ask that method again.
#[test]
fn a_hard_decline_holds_for_the_same_expiry_and_not_for_the_next() {
    for (retry, left) in [(Retry::Never, vec!["balance"]), (Retry::Later, vec!["balance", "card"])] {
        let mut world = World::new();
        let order = auto_order(&mut world);
        world.pay(&order, "card").unwrap();
        assert_eq!(world.resource("phone-1").auto_tried().unwrap().at, world.now);
        world.answer(&order, declined(retry)).unwrap();
        world.cancel(&order).unwrap();
        let again = auto_order(&mut world);
        assert_eq!(usable(&world, &again, None), left, "{retry:?}");
        assert_eq!(usable(&world, &again, Some("card")), ["card"], "a person may ask for it all the same");
        world.pay(&again, "balance").unwrap();
        assert_eq!(usable(&world, &again, None), left, "{retry:?}: another try forgets nothing");
        world.cancel(&again).unwrap();
        let by_hand = world.place(&["phone-1"]);
        assert_eq!(usable(&world, &by_hand, None), ["balance", "card"], "a manual order is not automatic");
        world.top_up("20 USD", "t").unwrap();
        world.pay(&by_hand, "balance").unwrap();
        assert_eq!(world.resource("phone-1").auto_tried(), None);
        let next = auto_order(&mut world);
        assert_eq!(usable(&world, &next, None), ["balance", "card"], "another expiry");
    }
}

#[test]
fn a_method_is_not_tried_before_its_gateway_says() {
    let mut world = World::new();
    let order = auto_order(&mut world);
    world.pay(&order, "card").unwrap();
    let moment = world.now + chrono::TimeDelta::hours(30);
    let busy = Outcome::Declined {
        code: "busy".to_owned(),
        message: "later".to_owned(),
        retry: Retry::Later,
        not_before: Some(moment),
    };
    world.answer(&order, busy).unwrap();
    for (hours, left) in [(0, vec!["balance"]), (29, vec!["balance"]), (30, vec!["balance", "card"])] {
        world.now = moment - chrono::TimeDelta::hours(30 - hours);
        assert_eq!(usable(&world, &order, None), left, "after {hours} h");
        assert_eq!(usable(&world, &order, Some("card")), ["card"], "a person may ask for it all the same");
    }
}

#[test]
fn a_renewal_that_could_not_be_ordered_counts_as_a_try() {
    let mut world = World::new();
    let expiry = at(EXPIRY);
    let refusal = renewd_core::refusal::Refusal::new(Reason::PricingFailed, "no price");
    world.apply(&[Event::AutoFailed { resource: id("phone-1"), expiry, refusal }]);
    let tried = world.resource("phone-1").auto_tried().unwrap();
    assert_eq!((tried.at, tried.expiry, tried.refused.len()), (world.now, expiry, 0));
}
