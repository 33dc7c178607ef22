//! Every attack of a pricing plugin ends in a typed failure, soon, and the next call works.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at once")]

mod common;

use common::{act, hostile_pricing, price_request};
use renewd_plugin_host::{InvalidOutput, ItemFailure, Limits, PluginFailure, PricingPlugin};
use std::time::{Duration, Instant};

fn failure(plugin: &PricingPlugin, action: &str) -> PluginFailure {
    let started = Instant::now();
    let verdict = plugin.quote(&act(action), &[price_request("phone-1")]).value.remove(0);
    assert!(started.elapsed() < Duration::from_secs(3), "{action} took {:?}", started.elapsed());
    assert_next_call_works(plugin);
    match verdict {
        Err(ItemFailure::Failed(failure)) => failure,
        other => panic!("{action}: {other:?}"),
    }
}

fn invalid(plugin: &PricingPlugin, action: &str) -> InvalidOutput {
    match failure(plugin, action) {
        PluginFailure::InvalidOutput { what } => what,
        other => panic!("{action}: {other:?}"),
    }
}

fn assert_next_call_works(plugin: &PricingPlugin) {
    let quote = plugin.quote("{}", &[price_request("phone-1")]).value.remove(0).unwrap();
    assert_eq!(quote.total.to_string(), "1.00 USD");
}

#[test]
fn a_trap_is_contained() {
    assert!(matches!(failure(&hostile_pricing(Limits::default()), "trap"), PluginFailure::Trap { .. }));
}

#[test]
fn an_endless_loop_runs_out_of_fuel() {
    assert_eq!(failure(&hostile_pricing(Limits::default()), "loop"), PluginFailure::OutOfFuel { budget: 11_000_000 });
}

#[test]
fn an_endless_loop_with_much_fuel_meets_the_deadline() {
    let limits = Limits { fuel_base: u64::MAX / 4, wall: Duration::from_millis(100), ..Limits::default() };
    assert_eq!(failure(&hostile_pricing(limits), "loop"), PluginFailure::Deadline { milliseconds: 100 });
}

#[test]
fn memory_is_bounded_in_total() {
    let most = 8 * 1024 * 1024;
    let limits = Limits { memory_bytes: most, ..Limits::default() };
    assert_eq!(failure(&hostile_pricing(limits), "grow"), PluginFailure::Memory { most });
}

#[test]
fn recursion_uses_up_the_stack_only() {
    // The guest's own 64 KiB stack ends first, by a reach outside of memory or the engine's stack.
    let found = failure(&hostile_pricing(Limits::default()), "recurse");
    assert!(matches!(found, PluginFailure::Stack | PluginFailure::Trap { .. }), "{found:?}");
}

#[test]
fn log_floods_are_paid_for_and_cut() {
    let plugin = hostile_pricing(Limits::default());
    let found = failure(&plugin, "log-flood");
    assert!(matches!(found, PluginFailure::HostcallLimit { .. } | PluginFailure::OutOfFuel { .. }), "{found:?}");

    let called = plugin.quote(&act("log-much"), &[price_request("phone-1")]);
    assert!(called.value[0].is_ok());
    let kept: usize = called.log.lines.iter().map(|line| line.message.len()).sum();
    assert_eq!(kept, Limits::default().log_bytes);
    assert_eq!(called.log.dropped_bytes, 40 * 3000 - kept as u64);
    assert!(called.fuel > 40 * (1000 + 4 * 3000));
}

#[test]
fn one_log_line_is_cut_to_its_limit() {
    let plugin = hostile_pricing(Limits { log_line_bytes: 100, ..Limits::default() });
    let called = plugin.quote(&act("log-much"), &[price_request("phone-1")]);
    assert!(called.log.lines.iter().all(|line| line.message.len() == 100));
}

#[test]
fn nothing_that_a_plugin_says_steers_a_terminal() {
    let plugin = hostile_pricing(Limits::default());
    let called = plugin.quote(&act("log-steer"), &[price_request("phone-1")]);
    assert_eq!(called.log.lines[0].message, "clear \u{fffd}[2J screen");
    let quote = plugin.quote(&act("steer-terminal"), &[price_request("phone-1")]).value.remove(0).unwrap();
    assert_eq!(quote.lines[0].description, "\u{fffd}[2J");
}

