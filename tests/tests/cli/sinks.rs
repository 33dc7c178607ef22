//! Events out: what happened is told to webhooks and files, signed, in order, at least once, and under the same ids.

use super::due::{DUE, auto};
use hmac::{Hmac, KeyInit as _, Mac as _};
use renewd_tests::process::{Answer, answer, bare, command};
use renewd_tests::wire::{header, read_request, split};
use renewd_tests::world::{World, inventory, machines};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

/// The command with its failpoints compiled in.
const FAILING: &str = env!("CARGO_BIN_EXE_renewd-failpoints");
const VARIABLE: &str = "HOOK_KEY_OF_A_TEST";
const KEY: &str = "whsec_0f1e2d3c4b5a69788796a5b4c3d2e1f0";
/// [`DUE`] in seconds since 1970.
const DUE_SECONDS: &str = "1796238000";

/// What the server does with one request.
#[derive(Debug, Clone, Copy)]
enum Act {
    Take,
    Fail,
    Redirect,
    /// Closes in the middle of the answer's body.
    Cut,
    /// Closes without an answer.
    Close,
}

/// One request as it came.
#[derive(Debug, Clone)]
struct Request {
    head: String,
    body: String,
}

impl Request {
    fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// As a receiver would verify it.
    fn is_signed(&self, seconds: &str) -> bool {
        let signature = header(&self.head, "renewd-signature").unwrap();
        let (time, code) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        let code: Vec<u8> =
            (0..code.len()).step_by(2).map(|at| u8::from_str_radix(&code[at..at + 2], 16).unwrap()).collect();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
        mac.update(format!("{time}.{}", self.body).as_bytes());
        time == seconds && mac.verify_slice(&code).is_ok()
    }
}

/// A receiver of events on this machine.
struct Hook {
    port: u16,
    requests: Receiver<Request>,
}

impl Hook {
    /// Does what `acts` say, one for each request, and then takes everything.
    fn new(acts: &[Act]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, requests) = channel();
        let (script, coming) = channel();
        acts.iter().for_each(|act| script.send(*act).unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Ok(Some(bytes)) = read_request(&mut stream) else { continue };
                let (head, body) = split(&bytes).unwrap();
                let body = String::from_utf8(body.to_vec()).unwrap();
                _ = sender.send(Request { head: head.to_owned(), body });
                let answer: &[u8] = match coming.try_recv().unwrap_or(Act::Take) {
                    Act::Take => b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok",
                    Act::Fail => b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
                    Act::Redirect => b"HTTP/1.1 307 Go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
                    Act::Cut => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
                    Act::Close => b"",
                };
                _ = stream.write_all(answer);
            }
        });
        Self { port, requests }
    }

    fn got(&self) -> Vec<Request> {
        self.requests.try_iter().collect()
    }

    fn document(&self, more: &str) -> String {
        let port = self.port;
        format!(
            "kind: EventSink\nmetadata: {{ name: hook }}\nspec:\n  webhook: http://127.0.0.1:{port}/renewd\n  \
             secret: {{ env: {VARIABLE} }}\n{more}"
        )
    }
}

const LOG: &str = "kind: EventSink\nmetadata: { name: log }\nspec: { file: ../events.ndjson }\n";

/// Machines that renew themselves, with sinks that were there from the beginning.
fn world(sinks: &str, count: usize) -> World {
    let world = World::new();
    world.write("policies/policy.yaml", &auto(""));
    world.write("policies/sinks.yaml", &format!("apiVersion: renewd/v1\n{sinks}"));
    world.write("fleet.csv", &inventory(&machines(count, "2026-12-10")));
    world.run(["apply", "policies", "--resources", "fleet.csv", "--allow", "grants"]).exits(0);
    world
}

/// Runs with the key in the environment.
fn run(world: &World, args: &[&str]) -> Answer {
    answer(command(world.path(), Some(world.now()), args).env(VARIABLE, KEY))
}

/// A run that tells all sinks everything.
#[track_caller]
fn told(world: &World) -> Value {
    run(world, &["run", "-o", "json"]).exits(0).json()
}

/// A run that cannot tell a sink everything.
#[track_caller]
fn left_behind(world: &World) -> Value {
    run(world, &["run", "-o", "json"]).exits(4).json()
}

