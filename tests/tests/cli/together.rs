//! Several processes on one store: whoever comes second waits, adopts or is told, and nothing is paid twice.

use renewd_tests::process::command;
use renewd_tests::world::{World, machines};
use std::process::Stdio;

#[test]
fn the_same_renewal_started_eight_times_at_once_is_paid_once() {
    let world = World::with_machines(&machines(10, "2026-12-10"));
    for round in 0..4 {
        let id = format!("round-{round}");
        let args = ["renew", "--all", "--request-id", &id, "--yes", "--wait", "30"];
        let children: Vec<_> = (0..8)
            .map(|_| {
                let mut command = command(world.path(), Some(world.now()), args);
                command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            let code = output.status.code();
            assert!(matches!(code, Some(0 | 1 | 4 | 7)), "{code:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        let settled = world.orders().iter().filter(|order| order["status"] == "settled").count();
        assert_eq!(settled, round + 1, "one order a round");
        let month = format!("2027-{:02}-10T23:59:59+08:00", round + 1);
        assert_eq!(world.expiry("vm-010"), month);
        world.verify();
    }
}

#[test]
fn readers_beside_a_writer_see_the_old_or_the_new_state() {
    let world = World::with_machines(&machines(30, "2026-12-10"));
    let args = ["renew", "--all", "--request-id", "r", "--yes"];
    let mut writer = command(world.path(), Some(world.now()), args).stdout(Stdio::null()).spawn().unwrap();
    loop {
        let done = writer.try_wait().unwrap().is_some();
        let listed = world.json(0, ["list", "--wait", "30"]);
        let mut expiries: Vec<&str> =
            listed["resources"].as_array().unwrap().iter().map(|it| it["expiry"].as_str().unwrap()).collect();
        expiries.dedup();
        assert_eq!(expiries.len(), 1, "a mixture: {expiries:?}");
        if done {
            return;
        }
    }
}
