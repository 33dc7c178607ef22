//! One call: a fresh store under every limit, the guest's work, and the store's end, whatever came out.
//!
//! INVARIANT (one-store-per-call): no store outlives the function [`run`], so a trap can never poison the next call.

use crate::exports::{Exports, Started};
use crate::failure::PluginFailure;
use crate::guest_log::GuestLog;
use crate::http::{Door, Recording};
use crate::invalid_output::InvalidOutput;
use crate::limiter::TotalLimiter;
use crate::limits::{ANSWER_BYTE_FUEL, HOST_BYTE_FUEL, HOST_CALL_FUEL, Limits};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use std::time::{Duration, Instant};
use wasmtime::{Store, StoreContextMut, Trap};

/// What a call gave, with what it said and used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called<T> {
    /// The checked answer.
    pub value: T,
    /// What the plugin logged, bounded.
    pub log: GuestLog,
    /// Fuel used, the host's own work for the plugin included.
    pub fuel: u64,
    /// What was sent and answered, without any secret.
    #[serde(default)]
    pub recording: Recording,
    /// How many requests may have left the machine.
    #[serde(default)]
    pub requests_sent: u32,
}

impl<T> Called<T> {
    /// A value for which nothing was called.
    pub(crate) fn uncalled(value: T) -> Self {
        Self { value, log: GuestLog::default(), fuel: 0, recording: Recording::default(), requests_sent: 0 }
    }

    /// The same call with its value turned into another.
    pub fn map<U>(self, turn: impl FnOnce(T) -> U) -> Called<U> {
        Called {
            value: turn(self.value),
            log: self.log,
            fuel: self.fuel,
            recording: self.recording,
            requests_sent: self.requests_sent,
        }
    }
}

/// What the host keeps beside a running guest.
pub(crate) struct CallState {
    pub(crate) limits: Limits,
    pub(crate) log: GuestLog,
    pub(crate) door: Door,
    limiter: TotalLimiter,
    begun: Instant,
    /// Time that the host, not the guest, has used.
    waited: Duration,
    /// Fuel given for answers, beyond what the call began with.
    granted: u64,
}

impl CallState {
    fn new(limits: Limits, door: Door) -> Self {
        let limiter = TotalLimiter::new(limits);
        Self {
            limits,
            log: GuestLog::default(),
            door,
            limiter,
            begun: Instant::now(),
            waited: Duration::ZERO,
            granted: 0,
        }
    }

    /// Notes time that the host has used; answers the ticks that the guest has left.
    pub(crate) fn after_waiting(&mut self, time: Duration) -> u64 {
        self.waited = self.waited.saturating_add(time);
        self.limits.ticks_after(self.begun.elapsed().saturating_sub(self.waited))
    }
}

/// Takes fuel for a host call that moves `bytes`; traps when there is too little left.
pub(crate) fn charge_fuel(store: &mut StoreContextMut<'_, CallState>, bytes: usize) -> wasmtime::Result<()> {
    let cost = HOST_CALL_FUEL.saturating_add(HOST_BYTE_FUEL.saturating_mul(bytes as u64));
    let left = store.get_fuel()?;
    if left < cost {
        store.set_fuel(0)?;
        return Err(Trap::OutOfFuel.into());
    }
    store.set_fuel(left.saturating_sub(cost))
}

/// Gives fuel for reading an answer of `bytes`.
pub(crate) fn grant_fuel(store: &mut StoreContextMut<'_, CallState>, bytes: usize) -> wasmtime::Result<()> {
    let more = ANSWER_BYTE_FUEL.saturating_mul(bytes as u64);
    let left = store.get_fuel()?;
    store.data_mut().granted = store.data().granted.saturating_add(more);
    store.set_fuel(left.saturating_add(more))
}

/// The raw answer of a call.
pub(crate) type Raw<T> = Called<Result<T, PluginFailure>>;

