//! When automatic renewal charges: at exact instants, by `chargeBefore`, `until`, mode and phase.

use super::{NextCharge, charge_blocked, next_charge};
use crate::fixtures::*;
use renewd_core::calendar::Until;
use renewd_core::cover::Cover;
use renewd_core::documents::{Days, Mode, Overrides, RenewalPolicy};
use renewd_core::ids::OrderId;
use renewd_core::resource::{Freeze, ModeOverride, Resource};

/// Expires on 20 November at the end of the day; seven days before at 03:00 is the 13th.
const FIRST: &str = "2026-11-13T03:00:00";

fn charge(resource: &Resource, policy: &RenewalPolicy, now: &str) -> NextCharge {
    next_charge(resource, &Cover::Policy(policy), local(now).instant())
}

fn phone() -> Resource {
    resource("phone-1", "2026-11-20T23:59:59")
}

#[test]
fn a_charge_is_due_from_its_exact_instant_on_and_until_its_window_ends() {
    let first = local(FIRST).instant();
    let (at, due, never) = (NextCharge::At(first), NextCharge::Due(first), NextCharge::Never);
    for (until, now, expected) in [
        (Until::Expiry, "2026-11-13T02:59:59", at),
        (Until::Expiry, "2026-11-13T03:00:00", due),
        (Until::Expiry, "2026-11-20T23:59:58", due),
        (Until::Expiry, "2026-11-20T23:59:59", never),
        (Until::Grace, "2026-11-20T23:59:59", due),
        (Until::Grace, "2026-12-05T23:59:58", due),
        (Until::Grace, "2026-12-05T23:59:59", never),
        (Until::Retention, "2026-12-05T23:59:59", due),
        (Until::Retention, "2026-12-20T23:59:58", due),
        (Until::Retention, "2026-12-20T23:59:59", never),
    ] {
        let mut policy = policy();
        policy.auto.until = until;
        assert_eq!(charge(&phone(), &policy, now), expected, "{until} {now}");
    }
}

#[test]
fn a_charge_lies_strictly_before_the_expiry() {
    for (days, time, expiry, expected) in [
        (7, "03:00:00", "2026-11-20T23:59:59", "2026-11-13T03:00:00"),
        (0, "00:00:00", "2026-11-20T23:59:59", "2026-11-20T00:00:00"),
        (0, "00:00:00", "2026-11-20T00:00:00", "2026-11-19T00:00:00"),
        (0, "23:59:59", "2026-11-20T23:59:59", "2026-11-19T23:59:59"),
        (1, "08:00:00", "2026-11-20T07:59:59", "2026-11-18T08:00:00"),
    ] {
        let mut policy = policy();
        policy.auto.charge_before = Days(days);
        policy.auto.charge_at = time.parse().unwrap();
        let found = charge(&resource("phone-1", expiry), &policy, "2026-11-01T00:00:00");
        assert_eq!(found, NextCharge::At(local(expected).instant()), "{days} {time} {expiry}");
    }
}

#[test]
fn only_a_covered_renewable_resource_in_auto_mode_is_charged() {
    let now = local(FIRST).instant();
    let auto = policy();
    let chosen = |mode| Some(ModeOverride { mode, actor: "ana".to_owned(), reason: None, until: None });
    for mode in [Mode::Manual, Mode::PayPerUse, Mode::Expire] {
        let other = RenewalPolicy { mode, ..policy() };
        assert_eq!(charge(&phone(), &other, FIRST), NextCharge::Never, "{mode}");
        let overridden = Resource { chosen: chosen(mode), ..phone() };
        assert_eq!(charge(&overridden, &auto, FIRST), NextCharge::Never, "{mode}");
        let turned_on = Resource { chosen: chosen(Mode::Auto), ..phone() };
        assert!(charge(&turned_on, &other, FIRST).is_due(), "{mode}");
        let denied = RenewalPolicy { overrides: Overrides::Deny, ..other };
        assert_eq!(charge(&turned_on, &denied, FIRST), NextCharge::Never, "{mode}");
    }
    let forced = Resource { chosen: chosen(Mode::Auto), ..phone() };
    assert_eq!(next_charge(&forced, &Cover::None, now), NextCharge::Never);
    assert_eq!(next_charge(&forced, &Cover::Conflict(vec![&auto.name]), now), NextCharge::Never);
    let mut sold_out = phone();
    sold_out.description.renewable = false;
    assert_eq!(charge(&sold_out, &auto, FIRST), NextCharge::Never);
}

/// An override that ends gives the resource back to its policy at that very instant.
#[test]
fn an_override_that_ends_lets_the_policy_charge() {
    let until = local(FIRST).instant();
    let manual = ModeOverride { mode: Mode::Manual, actor: "ana".to_owned(), reason: None, until: Some(until) };
    let resource = Resource { chosen: Some(manual), ..phone() };
    assert_eq!(charge(&resource, &policy(), "2026-11-13T02:59:59"), NextCharge::Never);
    assert_eq!(charge(&resource, &policy(), FIRST), NextCharge::Due(until));
}

#[test]
fn a_charge_is_quoted_now_when_due_and_never_in_the_past() {
    let (early, first, late) = (at("2026-11-01T00:00:00Z"), at("2026-11-13T00:00:00Z"), at("2026-11-14T00:00:00Z"));
    for (charge, now, quoted, when) in [
        (NextCharge::At(first), early, Some(first), Some(first)),
        (NextCharge::At(first), late, Some(late), Some(first)),
        (NextCharge::Due(first), late, Some(late), Some(first)),
        (NextCharge::Never, late, None, None),
    ] {
        assert_eq!((charge.quoted_at(now), charge.at()), (quoted, when), "{charge:?} {now}");
        assert_eq!(charge.is_due(), matches!(charge, NextCharge::Due(_)));
    }
}

#[test]
fn a_freeze_or_an_open_order_blocks_a_charge() {
    let order = OrderId::new("ord_1").unwrap();
    assert_eq!(charge_blocked(&phone()), None);
    let unknown = Resource { freeze: Some(Freeze::UnknownPayment { order: order.clone() }), ..phone() };
    assert!(charge_blocked(&unknown).unwrap().contains("ord_1"));
    let conflict = Freeze::ImportConflict { detail: "two dates".to_owned() };
    assert!(charge_blocked(&Resource { freeze: Some(conflict), ..phone() }).unwrap().contains("two dates"));
    assert!(charge_blocked(&Resource { open_order: Some(order), ..phone() }).unwrap().contains("open order ord_1"));
}