#[test]
fn large_answers_stop_at_the_crossing() {
    let plugin = hostile_pricing(Limits::default());
    let most = Limits::default().hostcall_bytes(1);
    for action in ["long-text", "aliased-text"] {
        assert_eq!(failure(&plugin, action), PluginFailure::HostcallLimit { most }, "{action}");
    }
    // A hundred thousand lines do not even fit the fuel or the memory of one call.
    let found = failure(&plugin, "many-lines");
    assert!(
        matches!(
            found,
            PluginFailure::HostcallLimit { .. } | PluginFailure::OutOfFuel { .. } | PluginFailure::Memory { .. }
        ),
        "{found:?}"
    );
}

#[test]
fn an_answer_that_crosses_is_still_bounded() {
    let small = Limits { output_bytes_base: 10, output_bytes_per_item: 10, ..Limits::default() };
    let plugin = hostile_pricing(Limits::default());
    assert_eq!(invalid(&plugin, "some-lines"), InvalidOutput::TooMany { at: "lines".into(), count: 100, most: 64 });
    assert_eq!(
        invalid(&plugin, "longish-text"),
        InvalidOutput::TextTooLong { at: "lines/0".into(), bytes: 2000, most: 1000 }
    );
    let refused = common::host().load_pricing(&common::component("fixtures/hostile-pricing"), small);
    assert!(refused.is_err_and(|error| error.to_string().contains("more than 10 bytes")));
}

#[test]
fn wrong_money_is_refused_by_its_rule() {
    let plugin = hostile_pricing(Limits::default());
    for action in ["garbage", "exponent", "huge"] {
        assert!(matches!(invalid(&plugin, action), InvalidOutput::BadDecimal { .. }), "{action}");
    }
    assert!(matches!(invalid(&plugin, "too-fine"), InvalidOutput::TooManyDecimals { .. }));
    assert_eq!(invalid(&plugin, "wrong-sum").to_string(), "the lines add up to 1.00 USD, and the total says 2.00 USD");
    assert_eq!(invalid(&plugin, "other-currency").to_string(), "the plugin answers in `JPY`, and was asked in USD");
    assert!(matches!(invalid(&plugin, "negative-total"), InvalidOutput::NegativeTotal { .. }));
    assert!(matches!(invalid(&plugin, "negative-line"), InvalidOutput::NegativeLine { .. }));
    assert!(matches!(invalid(&plugin, "term-net"), InvalidOutput::TermNet { .. }));
    assert_eq!(invalid(&plugin, "too-few"), InvalidOutput::AnswerCount { requests: 1, answers: 0 });
}

#[test]
fn a_refusal_of_the_plugin_is_no_failure() {
    let verdict = hostile_pricing(Limits::default()).quote(&act("refuse"), &[price_request("phone-1")]).value.remove(0);
    assert!(matches!(verdict, Err(ItemFailure::Refused { code, .. }) if code == "no-price"));
}

#[test]
fn one_bad_item_costs_its_neighbours_nothing() {
    let requests: Vec<_> = ["a", "b", "bad", "c"].into_iter().map(price_request).collect();
    let verdicts = hostile_pricing(Limits::default()).quote(&act("trap-on-bad"), &requests).value;
    let good: Vec<_> = verdicts.iter().map(Result::is_ok).collect();
    assert_eq!(good, [true, true, false, true]);
}

#[test]
fn a_long_batch_becomes_several_calls() {
    let requests: Vec<_> = (0..250).map(|index| price_request(&format!("phone-{index}"))).collect();
    let verdicts = hostile_pricing(Limits::default()).quote("{}", &requests).value;
    assert_eq!(verdicts.len(), 250);
    assert!(verdicts.iter().all(Result::is_ok));
}

#[test]
fn findings_are_checked_too() {
    let plugin = hostile_pricing(Limits::default());
    assert!(plugin.check_config("{}").value.unwrap().is_empty());
    assert!(matches!(plugin.check_config(&act("trap")).value, Err(PluginFailure::Trap { .. })));
    for action in ["many-findings", "bad-pointer"] {
        assert!(
            matches!(plugin.check_config(&act(action)).value, Err(PluginFailure::InvalidOutput { .. })),
            "{action}"
        );
    }
    assert_eq!(plugin.check_config(&act("steer-terminal")).value.unwrap()[0].pointer, "/\u{fffd}[2J");
}
