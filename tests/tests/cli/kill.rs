//! `kill -9` at random moments: the old state or the new one, never a mixture, and no order lost once it was shown.
//!
//! `RENEWD_KILLS` says how often each command is killed in all; CI runs 200, a plain `cargo test` fewer.

use renewd_tests::dice::Dice;
use renewd_tests::process::{answer, command};
use renewd_tests::world::{World, inventory, machines};
use std::collections::BTreeSet;
use std::io::Read as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// How many resources each command touches.
const MACHINES: usize = 40;

fn kills() -> u64 {
    std::env::var("RENEWD_KILLS").map_or(24, |text| text.parse().expect("RENEWD_KILLS is a number"))
}

/// What a killed or finished process had written to standard output.
fn run_and_kill(world: &World, args: &[&str], after: Duration) -> (bool, String) {
    let mut command = command(world.path(), Some(world.now()), args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + after;
    let mut killed = true;
    while Instant::now() < deadline {
        if child.try_wait().unwrap().is_some() {
            killed = false;
            break;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    if killed {
        // SIGKILL on Unix: the process has no chance to tidy up.
        let _ = child.kill();
    }
    let mut shown = String::new();
    let _ = child.stdout.take().unwrap().read_to_string(&mut shown);
    let _ = child.wait();
    (killed, shown)
}

/// How long a command takes undisturbed, so that kills fall between its start and its end.
fn duration_of(mut act: impl FnMut()) -> Duration {
    let started = Instant::now();
    act();
    started.elapsed()
}

fn moment(dice: &mut Dice, whole: Duration) -> Duration {
    Duration::from_micros(dice.below(u64::try_from(whole.as_micros()).unwrap().max(1) * 11 / 10))
}

fn seed(what: &str) -> Dice {
    let seed = std::env::var("RENEWD_KILL_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    eprintln!("{what}: repeat with RENEWD_KILL_SEED={seed}");
    Dice::seeded(seed)
}

/// The journal is whole. An index that died while it was written may be unreadable: the next command makes it anew.
fn verify_after_a_kill(world: &World) {
    let verified = world.run(["store", "verify"]);
    if verified.code != Some(0) {
        verified.exits(6).says("the journal is whole, and the next command makes the index anew");
        world.run(["list", "-q"]).exits(0);
    }
    world.verify();
}

#[test]
fn a_killed_import_leaves_the_old_or_the_new_state() {
    let mut dice = seed("import");
    let after_import = {
        let world = World::with_machines(&machines(1, "2026-12-10"));
        world.write("more.csv", &inventory(&machines(MACHINES, "2027-03-03")));
        duration_of(|| drop(world.run(["import", "more.csv", "--take", "inventory"])))
    };
    let mut seen = BTreeSet::new();
    let mut round = 0;
    let mut world = World::with_machines(&machines(1, "2026-12-10"));
    for kill in 0..kills().div_ceil(3) {
        // Each import changes every resource, so that a mixture would show.
        round += 1;
        let day = 1 + (round % 27);
        world.write("more.csv", &inventory(&machines(MACHINES, &format!("2027-03-{day:02}"))));
        let before = expiries(&world);
        let _ = run_and_kill(&world, &["import", "more.csv", "--take", "inventory"], moment(&mut dice, after_import));
        verify_after_a_kill(&world);
        let after = expiries(&world);
        let new = format!("2027-03-{day:02}T23:59:59+08:00");
        let is_new = after.len() == MACHINES && after.iter().all(|(_, expiry)| *expiry == new);
        assert!(after == before || is_new, "kill {kill}: a mixture: {after:?}");
        seen.insert(is_new);
        if kill % 20 == 19 {
            world = World::with_machines(&machines(1, "2026-12-10"));
        }
    }
    eprintln!("states seen: {seen:?}");
}

#[test]
fn a_killed_apply_leaves_the_old_or_the_new_revision() {
    let mut dice = seed("apply");
    let arguments = ["apply", "policies", "--resources", "fleet.csv"];
    let fresh = || {
        let world = World::new();
        world.write("fleet.csv", &inventory(&machines(MACHINES, "2026-12-10")));
        world.write(
            "policies/request.yaml",
            "apiVersion: renewd/v1\nkind: RenewalRequest\nmetadata: { name: all }\nspec: { match: {}, term: P1M }\n",
        );
        world
    };
    let whole = {
        let world = fresh();
        duration_of(|| drop(world.run(arguments)))
    };
    for kill in 0..kills().div_ceil(3) {
        let world = fresh();
        let (_, shown) = run_and_kill(&world, &arguments, moment(&mut dice, whole));
        if world.store().join("store.json").exists() {
            let listed = answer(&mut command(world.path(), Some(world.now()), ["list", "-o", "json"]));
            if listed.code == Some(0) {
                world.verify();
                let count = listed.json()["resources"].as_array().unwrap().len();
                assert!(count == 0 || count == MACHINES, "kill {kill}: a mixture of {count}");
                assert_shown_orders_exist(&world, &shown);
            }
        }
        // Whatever was left behind, the same command finishes the work.
        world.run(arguments).exits(0);
        world.verify();
        assert_eq!(expiries(&world).len(), MACHINES);
        assert_eq!(world.orders().len(), 1, "kill {kill}: the request's order is placed exactly once");
    }
}

#[test]
fn a_killed_renew_charges_and_extends_each_resource_at_most_once() {
    let mut dice = seed("renew");
    let arguments = ["renew", "--all", "--request-id", "all", "--yes", "-o", "json"];
    let whole = {
        let world = World::with_machines(&machines(MACHINES, "2026-12-10"));
        duration_of(|| drop(world.run(arguments)))
    };
    for kill in 0..kills().div_ceil(3) {
        let world = World::with_machines(&machines(MACHINES, "2026-12-10"));
        let (_, shown) = run_and_kill(&world, &arguments, moment(&mut dice, whole));
        verify_after_a_kill(&world);
        assert_shown_orders_exist(&world, &shown);
        for order in world.orders() {
            let status = order["status"].as_str().unwrap().to_owned();
            assert!(["placed", "settled", "unknown"].contains(&status.as_str()), "kill {kill}: {order}");
            if status == "unknown" {
                // The process died after its intent. A person looks into the ledger: nothing was taken.
                let id = order["order"].as_str().unwrap();
                world.run(["orders", "resolve", id, "--as", "declined", "--reason", "looked"]).exits(0);
            }
        }
        let before: BTreeSet<String> = expiries(&world).into_iter().map(|(_, expiry)| expiry).collect();
        assert_eq!(before.len(), 1, "kill {kill}: one order settles as one: {before:?}");
        let _ = world.run(arguments);
        world.verify();
        for (id, expiry) in expiries(&world) {
            assert!(
                ["2026-12-10T23:59:59+08:00", "2027-01-10T23:59:59+08:00"].contains(&expiry.as_str()),
                "kill {kill}: {id} {expiry}"
            );
        }
        let settled = world.orders().iter().filter(|order| order["status"] == "settled").count();
        assert!(settled <= 1, "kill {kill}: paid {settled} times");
    }
}

fn expiries(world: &World) -> Vec<(String, String)> {
    let listed = world.json(0, ["list"]);
    let resources = listed["resources"].as_array().unwrap();
    resources
        .iter()
        .map(|it| (it["id"].as_str().unwrap().to_owned(), it["expiry"].as_str().unwrap().to_owned()))
        .collect()
}

/// Every order that was shown before the kill is still there.
fn assert_shown_orders_exist(world: &World, shown: &str) {
    let orders: BTreeSet<String> =
        world.orders().iter().map(|order| order["order"].as_str().unwrap().to_owned()).collect();
    let words = shown.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    for word in words.filter(|word| word.starts_with("ord_")) {
        // A word cut off by the kill is the beginning of an order.
        assert!(orders.iter().any(|order| order.starts_with(word)), "{word} was shown and lost: {orders:?}");
    }
}
