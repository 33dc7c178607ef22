//! Machines that renew themselves, for the tests of `run`: who pays, and when it is due.

use renewd_tests::world::{ACCOUNT, Machine, PLUGINS, POLICY, World, inventory, item};
use serde_json::Value;

/// When a machine that expires on 10 December is charged: 03:00 in Singapore, seven days before.
pub(crate) const DUE: &str = "2026-12-02T19:00:00Z";
/// A second before.
pub(crate) const NOT_YET: &str = "2026-12-02T18:59:59Z";
/// The expiry of such a machine.
pub(crate) const EXPIRY: &str = "2026-12-10T23:59:59+08:00";
/// Its expiry after one renewal.
pub(crate) const RENEWED: &str = "2027-01-10T23:59:59+08:00";

/// A policy of automatic renewal with more lines of its own.
pub(crate) fn auto(more: &str) -> String {
    format!("{}{more}", POLICY.replace("mode: manual", "mode: auto"))
}

/// A world of machines under a policy, applied.
#[track_caller]
pub(crate) fn world(policy: &str, machines: &[Machine]) -> World {
    let world = World::new();
    world.write("policies/policy.yaml", policy);
    world.write("fleet.csv", &inventory(machines));
    world.run(["apply", "policies", "--resources", "fleet.csv"]).exits(0);
    world
}

/// A world whose account pays with its balance, applied.
#[track_caller]
pub(crate) fn from_balance(policy: &str, machines: &[Machine]) -> World {
    let world = World::new();
    world.write("policies/policy.yaml", policy);
    world.write("policies/account.yaml", &ACCOUNT.replace("on-account", "balance"));
    world.write("fleet.csv", &inventory(machines));
    world.run(["apply", "policies", "--resources", "fleet.csv"]).exits(0);
    world
}

/// A world that pays through the plugin that plays `act`, applied.
#[track_caller]
pub(crate) fn paid_by(act: &str, policy: &str, machines: &[Machine]) -> World {
    let world = World::new();
    world.write("policies/policy.yaml", policy);
    let plugins = PLUGINS
        .replace("invoice.wasm", "fixtures/hostile-payment.wasm")
        .replace("{ creditLimit: \"100000 USD\", netDays: 30 }", &format!("{{ do: {act} }}"));
    world.write("policies/plugins.yaml", &plugins);
    world.write("fleet.csv", &inventory(machines));
    world.run(["apply", "policies", "--resources", "fleet.csv"]).exits(0);
    world
}

/// Puts money on the account.
#[track_caller]
pub(crate) fn top_up(world: &World, money: &str, reference: &str) {
    world.run(["orders", "topup", "acme", money, "--reference", reference]).exits(0);
}

/// The verdict and reason of a resource.
#[track_caller]
pub(crate) fn verdict(run: &Value, resource: &str) -> (String, String) {
    let item = item(run, resource);
    let word = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
    (word("verdict"), word("reason"))
}

/// What was charged in US dollars.
pub(crate) fn charged(run: &Value) -> &str {
    run["charged"]["USD"]["amount"].as_str().unwrap_or("0")
}

/// A run at this moment finds nothing more to do: it answers nothing and journals nothing.
#[track_caller]
pub(crate) fn is_done(world: &World) {
    let sequence = world.sequence();
    let again = world.json(0, ["run"]);
    assert_eq!((charged(&again), again["items"].as_array().map(Vec::len)), ("0", Some(0)), "{again}");
    assert_eq!(world.sequence(), sequence, "a second run at the same moment journals nothing: {again}");
}

/// An order as `show` has it.
#[track_caller]
pub(crate) fn order(world: &World, id: &str) -> Value {
    world.json(0, ["show", id])
}

/// The order that a resource is in.
#[track_caller]
pub(crate) fn order_of(run: &Value, resource: &str) -> String {
    item(run, resource)["order"].as_str().unwrap_or_else(|| panic!("no order of {resource} in {run}")).to_owned()
}
