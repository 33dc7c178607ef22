//! The three-way merge: last imported, stored, incoming.

use super::{import, kinds, merged};
use crate::fixtures::*;
use crate::options::Take;
use renewd_core::calendar::{AnchorDay, ConventionsName};
use renewd_core::decide::{end_attempt, place};
use renewd_core::documents::{Account, Days, Mode};
use renewd_core::event::Event;
use renewd_core::order::Outcome;
use renewd_core::resource::{Freeze, Imported, ModeOverride, TermEnd};
use rust_decimal::Decimal;

const A: &str = "2026-11-20T23:59:59";
const B: &str = "2026-12-20T23:59:59";
const C: &str = "2027-03-20T23:59:59";

fn world_with(base: TermEnd, stored: TermEnd) -> World {
    let mut world = World::new();
    world.edit_resource("phone-1", |resource| {
        resource.imported = Imported { end: base, mode: None, price: None };
        resource.end = stored;
    });
    world
}

fn stored(world: &World) -> String {
    world.resource("phone-1").end.expiry.rfc3339().split('+').next().unwrap().to_owned()
}

fn conflict(world: &World) -> Option<&str> {
    match &world.resource("phone-1").freeze {
        Some(Freeze::ImportConflict { detail }) => Some(detail),
        Some(Freeze::UnknownPayment { .. } | Freeze::Refunding { .. }) => panic!("not an import's freeze"),
        None => None,
    }
}

#[test]
fn an_expiry_merges_three_ways() {
    // last imported, stored, incoming, side taken; stored after, rise of the generation, conflict
    for (base, was, incoming, take, after, raised, frozen) in [
        (A, A, A, None, A, 0, false),
        (A, A, B, None, B, 1, false),
        (A, B, A, None, B, 0, false),
        (A, B, B, None, B, 0, false),
        (A, B, C, None, B, 0, true),
        (A, B, C, Some(Take::Inventory), C, 1, false),
        (A, B, C, Some(Take::Store), B, 0, false),
        // Taking a side settles conflicts only: an inventory that still shows the old date is none.
        (A, B, A, Some(Take::Inventory), B, 0, false),
        (A, A, B, Some(Take::Store), B, 1, false),
        (B, B, A, None, A, 1, false),
        (B, C, A, None, C, 0, true),
    ] {
        let case = format!("{base} {was} {incoming} {take:?}");
        let mut world = world_with(end(base), end(was));
        let row = format!("phone-1,{incoming}");
        let first = import(&mut world, "expiry", &[&row], take);
        assert_eq!(stored(&world), after, "{case}");
        assert_eq!(world.resource("phone-1").generation, raised, "{case}");
        assert_eq!(conflict(&world).is_some(), frozen, "{case}");
        assert_eq!(first.conflicts.len(), usize::from(frozen), "{case}");
        assert_eq!(first.unchanged == 1, was == after && !frozen, "{case}: {:?}", first.events);
        let again = import(&mut world, "expiry", &[&row], take);
        assert_eq!(kinds(&again.events), Vec::<String>::new(), "{case}: the same file again");
        assert_eq!(again.conflicts.len(), usize::from(frozen), "{case}");
    }
}

#[test]
fn an_anchor_day_is_kept_where_it_fits() {
    let anchored = |text: &str, day| TermEnd { anchor: AnchorDay::new(day).unwrap(), ..end(text) };
    let february = anchored("2027-02-28T23:59:59", 31);
    let renewed = anchored("2026-12-15T23:59:59", 15);
    for (base, was, row, anchor, changed) in [
        (february.clone(), february.clone(), "2027-02-28T23:59:59,", 31, false),
        (february.clone(), february.clone(), "2027-02-28T23:59:59,31", 31, false),
        (february.clone(), february.clone(), "2027-02-28T23:59:59,28", 28, true),
        (february.clone(), february.clone(), "2027-04-30T23:59:59,", 31, true),
        (february.clone(), february.clone(), "2027-03-30T23:59:59,", 30, true),
        // Renewed here onto day 15: an inventory without anchor days shows either side's.
        (end(A), renewed.clone(), "2026-11-20T23:59:59,", 15, false),
        (end(A), renewed.clone(), "2026-12-15T23:59:59,", 15, false),
        (end(A), renewed, "2026-11-20T23:59:59,20", 15, false),
    ] {
        let mut world = world_with(base, was.clone());
        import(&mut world, "expiry,anchorDay", &[&format!("phone-1,{row}")], None);
        let resource = world.resource("phone-1");
        assert_eq!(resource.end.anchor.get(), anchor, "{row}");
        assert_eq!(resource.end != was, changed, "{row}");
        let moved = resource.end.expiry.instant() != was.expiry.instant();
        assert_eq!(resource.generation, u32::from(moved), "{row}: an anchor day alone is no new expiry");
        let again = import(&mut world, "expiry,anchorDay", &[&format!("phone-1,{row}")], None);
        assert!(again.events.is_empty(), "{row}: {:?}", again.events);
    }
}