/// The events of the file.
fn lines(world: &World) -> Vec<Value> {
    let text = fs::read_to_string(world.path().join("events.ndjson")).unwrap_or_default();
    assert!(text.is_empty() || text.ends_with('\n'), "whole lines");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn id(event: &Value) -> String {
    event["id"].as_str().unwrap().to_owned()
}

/// Kinds by their order for one subject.
fn kinds(events: &[Value], subject: &str) -> Vec<String> {
    let of = events.iter().filter(|event| event["subject"] == subject);
    of.map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

/// Each event once, in the order in which it came first.
fn without_repeats(requests: &[Request]) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    requests.iter().map(Request::event).filter(|event| seen.insert(id(event))).collect()
}

#[test]
fn a_run_tells_what_it_did_signed_and_in_order() {
    let hook = Hook::new(&[]);
    let mut world = world(&format!("{}---\n{LOG}", hook.document("")), 2);
    world.set_clock(DUE);
    let run = told(&world);
    assert_eq!(run["delivered"].as_array().unwrap().len(), 2, "{run}");
    let requests = hook.got();
    let events: Vec<Value> = requests.iter().map(Request::event).collect();
    assert!(requests.iter().all(|request| request.is_signed(DUE_SECONDS)), "{requests:?}");
    for request in &requests {
        assert!(request.head.starts_with("POST /renewd HTTP/1.1"), "{request:?}");
        assert_eq!(header(&request.head, "content-type"), Some("application/cloudevents+json; charset=utf-8"));
    }
    assert_eq!(events, lines(&world), "the file has the same");
    assert_eq!(events.iter().map(id).collect::<BTreeSet<_>>().len(), events.len());
    let renewed = kinds(&events, "vm-001");
    assert_eq!(renewed.last().unwrap(), "renewd.renewed.v1", "{renewed:?}");
    let of = events.iter().find(|event| event["type"] == "renewd.renewed.v1").unwrap();
    assert_eq!(of["data"]["oldExpiry"], "2026-12-10T23:59:59+08:00", "{of}");
    assert_eq!(of["data"]["newExpiry"], "2027-01-10T23:59:59+08:00");
    assert_eq!(of["data"]["total"], serde_json::json!({ "amount": "10.00", "currency": "USD" }));
    assert_eq!((&of["specversion"], &of["time"]), (&"1.0".into(), &DUE.into()));
    let store = world.json(0, ["store", "info"])["id"].as_str().unwrap().to_owned();
    assert_eq!(of["source"], format!("urn:renewd:store:{store}"));
    assert!(id(of).starts_with(&store));
    let sequence = world.sequence();
    assert_eq!(told(&world)["delivered"], serde_json::json!([]));
    assert_eq!(world.sequence(), sequence, "an idle run appends nothing");
    assert!(hook.got().is_empty());
    world.verify();
}

#[test]
fn a_server_that_fails_is_told_later_and_the_others_now() {
    let hook = Hook::new(&[Act::Take, Act::Fail, Act::Fail]);
    let mut world = world(&format!("{}---\n{LOG}", hook.document("")), 2);
    world.set_clock(DUE);
    let first = left_behind(&world);
    let behind = &first["delivered"][0];
    assert_eq!((&behind["sink"], &behind["delivered"]), (&"hook".into(), &1.into()), "{first}");
    assert_eq!(first["delivered"][1]["behind"], Value::Null, "{first}");
    let all = lines(&world);
    let kind = all[1]["type"].as_str().unwrap().split('.').nth(1).unwrap();
    let reason = format!("the server answered 500; first in line is `{kind}` {}", id(&all[1]));
    assert_eq!((&behind["behind"]["reason"], &behind["behind"]["failed"]), (&reason.into(), &true.into()));
    assert!(all.len() > 2);
    let board = world.json(0, []);
    let notice = board["notices"].as_array().unwrap().iter().find(|it| it["kind"] == "events-behind").unwrap().clone();
    assert_eq!((&notice["subject"], &notice["when"]), (&"hook".into(), &"2026-12-02T19:00:00+00:00".into()));
    world.set_clock("2026-12-03T19:00:00Z");
    let second = left_behind(&world);
    assert_eq!(second["delivered"][0]["behind"]["since"], "2026-12-02T19:00:00+00:00", "since the first: {second}");
    run(&world, &["run"]).exits(0).says("hook");
    let requests = hook.got();
    assert_eq!(requests.len(), all.len() + 2, "two were not taken");
    assert_eq!(requests[1].body, requests[2].body, "the same again");
    assert_eq!(without_repeats(&requests)[..all.len()], all, "in the order of the journal, none missing");
    world.run([]).exits(0);
    let board = world.json(0, []);
    assert!(board["notices"].as_array().unwrap().iter().all(|it| it["kind"] != "events-behind"), "{board}");
}

#[test]
fn no_answer_but_a_whole_2xx_counts() {
    let mut world = World::new();
    for act in [Act::Cut, Act::Close, Act::Redirect] {
        let hook = Hook::new(&[act]);
        world = self::world(&hook.document(""), 1);
        world.set_clock(DUE);
        let first = left_behind(&world);
        assert_eq!((&first["delivered"][0]["delivered"], hook.got().len()), (&0.into(), 1), "{act:?} {first}");
        told(&world);
        let again = hook.got();
        assert!(again.iter().all(|request| request.head.starts_with("POST /renewd ")), "{again:?}");
        assert!(!again.is_empty(), "{act:?}");
    }
    world.verify();
}

fn failing(world: &World, point: &str) -> Answer {
    let mut command = Command::new(FAILING);
    command.arg("run");
    bare(&mut command, world.path(), Some(world.now()));
    answer(command.env(VARIABLE, KEY).env("RENEWD_FAILPOINT", point))
}

/// Dies before it tells, after it told the first sink, after it told the second; then a run tells the rest.
#[test]
fn a_run_that_is_killed_while_it_tells_loses_nothing() {
    for point in ["outbox.before-deliver", "outbox.after-deliver", "outbox.before-deliver:2", "outbox.after-deliver:2"]
    {
        let hook = Hook::new(&[]);
        let mut world = world(&format!("{}---\n{LOG}", hook.document("")), 3);
        world.set_clock(DUE);
        let killed = failing(&world, point);
        assert_eq!(killed.code, Some(137), "{point}: {} {}", killed.stdout, killed.stderr);
        told(&world);
        let (requests, lines) = (hook.got(), lines(&world));
        let events = without_repeats(&requests);
        let once: BTreeSet<String> = lines.iter().map(id).collect();
        assert_eq!(events.iter().map(id).collect::<BTreeSet<_>>(), once, "{point}: both were told everything");
        let told_twice = requests.len() > events.len() || lines.len() > once.len();
        assert_eq!(told_twice, point.starts_with("outbox.after"), "{point}: again, under the same ids");
        for number in 1..=3 {
            let last = kinds(&events, &format!("vm-{number:03}"));
            assert_eq!(last.last().unwrap(), "renewd.renewed.v1", "{point}: {last:?}");
        }
        world.verify();
    }
}

/// What a crash left of the last line of a file is cut, and the event is told again.
#[test]
fn a_torn_line_of_a_file_is_made_whole() {
    let mut world = world(LOG, 2);
    world.set_clock(DUE);
    assert_eq!(failing(&world, "outbox.after-deliver").code, Some(137));
    let path = world.path().join("events.ndjson");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 20]).unwrap();
    told(&world);
    let (found, expected) = (lines(&world), whole.iter().filter(|byte| **byte == b'\n').count());
    assert_eq!(found.iter().map(id).collect::<BTreeSet<_>>().len(), expected);
    assert_eq!(found.len(), 2 * expected - 1, "all again, but for the torn one");
}

