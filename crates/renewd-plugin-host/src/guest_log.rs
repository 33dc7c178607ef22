//! `renewd:plugin/log`: what a plugin says, bounded and paid for with fuel.

use crate::bindings::log::Level;
use crate::call::{CallState, charge_fuel};
use crate::limits::Limits;
use crate::text::{harmless, truncated};
use crate::version::Version;
use serde::{Deserialize, Serialize};
use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// For the plugin's author.
    Debug,
    /// For anyone who looks.
    Info,
    /// Something is odd.
    Warning,
    /// Something failed.
    Error,
}

/// One line that a plugin logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// What it says, control characters replaced.
    pub message: String,
}

/// Everything kept of what one call logged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GuestLog {
    /// The kept lines, oldest first.
    pub lines: Vec<LogLine>,
    /// Bytes that were over a limit and are gone.
    pub dropped_bytes: u64,
}

impl GuestLog {
    fn push(&mut self, level: LogLevel, message: &str, limits: &Limits) {
        let used: usize = self.lines.iter().map(|line| line.message.len()).sum();
        let room = limits.log_bytes.saturating_sub(used).min(limits.log_line_bytes);
        let kept = truncated(message, room);
        let dropped = message.len().saturating_sub(kept.len());
        self.dropped_bytes = self.dropped_bytes.saturating_add(dropped as u64);
        if !kept.is_empty() {
            self.lines.push(LogLine { level, message: harmless(kept.to_owned()) });
        }
    }

    /// The same log with every message turned into another.
    pub(crate) fn map(mut self, turn: impl Fn(String) -> String) -> Self {
        self.lines.iter_mut().for_each(|line| line.message = turn(std::mem::take(&mut line.message)));
        self
    }

    /// Adds what another call logged.
    pub(crate) fn append(&mut self, other: Self) {
        self.lines.extend(other.lines);
        self.dropped_bytes = self.dropped_bytes.saturating_add(other.dropped_bytes);
    }
}

/// Links `log`. By hand, because the generated binding has no access to the store's fuel.
pub(crate) fn link(linker: &mut Linker<CallState>, version: Version) -> wasmtime::Result<()> {
    linker.instance(&version.name("log"))?.func_wrap(
        "write",
        |mut store: StoreContextMut<'_, CallState>, (level, message): (Level, String)| {
            charge_fuel(&mut store, message.len())?;
            let state = store.data_mut();
            let level = match level {
                Level::Debug => LogLevel::Debug,
                Level::Info => LogLevel::Info,
                Level::Warning => LogLevel::Warning,
                Level::Error => LogLevel::Error,
            };
            let limits = state.limits;
            state.log.push(level, &message, &limits);
            Ok(())
        },
    )
}