#[test]
fn an_anchor_day_that_does_not_give_the_date_is_a_finding_on_its_place() {
    for id in ["phone-1", "phone-9"] {
        let text = format!("id,account,kind,sku,expiry,anchorDay\n{id},acme,cloud-phone,phone.large,2027-03-30,31\n");
        let merged = merged(&World::new(), "csv", &text, None);
        assert!(merged.events.is_empty());
        let (place, of, problem) = &merged.bad[0];
        assert_eq!((of.as_str(), problem.code.as_str()), (id, "anchor-mismatch"));
        assert_eq!(
            (place.line, text.lines().nth(1).unwrap()[place.column as usize - 1..].to_owned()),
            (2, "31".to_owned())
        );
    }
}

fn by(actor: &str, mode: Mode) -> Option<ModeOverride> {
    Some(ModeOverride { mode, actor: actor.to_owned(), reason: None, until: None })
}

#[test]
fn a_mode_merges_three_ways_and_is_an_override() {
    use Mode::{Auto, Expire, Manual};
    // last imported, chosen now, incoming, side taken; chosen after, by whom, conflict
    for (base, was, incoming, take, after, frozen) in [
        (None, None, "", None, None, false),
        (None, None, "auto", None, by("import", Auto), false),
        (Some(Auto), by("import", Auto), "auto", None, by("import", Auto), false),
        (Some(Auto), by("import", Auto), "expire", None, by("import", Expire), false),
        (Some(Auto), by("import", Auto), "", None, None, false),
        (None, by("ana", Manual), "", None, by("ana", Manual), false),
        (None, by("ana", Auto), "auto", None, by("ana", Auto), false),
        (None, by("ana", Manual), "auto", None, by("ana", Manual), true),
        (None, by("ana", Manual), "auto", Some(Take::Inventory), by("import", Auto), false),
        (None, by("ana", Manual), "auto", Some(Take::Store), by("ana", Manual), false),
        (Some(Auto), by("ana", Manual), "auto", None, by("ana", Manual), false),
        (Some(Auto), by("ana", Manual), "expire", None, by("ana", Manual), true),
        (Some(Auto), by("ana", Manual), "", None, by("ana", Manual), false),
        // Given back to the policy by a person.
        (Some(Auto), None, "auto", None, None, false),
        (Some(Auto), None, "expire", None, None, true),
    ] {
        let case = format!("{base:?} {was:?} `{incoming}` {take:?}");
        let mut world = World::new();
        world.edit_resource("phone-1", |resource| {
            resource.imported.mode = base;
            resource.chosen = was;
        });
        let row = format!("phone-1,{A},{incoming}");
        import(&mut world, "expiry,mode", &[&row], take);
        assert_eq!(world.resource("phone-1").chosen, after, "{case}");
        assert_eq!(conflict(&world).is_some(), frozen, "{case}");
        let again = import(&mut world, "expiry,mode", &[&row], take);
        assert!(again.events.is_empty(), "{case}: {:?}", again.events);
        assert_eq!(world.resource("phone-1").chosen, after, "{case}");
    }
}

