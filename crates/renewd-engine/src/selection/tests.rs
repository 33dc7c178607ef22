//! Selectors: the same flag or-ed, different flags and-ed, and the exact bounds of times.

use super::{missing, select};
use crate::fixtures::*;
use crate::options::Selector;
use renewd_core::documents::{Days, LocalMoment, Mode, Pattern};
use renewd_core::resource::{ModeOverride, Phase};

/// phone-1 (prod, team a), phone-2 (test, team a), phone-3 (prod, no team), of which phone-3 is a manual server.
fn world() -> World {
    let mut world = World::new();
    let label = |world: &mut World, name: &str, key: &str, value: &str| {
        world.edit_resource(name, |resource| {
            resource.description.labels.insert(key.to_owned(), value.to_owned());
        });
    };
    label(&mut world, "phone-1", "team", "a");
    label(&mut world, "phone-2", "team", "a");
    label(&mut world, "phone-2", "env", "test");
    world.edit_resource("phone-3", |resource| {
        resource.description.kind = "server".to_owned();
        resource.description.region = "eu-west-1".to_owned();
        resource.chosen = Some(ModeOverride { mode: Mode::Manual, actor: "ana".to_owned(), reason: None, until: None });
    });
    world
}

fn selected(world: &World, selector: &Selector) -> Vec<String> {
    select(&world.state, selector, world.now)
        .into_iter()
        .map(|resource| resource.id.as_str().trim_start_matches("phone-").to_owned())
        .collect()
}

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| Pattern::new(*text)).collect()
}

fn labels(pairs: &[(&str, &str)]) -> Vec<(String, Pattern)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), Pattern::new(*value))).collect()
}

#[test]
fn one_flag_is_or_ed_and_different_flags_are_and_ed() {
    let world = world();
    let none = Selector::default;
    for (selector, expected) in [
        (none(), "123"),
        (Selector { all: true, ..none() }, "123"),
        (Selector { ids: patterns(&["phone-1", "phone-3"]), ..none() }, "13"),
        (Selector { ids: patterns(&["phone-*"]), kinds: patterns(&["server"]), ..none() }, "3"),
        (Selector { kinds: patterns(&["server", "cloud-*"]), ..none() }, "123"),
        (Selector { accounts: patterns(&["other"]), ..none() }, ""),
        (Selector { skus: patterns(&["phone.large"]), regions: patterns(&["ap-*"]), ..none() }, "12"),
        (Selector { labels: labels(&[("env", "prod")]), ..none() }, "13"),
        (Selector { labels: labels(&[("env", "prod"), ("env", "test")]), ..none() }, "123"),
        (Selector { labels: labels(&[("env", "prod"), ("team", "a")]), ..none() }, "1"),
        (Selector { labels: labels(&[("env", "prod"), ("env", "test"), ("team", "*")]), ..none() }, "12"),
        (Selector { labels: labels(&[("absent", "*")]), ..none() }, ""),
        (Selector { tabs: vec![Mode::Auto], ..none() }, "12"),
        (Selector { tabs: vec![Mode::Auto, Mode::Manual], ..none() }, "123"),
        (Selector { tabs: vec![Mode::Manual], labels: labels(&[("env", "test")]), ..none() }, ""),
        (Selector { phases: vec![Phase::Active], ..none() }, "123"),
        (Selector { phases: vec![Phase::Grace, Phase::Expiring], ..none() }, ""),
        (Selector { from_file: Some([id("phone-2"), id("phone-9")].into()), ..none() }, "2"),
        (Selector { from_file: Some([].into()), ..none() }, ""),
        (Selector { search: Some("THE PHONE-2".to_owned()), ..none() }, "2"),
        (Selector { search: Some("Team".to_owned()), ..none() }, "12"),
    ] {
        assert_eq!(selected(&world, &selector).concat(), expected, "{selector:?}");
    }
}

#[test]
fn only_exact_ids_can_be_missing() {
    let world = world();
    let selector = Selector {
        ids: patterns(&["phone-1", "phone-9", "server-*", "phone-8"]),
        from_file: Some([id("phone-7"), id("phone-9"), id("phone-2")].into()),
        ..Selector::default()
    };
    assert_eq!(missing(&world.state, &selector), [id("phone-7"), id("phone-8"), id("phone-9")]);
}

/// What has expired is not among it, and the last instant is: a daily run sees every expiry exactly once.
#[test]
fn expires_within_counts_local_days_from_now() {
    // The phones expire on 20 November at 23:59:59.
    for (now, days, expected) in [
        ("2026-11-13T23:59:58", 7, false),
        ("2026-11-13T23:59:59", 7, true),
        ("2026-11-19T23:59:58", 1, false),
        ("2026-11-19T23:59:59", 1, true),
        ("2026-11-20T23:59:58", 1, true),
        ("2026-11-20T23:59:59", 1, false),
        ("2026-11-20T23:59:58", 0, false),
        ("2026-11-21T00:00:00", 400, false),
    ] {
        let mut world = world();
        world.now = local(now).instant();
        let selector = Selector { expires_within: Some(Days(days)), ..Selector::default() };
        assert_eq!(!selected(&world, &selector).is_empty(), expected, "{now} within {days} d");
    }
    for hour in 0..24 {
        let mut world = world();
        world.now = at(&format!("2026-11-10T{hour:02}:59:59Z"));
        let selector = Selector { expires_within: Some(Days(1)), ..Selector::default() };
        let mut seen = 0;
        for _ in 0..20 {
            seen += usize::from(!selected(&world, &selector).is_empty());
            world.advance(24 * 3600);
        }
        assert_eq!(seen, 1, "daily at {hour}:59:59 UTC");
    }
}

#[test]
fn expires_before_is_exclusive_and_a_local_time_is_each_resource_s_own() {
    let moment = |text: &str| LocalMoment::Local(text.parse().unwrap());
    for (moment, expected) in [
        (moment("2026-11-20T23:59:59"), ""),
        (moment("2026-11-21T00:00:00"), "123"),
        (LocalMoment::Instant(at("2026-11-20T15:59:59Z")), ""),
        (LocalMoment::Instant(at("2026-11-20T16:00:00Z")), "123"),
    ] {
        let selector = Selector { expires_before: Some(moment), ..Selector::default() };
        assert_eq!(selected(&world(), &selector).concat(), expected, "{moment:?}");
    }
    let mut world = world();
    world.edit_resource("phone-2", |resource| resource.end.expiry.zone = chrono_tz::Europe::Paris);
    let selector = Selector { expires_before: Some(moment("2026-11-20T23:59:59")), ..Selector::default() };
    assert_eq!(selected(&world, &selector), Vec::<String>::new(), "the same local time in its own zone");
}