/// Starts the plugin in a fresh store, lets `work` call it, and measures and bounds what it answers.
pub(crate) fn run<T: Serialize + DeserializeOwned>(
    exports: &Exports,
    limits: &Limits,
    items: usize,
    door: Door,
    work: impl FnOnce(&mut Store<CallState>, &Started<'_>) -> wasmtime::Result<T>,
) -> Raw<T> {
    let mut store = Store::new(exports.engine(), CallState::new(*limits, door));
    let answer = work_in(&mut store, exports, items, work);
    let left = store.get_fuel().unwrap_or(0);
    let state = store.into_data();
    let budget = limits.fuel(items).saturating_add(state.granted);
    let answer = answer.map_err(|error| classify(&error, limits, items, budget));
    let fuel = budget.saturating_sub(left);
    let settle = |value| charge_output(value, limits, items, Tank { left, budget });
    let CallState { log, door, .. } = state;
    let (value, fuel) = match answer.and_then(settle) {
        Ok((value, cost)) => (without_secrets(value, &door), fuel.saturating_add(cost)),
        Err(failure) => (Err(failure), fuel),
    };
    let log = log.map(|message| door.blank_text(message));
    Called { value, log, fuel, requests_sent: door.sent, recording: door.recording }
}

fn work_in<T>(
    store: &mut Store<CallState>,
    exports: &Exports,
    items: usize,
    work: impl FnOnce(&mut Store<CallState>, &Started<'_>) -> wasmtime::Result<T>,
) -> wasmtime::Result<T> {
    let limits = store.data().limits;
    store.limiter(|state| &mut state.limiter);
    store.set_fuel(limits.fuel(items))?;
    store.set_epoch_deadline(limits.ticks_after(Duration::ZERO));
    store.epoch_deadline_trap();
    store.set_hostcall_fuel(limits.hostcall_bytes(items));
    let instance = exports.start(store)?;
    work(store, &instance)
}

/// Fuel at the end of a call.
struct Tank {
    left: u64,
    budget: u64,
}

/// Bounds the answer, and takes fuel for the host's work of reading it.
fn charge_output<T: Serialize>(value: T, limits: &Limits, items: usize, tank: Tank) -> Result<(T, u64), PluginFailure> {
    let most = limits.output_bytes(items);
    let mut counter = ByteCounter { bytes: 0, most };
    if serde_json::to_writer(&mut counter, &value).is_err() {
        return Err(PluginFailure::InvalidOutput { what: InvalidOutput::TooLarge { most } });
    }
    let cost = HOST_BYTE_FUEL.saturating_mul(counter.bytes as u64);
    if cost > tank.left {
        return Err(PluginFailure::OutOfFuel { budget: tank.budget });
    }
    Ok((value, cost))
}

/// A guest sees no secret that can be told, but it may put one together again out of a form that was not told. What it
/// answers is journaled and shown, so it is searched like what it was answered.
fn without_secrets<T: Serialize + DeserializeOwned>(value: T, door: &Door) -> Result<T, PluginFailure> {
    let unreadable = |_| PluginFailure::InvalidOutput { what: InvalidOutput::BadText { at: "answer".to_owned() } };
    door.blank_value(value).map_err(unreadable)
}

/// Counts the bytes of an answer's JSON without keeping them.
struct ByteCounter {
    bytes: usize,
    most: usize,
}

impl io::Write for ByteCounter {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.bytes = self.bytes.saturating_add(part.len());
        if self.bytes > self.most { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(part.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Names what stopped the guest.
fn classify(error: &wasmtime::Error, limits: &Limits, items: usize, budget: u64) -> PluginFailure {
    if let Some(failure) = error.downcast_ref::<PluginFailure>() {
        return failure.clone();
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return match trap {
            Trap::OutOfFuel => PluginFailure::OutOfFuel { budget },
            Trap::Interrupt => {
                PluginFailure::Deadline { milliseconds: u64::try_from(limits.wall.as_millis()).unwrap_or(u64::MAX) }
            }
            Trap::StackOverflow => PluginFailure::Stack,
            other => PluginFailure::Trap { what: crash_name(*other) },
        };
    }
    // wasmtime has no public type for this one; a test holds the wording.
    let text = format!("{error:#}");
    if text.contains("fuel allocated for hostcalls") {
        return PluginFailure::HostcallLimit { most: limits.hostcall_bytes(items) };
    }
    if let Some((what, most)) = count_limit(&text, limits) {
        return PluginFailure::Count { what: what.to_owned(), most };
    }
    PluginFailure::Start { what: crate::text::excerpt(&text) }
}

/// wasmtime refuses too many instances, tables or memories by a text only.
fn count_limit(text: &str, limits: &Limits) -> Option<(&'static str, usize)> {
    let counts = [
        ("instance", "instances", limits.instances),
        ("table", "tables", limits.tables),
        ("memory", "memories", limits.memories),
    ];
    let of = counts.into_iter().find(|(word, _, _)| text.contains(&format!("{word} count too high")));
    of.map(|(_, name, most)| (name, most))
}

fn crash_name(trap: Trap) -> String {
    match trap {
        Trap::UnreachableCodeReached => "it gave up by itself".to_owned(),
        Trap::MemoryOutOfBounds => "it reached outside of its memory".to_owned(),
        Trap::IntegerDivisionByZero => "it divided by zero".to_owned(),
        other => other.to_string(),
    }
}
