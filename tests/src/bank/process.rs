//! The gateway as a test sees it: a process that it starts, tills that it sets up, ledgers that it reads.

use super::ledger::Ledger;
use super::server::ledger_file;
use crate::wire;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running gateway. It ends with this value, and with the test's process.
#[derive(Debug)]
pub struct Bank {
    child: Child,
    folder: PathBuf,
    /// Where it listens, on this machine.
    pub port: u16,
}

impl Bank {
    /// Starts the gateway's program, which keeps its ledgers in `folder`.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(program: &str, folder: &Path, options: &[&str]) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let mut command = Command::new(program);
        command.arg("--ledgers").arg(folder).arg("--until-input-ends").args(options);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the gateway starts");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(' ').next().and_then(|port| port.parse().ok());
        Self { child, folder: folder.to_path_buf(), port: port.unwrap_or_else(|| panic!("no port: {line}")) }
    }

    /// Where plugins reach it.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A till of its own, by a name that nobody else uses.
    pub fn till(&self, name: &str) -> Till {
        let secret = format!("sk_test_{name}");
        Till { port: self.port, ledger: ledger_file(&self.folder, &secret), secret }
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// One secret key at the gateway, and what it has taken.
#[derive(Debug, Clone)]
pub struct Till {
    port: u16,
    ledger: PathBuf,
    /// The secret.
    pub secret: String,
}

impl Till {
    /// Says what goes wrong from now on; requests are counted anew.
    ///
    /// # Panics
    /// The rules are none.
    pub fn fates(&self, rules: &str) {
        let form = format!("fates={}", rules.replace('%', "%25").replace('=', "%3D").replace('+', "%2B"));
        self.control("fates", &form);
    }

    /// The cardholder confirms a payment, or the bank ends one that was under way.
    ///
    /// # Panics
    /// There is no such payment.
    pub fn complete(&self, payment: &str) {
        self.control("complete", &format!("payment={payment}"));
    }

    /// How many requests of a kind came.
    pub fn seen(&self, op: &str) -> u64 {
        self.control("seen", "")[op].as_u64().unwrap_or(0)
    }

    /// The ledger as it is on disk.
    pub fn ledger(&self) -> Ledger {
        Ledger::read(&self.ledger)
    }

    fn control(&self, what: &str, form: &str) -> Value {
        let reply = wire::ask(self.port, "POST", &format!("/control/{what}"), form, &self.secret);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }
}
