//! Payment gateways that nobody here wrote: PyPI `localstripe` and npm `stripe-stateful-mock`, installed once into the
//! target folder, started for a test on a free port, and stopped with it.
//!
//! Where one cannot be had (no network, no Python, no Node), its tests say so on standard error and pass; where `CI` or
//! `RENEWD_CI` is set, they fail.

use crate::skipping::skip_or_fail;
use crate::wire::{self, Reply};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The secret that both stand-ins take; it appears nowhere but here and on the wire.
pub const SECRET: &str = "sk_test_aN0tQuiteSecretKey42";
/// One installation at a time, also when several tests start together.
static INSTALLING: Mutex<()> = Mutex::new(());
/// Ports that gateways of this process were told to listen on.
static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
const START: Duration = Duration::from_secs(30);
/// Starts localstripe without its copy on disk, whose path all its instances share.
const LOCALSTRIPE: &str = "from localstripe import resources, server\n\
                           resources.Store.dump_to_disk = lambda self: None\n\
                           server.start()\n";

/// Which gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PyPI `localstripe`: payment intents, no idempotency keys, lists from the oldest on.
    LocalStripe,
    /// npm `stripe-stateful-mock`: charges only, holds idempotency keys to their request.
    StatefulMock,
}

impl Kind {
    /// Its package with the version that was looked at.
    pub fn package(self) -> &'static str {
        match self {
            Self::LocalStripe => "localstripe==1.15.10",
            Self::StatefulMock => "stripe-stateful-mock@0.0.16",
        }
    }

    /// Where it lists its payments.
    pub fn payments(self) -> &'static str {
        match self {
            Self::LocalStripe => "/v1/payment_intents",
            Self::StatefulMock => "/v1/charges",
        }
    }

    fn folder(self, cache: &Path) -> PathBuf {
        let name: String = self.package().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        cache.join("standins").join(name)
    }

    fn install(self, folder: &Path) -> Result<(), String> {
        match self {
            Self::LocalStripe => {
                done(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
                let mut pip = Command::new(folder.join("bin/python"));
                done(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", self.package()]))
            }
            Self::StatefulMock => {
                let mut npm = Command::new("npm");
                npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]);
                done(npm.arg(folder).arg(self.package()))
            }
        }
    }

    fn command(self, folder: &Path, port: u16) -> Command {
        let port = port.to_string();
        match self {
            Self::LocalStripe => {
                let mut command = Command::new(folder.join("bin/python"));
                command.args(["-c", LOCALSTRIPE, "--from-scratch", "--port", &port]);
                command
            }
            Self::StatefulMock => {
                let mut command = Command::new("node");
                command.arg(folder.join("node_modules/stripe-stateful-mock/dist/cli.js"));
                command.env("PORT", port).env("LOG_LEVEL", "silent");
                command
            }
        }
    }
}

/// A running gateway.
#[derive(Debug)]
pub struct StandIn {
    child: Child,
    kind: Kind,
    /// Where it listens, on this machine.
    pub port: u16,
}

impl StandIn {
    /// Starts one, or says why not. `cache` is where it is kept installed: `CARGO_TARGET_TMPDIR`.
    pub fn start(kind: Kind, cache: &str) -> Option<Self> {
        let started = installed(kind, Path::new(cache)).and_then(|folder| run(kind, &folder));
        match started {
            Ok(standin) => Some(standin),
            Err(why) => {
                skip(kind, &why);
                None
            }
        }
    }

    /// What it answers to a request sent directly, past every plugin and proxy.
    pub fn ask(&self, method: &str, path: &str, form: &str) -> Reply {
        wire::ask(self.port, method, path, form, SECRET)
    }

    /// All payments that it knows.
    pub fn ledger(&self) -> Vec<Value> {
        let reply = self.ask("GET", &format!("{}?limit=100000", self.kind.payments()), "");
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["data"].as_array().expect("a list").clone()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The folder that it is installed in; whole, or not there at all.
fn installed(kind: Kind, cache: &Path) -> Result<PathBuf, String> {
    let _one = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = kind.folder(cache);
    let whole = folder.join("installed");
    if !whole.is_file() {
        _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        kind.install(&folder)?;
        fs::write(whole, kind.package()).map_err(|error| error.to_string())?;
    }
    Ok(folder)
}

fn run(kind: Kind, folder: &Path) -> Result<StandIn, String> {
    let port = free_port();
    let mut command = kind.command(folder, port);
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
    let mut standin = StandIn { child, kind, port };
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let over = standin.child.try_wait().is_ok_and(|status| status.is_some());
        if over || begun.elapsed() > START {
            return Err(format!("{command:?} does not listen on port {port}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(standin)
}

/// A free port, never the same one twice: another gateway may be about to listen on it.
fn free_port() -> u16 {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        if given.insert(port) {
            return port;
        }
    }
}

fn done(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

fn skip(kind: Kind, why: &str) {
    skip_or_fail(&format!("no {}, so nothing is shown against it: {why}", kind.package()));
}