#[test]
fn a_new_price_replaces_what_was_paid_and_an_old_one_does_not() {
    // last imported, last paid, incoming; known after, whether an event says so
    for (base, paid, incoming, known, changed) in [
        (None, None, "10", Some("10"), true),
        (None, None, "", None, false),
        (Some("10"), None, "10.00", Some("10"), false),
        (Some("10"), None, "", Some("10"), false),
        (Some("10"), None, "11", Some("11"), true),
        (Some("10"), Some("12"), "10", Some("12"), false),
        (Some("10"), Some("12"), "12.0", Some("12"), false),
        (Some("10"), Some("12"), "", Some("12"), false),
        (Some("10"), Some("12"), "11", Some("11"), true),
        (None, Some("12"), "0", Some("0"), true),
    ] {
        let case = format!("{base:?} {paid:?} `{incoming}`");
        let mut world = World::new();
        world.edit_resource("phone-1", |resource| {
            resource.imported.price = base.map(decimal);
            resource.last_paid = paid.map(decimal);
            resource.paid.extend(paid.map(|paid| ("P1M".parse().unwrap(), decimal(paid))));
        });
        let row = format!("phone-1,{A},{incoming}");
        let merged = import(&mut world, "expiry,price", &[&row], None);
        let resource = world.resource("phone-1");
        assert_eq!(resource.known_price("P1M".parse().unwrap()), known.map(decimal), "{case}");
        assert_eq!(resource.shown_price(), known.map(decimal), "{case}");
        assert_eq!(!merged.events.is_empty(), changed, "{case}: {:?}", merged.events);
        let again = import(&mut world, "expiry,price", &[&row], None);
        assert!(again.events.is_empty(), "{case}: {:?}", again.events);
        // What an export would show now changes nothing either.
        let shown = resource_price(&world).map(|price| price.to_string()).unwrap_or_default();
        let export = import(&mut world, "expiry,price", &[&format!("phone-1,{A},{shown}")], None);
        assert!(export.events.is_empty(), "{case}: {:?}", export.events);
    }
}

fn resource_price(world: &World) -> Option<Decimal> {
    world.resource("phone-1").shown_price()
}

#[test]
fn the_inventory_wins_for_what_describes_a_resource() {
    let mut world = World::new();
    let text = "id,account,kind,sku,expiry,quantity,labels,region,name,externalId,renewable\n\
                phone-1,acme,server,s-1,2026-11-20,3,team=ops,,Phone One,i-1,false\n";
    let first = merged(&world, "csv", text, None);
    world.apply(&first.events);
    let description = &world.resource("phone-1").description;
    assert_eq!((description.kind.as_str(), description.sku.as_str(), description.quantity), ("server", "s-1", 3));
    assert_eq!((description.region.as_str(), description.renewable), ("", false));
    assert_eq!((description.name.as_str(), description.external_id.as_deref()), ("Phone One", Some("i-1")));
    assert_eq!(description.labels, [("team".to_owned(), "ops".to_owned())].into());
    assert_eq!(stored(&world), A);
    assert!(merged(&world, "csv", text, None).events.is_empty());
}

// ---- freeze and thaw

#[test]
fn a_conflict_freezes_and_each_way_out_thaws() {
    let frozen = || {
        let mut world = world_with(end(A), end(B));
        let merged = import(&mut world, "expiry", &[&format!("phone-1,{C}")], None);
        assert_eq!(kinds(&merged.events), ["resource-frozen"]);
        assert!(conflict(&world).unwrap().contains("moved the expiry"));
        world
    };
    for (incoming, take, after) in
        [(C, Some(Take::Inventory), C), (C, Some(Take::Store), B), (A, None, B), (B, None, B)]
    {
        let mut world = frozen();
        import(&mut world, "expiry", &[&format!("phone-1,{incoming}")], take);
        assert_eq!((conflict(&world), stored(&world).as_str()), (None, after), "{incoming} {take:?}");
        let again = import(&mut world, "expiry", &[&format!("phone-1,{incoming}")], None);
        assert!(again.events.is_empty() && again.conflicts.is_empty(), "settled once, it stays settled: {again:?}");
    }
    let mut world = frozen();
    let other = import(&mut world, "expiry", &["phone-1,2027-05-20T23:59:59"], None);
    assert_eq!(kinds(&other.events), ["resource-frozen"], "another conflict has other words");
    assert!(conflict(&world).unwrap().contains("2027-05-20"));
}

