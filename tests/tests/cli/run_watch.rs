//! `run --watch`: rounds until it is told to end, with one JSON document for each that did something.

use super::due::{DUE, EXPIRY, RENEWED, auto, world};
use renewd_tests::process::command;
use renewd_tests::world::{World, machines};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longest wait for something that must come.
const PATIENCE: Duration = Duration::from_secs(60);
/// Time in which two rounds fit at least.
const TWO_ROUNDS: Duration = Duration::from_millis(2600);

struct Watch {
    child: Child,
    rounds: Receiver<Value>,
}

impl Watch {
    fn start(world: &World, more: &[&str]) -> Self {
        let args = ["run", "--watch", "--every", "1s", "-o", "ndjson"].iter().chain(more);
        let mut command = command(world.path(), Some(world.now()), args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, rounds) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines() {
                let round = serde_json::from_str(&line.unwrap()).expect("each line is a document");
                if sender.send(round).is_err() {
                    return;
                }
            }
        });
        Self { child, rounds }
    }

    #[track_caller]
    fn round(&self) -> Value {
        self.rounds.recv_timeout(PATIENCE).expect("a round that did something")
    }

    #[track_caller]
    fn is_silent(&self) {
        let told = self.rounds.recv_timeout(TWO_ROUNDS).ok();
        assert!(told.is_none(), "nothing happened: {told:?}");
    }

    /// Sends a signal and waits for the end: exit code and standard error.
    #[track_caller]
    fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (status.code(), errors)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[test]
fn rounds_are_told_when_something_happened_and_end_with_a_signal() {
    let mut world = world(&auto(""), &machines(2, "2026-12-10"));
    world.run(["mode", "manual", "vm-002"]).exits(0);
    world.set_clock(DUE);
    let watch = Watch::start(&world, &[]);
    let first = watch.round();
    assert_eq!((first["kind"].as_str(), first["formatVersion"].as_u64()), (Some("run"), Some(1)));
    assert_eq!((first["charged"]["USD"]["amount"].as_str(), first["exitCode"].as_u64()), (Some("10.00"), Some(0)));
    watch.is_silent();
    world.run(["mode", "auto", "vm-002", "--wait", "60"]).exits(0);
    let second = watch.round();
    assert_eq!(second["items"][0]["resource"], "vm-002", "{second}");
    for signal in ["-TERM", "-INT"] {
        let watch = Watch::start(&world, &[]);
        watch.is_silent();
        let (code, errors) = watch.end(signal);
        assert_eq!(code, Some(0), "{errors}");
        assert!(errors.contains("ended"), "{errors}");
    }
    assert_eq!(watch.end("-HUP").0, Some(0));
    assert_eq!(world.expiry("vm-002"), RENEWED);
    world.verify();
}

/// What stays refused was told again at every round.
#[test]
fn what_stays_as_it_was_is_told_once() {
    let mut world = world(&auto(""), &machines(1, "2026-12-10"));
    world.set_clock(DUE);
    let watch = Watch::start(&world, &["--max-charge", "1 USD"]);
    let first = watch.round();
    assert_eq!((first["items"][0]["reason"].as_str(), first["exitCode"].as_u64()), (Some("over-max-charge"), Some(1)));
    watch.is_silent();
    assert_eq!(watch.end("-TERM").0, Some(0));
}

/// A sum for each round was no bound: five due renewals were charged within seconds.
#[test]
fn a_sum_holds_for_all_rounds_together() {
    let mut world = world(&auto(""), &machines(5, "2026-12-10"));
    world.set_clock(DUE);
    let watch = Watch::start(&world, &["--max-charge", "20 USD"]);
    let first = watch.round();
    assert_eq!((first["charged"]["USD"]["amount"].as_str(), first["exitCode"].as_u64()), (Some("20.00"), Some(7)));
    std::thread::sleep(TWO_ROUNDS);
    assert_eq!(watch.end("-TERM").0, Some(0));
    let paid = world.orders().iter().filter(|order| order["status"] == "settled").count();
    assert_eq!(paid, 2);
}

#[test]
fn a_busy_store_is_tried_again_at_the_next_round() {
    let mut world = world(&auto(""), &machines(1, "2026-12-10"));
    world.set_clock(DUE);
    let lock = std::fs::File::options().write(true).open(world.store().join("lock")).unwrap();
    lock.lock().unwrap();
    let watch = Watch::start(&world, &["--wait", "0"]);
    watch.is_silent();
    lock.unlock().unwrap();
    assert_eq!(watch.round()["items"][0]["verdict"], "renewed");
    let (code, errors) = watch.end("-TERM");
    assert_eq!(code, Some(0));
    assert!(errors.contains("store-busy") && errors.contains("the next is in 1 s"), "{errors}");
}

/// A damaged store gets no better by waiting.
#[test]
fn a_failure_that_no_round_can_mend_ends_the_watch() {
    let world = world(&auto(""), &machines(1, "2026-12-10"));
    let journal = world.store().join("journal");
    let mut bytes = std::fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&journal, bytes).unwrap();
    std::fs::remove_dir_all(world.store().join("index")).unwrap();
    world.run(["run", "--watch", "--every", "1s"]).exits(6);
}

/// A round that has begun to pay is finished before a signal is obeyed.
#[test]
fn a_signal_in_the_middle_of_a_round_leaves_nothing_unknown() {
    let mut world = world(&auto(""), &machines(30, "2026-12-10"));
    world.set_clock(DUE);
    let watch = Watch::start(&world, &[]);
    std::thread::sleep(Duration::from_millis(150));
    let (code, errors) = watch.end("-TERM");
    if code != Some(0) {
        // It was told to end before it could listen; nothing had begun.
        assert_eq!((code, world.orders().len()), (None, 0), "{errors}");
        return;
    }
    for order in world.orders() {
        assert_eq!(order["status"], "settled", "{order}");
    }
    let expiry = world.expiry("vm-030");
    assert!([EXPIRY, RENEWED].contains(&expiry.as_str()));
    world.verify();
}