fn contains(folder: &Path, needle: &[u8]) -> Option<std::path::PathBuf> {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let found = if path.is_dir() {
            contains(&path, needle)
        } else {
            let bytes = fs::read(&path).unwrap_or_default();
            bytes.windows(needle.len()).any(|part| part == needle).then_some(path)
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

#[test]
fn the_key_is_nowhere_but_in_the_environment() {
    let hook = Hook::new(&[Act::Fail]);
    let mut world = world(&format!("{}---\n{LOG}", hook.document("")), 1);
    world.set_clock(DUE);
    let mut shown = String::new();
    for args in [&["run", "-v"][..], &["run", "-o", "json"], &["show", "hook"], &["show", "hook", "-o", "json"], &[]] {
        let answer = run(&world, args);
        shown.push_str(&answer.stdout);
        shown.push_str(&answer.stderr);
    }
    assert!(!shown.contains(KEY) && shown.contains(VARIABLE), "{shown}");
    assert_eq!(contains(world.path(), KEY.as_bytes()), None);
    assert!(hook.got().iter().all(|request| !format!("{request:?}").contains(KEY)));
}

#[test]
fn a_key_that_is_not_there_is_named_and_nothing_is_sent_unsigned() {
    let hook = Hook::new(&[]);
    let mut world = world(&hook.document(""), 1);
    world.set_clock(DUE);
    for value in [None, Some("short")] {
        let mut command = command(world.path(), Some(world.now()), ["run", "-o", "json"]);
        if let Some(value) = value {
            command.env(VARIABLE, value);
        }
        let run = answer(&mut command).exits(4).json();
        let reason = run["delivered"][0]["behind"]["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains(VARIABLE) && !reason.contains("`short`"), "{reason}");
    }
    assert!(hook.got().is_empty());
    told(&world);
    assert!(!hook.got().is_empty());
}

#[test]
fn a_webhook_is_guarded_like_a_grant_and_a_sink_begins_with_its_revision() {
    let hook = Hook::new(&[]);
    let mut world = world(LOG, 2);
    world.set_clock(DUE);
    told(&world);
    let before = lines(&world).len();
    world.write("policies/hook.yaml", &format!("apiVersion: renewd/v1\n{}", hook.document("")));
    let refused = world.failure(1, ["apply", "policies"]);
    assert_eq!(refused["error"]["code"], "grants", "{refused}");
    world.run(["plan", "policies"]).exits(0).says("EventSink").says("by sink hook");
    world.run(["apply", "policies", "--allow", "grants"]).exits(0);
    let sequence = world.sequence();
    world.run(["apply", "policies"]).exits(0);
    assert_eq!(world.sequence(), sequence, "a second apply appends nothing");
    told(&world);
    assert!(hook.got().is_empty(), "what happened before is not told");
    world.run(["mode", "manual", "vm-001", "--yes"]).exits(0);
    told(&world);
    let events: Vec<Value> = hook.got().iter().map(Request::event).collect();
    assert_eq!(kinds(&events, "vm-001"), ["renewd.mode-changed.v1"]);
    assert_eq!(lines(&world).len(), before + 1);
    let elsewhere = Hook::new(&[]);
    world.write("policies/hook.yaml", &format!("apiVersion: renewd/v1\n{}", elsewhere.document("")));
    world.run(["apply", "policies"]).exits(1).says("127.0.0.1");
    world.run(["apply", "policies", "--allow", "grants"]).exits(0);
    world.run(["mode", "auto", "vm-001", "--yes"]).exits(0);
    told(&world);
    assert_eq!((hook.got().len(), elsewhere.got().len()), (0, 1), "it goes on where it was");
}

#[test]
fn a_sink_is_told_only_what_it_asks_for() {
    let hook = Hook::new(&[]);
    let mut world = world(&hook.document("  events: [renewed]\n"), 2);
    world.set_clock(DUE);
    told(&world);
    let events: Vec<Value> = hook.got().iter().map(Request::event).collect();
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event["type"] == "renewd.renewed.v1"), "{events:?}");
}

/// What is rehearsed did not happen, so nobody elsewhere is told it, and the real file stays as it is.
#[test]
fn a_rehearsal_tells_this_machine_only_and_writes_its_own_file() {
    let sink = format!(
        "kind: EventSink\nmetadata: {{ name: away }}\nspec:\n  webhook: https://192.0.2.1/renewd\n  secret: {{ env: \
         {VARIABLE} }}\n"
    );
    let hook = Hook::new(&[]);
    let world = world(&format!("{sink}---\n{}---\n{LOG}", hook.document("")), 1);
    let rehearsed = run(&world, &[&format!("--rehearse={DUE}"), "run", "-o", "json"]).exits(4).json();
    let of = |name: &str| {
        let sinks = rehearsed["delivered"].as_array().unwrap().clone();
        sinks.into_iter().find(|sink| sink["sink"] == name).unwrap_or_else(|| panic!("{rehearsed}"))
    };
    let reason = of("away")["behind"]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("a rehearsal sends to this machine only"), "{reason}");
    assert!(of("hook")["delivered"].as_u64().unwrap() > 0);
    assert!(!hook.got().is_empty());
    assert!(!world.path().join("events.ndjson").exists());
    let file = of("log")["to"].as_str().unwrap().to_owned();
    assert!(file.ends_with("rehearsal/events-log.ndjson") && Path::new(&file).exists(), "{file}");
}