/// Clean parts of a row land although another part conflicts, and the clean rows beside it do too.
#[test]
fn a_conflict_holds_up_nothing_else() {
    let mut world = world_with(end(A), end(B));
    let rows = [format!("phone-1,{C},auto"), format!("phone-2,{B},auto"), format!("phone-9,{A},")];
    let merged = import(&mut world, "expiry,mode", &[&rows[0], &rows[1], &rows[2]], None);
    assert_eq!(merged.conflicts.len(), 1);
    assert_eq!(world.resource("phone-1").chosen, by("import", Mode::Auto));
    assert_eq!(stored(&world), B);
    assert_eq!(world.resource("phone-2").end, end(B));
    assert_eq!(merged.added, [id("phone-9")]);
    let again = import(&mut world, "expiry,mode", &[&rows[0], &rows[1], &rows[2]], None);
    assert!(again.events.is_empty(), "{:?}", again.events);
    assert_eq!(again.conflicts.len(), 1);
}

#[test]
fn a_resource_that_is_being_paid_is_left_alone() {
    for (stage, busy) in
        [("placed", false), ("paying", true), ("pending", true), ("unknown", true), ("declined", false)]
    {
        for take in [None, Some(Take::Inventory), Some(Take::Store)] {
            let mut world = World::new();
            let order = {
                let (order, events) =
                    place(&world.state, world.placing(vec![world.quote("phone-1", 1)]), world.now).unwrap();
                world.apply(&events);
                order.id
            };
            let outcome = match stage {
                "placed" | "paying" => None,
                "pending" => Some(Outcome::Pending { reference: "ch_1".to_owned() }),
                "unknown" => Some(Outcome::unknown("no answer")),
                _ => Some(Outcome::declined("card_declined", "no", renewd_core::order::Retry::Later)),
            };
            if stage != "placed" {
                world.pay(&order, "card").unwrap();
            }
            if let Some(outcome) = outcome {
                let events = end_attempt(&world.state, &order, 1, outcome, "process-1", world.now).unwrap();
                world.apply(&events);
            }
            let before = world.resource("phone-1").clone();
            let merged = import(&mut world, "expiry,mode,price", &[&format!("phone-1,{B},expire,99")], take);
            assert_eq!(merged.busy.len(), usize::from(busy), "{stage}");
            assert_eq!(*world.resource("phone-1") == before, busy, "{stage}");
            assert_eq!(merged.events.is_empty(), busy, "{stage}");
        }
    }
}

// ---- dates and zones

#[test]
fn a_bare_date_has_the_time_of_the_conventions_and_keeps_it() {
    for (conventions, time) in [
        (None, "23:59:59"),
        (Some(ConventionsName::HuaweiCloud), "23:59:59"),
        (Some(ConventionsName::AlibabaCloud), "00:00:00"),
        (Some(ConventionsName::TencentCloud), "23:59:59"),
    ] {
        let mut world = World::new();
        world.edit_policy(|policy| policy.conventions = conventions);
        import(&mut world, "expiry", &["phone-9,2027-01-31"], None);
        let expiry = |world: &World| world.resource("phone-9").end.expiry.rfc3339();
        assert_eq!(expiry(&world), format!("2027-01-31T{time}+08:00"));
        // Known now: other conventions do not move it, and a new date keeps the time.
        world.edit_policy(|policy| policy.conventions = Some(ConventionsName::AlibabaCloud));
        assert!(import(&mut world, "expiry", &["phone-9,2027-01-31"], None).events.is_empty());
        import(&mut world, "expiry", &["phone-9,2027-02-28"], None);
        assert_eq!(expiry(&world), format!("2027-02-28T{time}+08:00"));
        assert_eq!(world.resource("phone-9").end.anchor.get(), 31);
    }
}

#[test]
fn a_resource_keeps_the_zone_of_its_first_import() {
    let mut world = World::new();
    import(&mut world, "expiry", &["phone-8,2027-01-31T12:00:00"], None);
    world.edit_account(|account: &mut Account| account.time_zone = chrono_tz::Europe::Paris);
    assert!(import(&mut world, "expiry", &["phone-8,2027-01-31T12:00:00"], None).events.is_empty());
    import(&mut world, "expiry", &["phone-8,2027-03-31T12:00", "phone-9,2027-03-31 12:00:00"], None);
    assert_eq!(world.resource("phone-8").end.expiry.rfc3339(), "2027-03-31T12:00:00+08:00");
    assert_eq!(world.resource("phone-9").end.expiry.rfc3339(), "2027-03-31T12:00:00+02:00");
}

#[test]
fn an_instant_is_the_same_in_every_zone() {
    let mut world = World::new();
    for same in
        ["2026-11-20T23:59:59+08:00", "2026-11-20T15:59:59Z", "2026-11-20T10:59:59-05:00", "2026-11-20 15:59:59Z"]
    {
        let merged = import(&mut world, "expiry", &[&format!("phone-1,{same}")], None);
        assert!(merged.events.is_empty(), "{same}: {:?}", merged.events);
    }
    import(&mut world, "expiry", &["phone-1,2026-11-20T20:00:00Z"], None);
    assert_eq!(world.resource("phone-1").end.expiry.rfc3339(), "2026-11-21T04:00:00+08:00");
    assert_eq!(world.resource("phone-1").end.anchor.get(), 21);
}

/// The local time before a clock change is kept: an instant that shows the moved time is not a new expiry.
#[test]
fn an_expiry_in_a_clock_change_does_not_drift() {
    let mut world = World::new();
    world.edit_account(|account| account.time_zone = chrono_tz::Europe::Paris);
    import(&mut world, "expiry", &["phone-9,2027-03-28T02:30:00"], None);
    let before = world.resource("phone-9").end.clone();
    assert_eq!(before.expiry.rfc3339(), "2027-03-28T03:00:00+02:00");
    let merged = import(&mut world, "expiry", &["phone-9,2027-03-28T03:00:00+02:00"], None);
    assert!(merged.events.is_empty(), "{:?}", merged.events);
    assert_eq!(world.resource("phone-9").end, before);
}

/// An extension made here survives an inventory that still shows the old date, and is the base once it shows the new.
#[test]
fn an_extension_survives_an_inventory_that_lags_behind() {
    let mut world = World::new();
    world.top_up("100 USD", "t").unwrap();
    let order = world.place(&["phone-1"]);
    world.pay(&order, "balance").unwrap();
    assert_eq!(stored(&world), B);
    assert!(import(&mut world, "expiry", &["phone-1,2026-11-20"], None).events.is_empty());
    let caught_up = import(&mut world, "expiry", &["phone-1,2026-12-20"], None);
    assert_eq!((kinds(&caught_up.events), caught_up.unchanged), (vec!["resource-imported".to_owned()], 1));
    assert_eq!((stored(&world).as_str(), world.resource("phone-1").generation), (B, 0));
    assert_eq!(world.resource("phone-1").windows.grace, Days(20), "windows stay those of what was sold");
    // Now the old date is a real move backwards.
    import(&mut world, "expiry", &["phone-1,2026-11-20"], None);
    assert_eq!((stored(&world).as_str(), world.resource("phone-1").generation), (A, 1));
}

#[test]
fn a_new_resource_has_the_windows_that_hold_before_any_policy() {
    let mut world = World::new();
    let merged = import(&mut world, "expiry,mode,price", &["phone-9,2027-01-31,auto,12.50"], None);
    let [Event::ResourceAdded { resource }] = merged.events.as_slice() else { panic!("{:?}", merged.events) };
    assert!(!resource.windows_captured && resource.windows.grace == Days(15));
    assert_eq!(resource.chosen, by("import", Mode::Auto));
    assert_eq!(resource.imported.price, Some(decimal("12.5")));
    assert_eq!((resource.generation, &resource.freeze, &resource.open_order), (0, &None, &None));
}
