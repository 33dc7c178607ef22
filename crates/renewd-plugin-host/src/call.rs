//! One call: a fresh store under every limit, the guest's work, and the store's end, whatever came out.
//!
//! INVARIANT (one-store-per-call): no store outlives the function [`run`], so a trap can never poison the next call.

use crate::bindings::{PaymentPluginPre, PricingPluginPre};
use crate::failure::PluginFailure;
use crate::guest_log::GuestLog;
use crate::invalid_output::InvalidOutput;
use crate::limiter::TotalLimiter;
use crate::limits::{HOST_BYTE_FUEL, HOST_CALL_FUEL, Limits};
use serde::{Deserialize, Serialize};
use std::io;
use wasmtime::{Engine, Store, StoreContextMut, Trap};

/// What a call gave, with what it said and used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called<T> {
    /// The checked answer.
    pub value: T,
    /// What the plugin logged, bounded.
    pub log: GuestLog,
    /// Fuel used, the host's own work for the plugin included.
    pub fuel: u64,
}

impl<T> Called<T> {
    /// The same call with its value turned into another.
    pub fn map<U>(self, turn: impl FnOnce(T) -> U) -> Called<U> {
        Called { value: turn(self.value), log: self.log, fuel: self.fuel }
    }
}

/// What the host keeps beside a running guest.
pub(crate) struct CallState {
    pub(crate) limits: Limits,
    pub(crate) log: GuestLog,
    /// Requests that may have left the machine.
    pub(crate) requests_sent: u32,
    limiter: TotalLimiter,
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

/// A world that can be started in a store.
pub(crate) trait World {
    /// The started instance.
    type Instance;

    /// Starts it.
    fn start(&self, store: &mut Store<CallState>) -> wasmtime::Result<Self::Instance>;

    /// The engine it was compiled for.
    fn engine(&self) -> &Engine;
}

impl World for PricingPluginPre<CallState> {
    type Instance = crate::bindings::pricing_world::PricingPlugin;

    fn start(&self, store: &mut Store<CallState>) -> wasmtime::Result<Self::Instance> {
        self.instantiate(store)
    }

    fn engine(&self) -> &Engine {
        Self::engine(self)
    }
}

impl World for PaymentPluginPre<CallState> {
    type Instance = crate::bindings::payment_world::PaymentPlugin;

    fn start(&self, store: &mut Store<CallState>) -> wasmtime::Result<Self::Instance> {
        self.instantiate(store)
    }

    fn engine(&self) -> &Engine {
        Self::engine(self)
    }
}

/// The raw answer of a call, with the count of requests that may have left the machine during it.
pub(crate) struct Raw<T> {
    pub(crate) called: Called<Result<T, PluginFailure>>,
    pub(crate) requests_sent: u32,
}

/// Starts the plugin in a fresh store, lets `work` call it, and measures and bounds what it answers.
pub(crate) fn run<W: World, T: Serialize>(
    world: &W,
    limits: &Limits,
    items: usize,
    work: impl FnOnce(&mut Store<CallState>, &W::Instance) -> wasmtime::Result<T>,
) -> Raw<T> {
    let budget = limits.fuel(items);
    let state =
        CallState { limits: *limits, log: GuestLog::default(), requests_sent: 0, limiter: TotalLimiter::new(*limits) };
    let mut store = Store::new(world.engine(), state);
    let answer = work_in(&mut store, world, items, work).map_err(|error| classify(&error, limits, items));
    let left = store.get_fuel().unwrap_or(0);
    let state = store.into_data();
    let fuel = budget.saturating_sub(left);
    let settle = |value| charge_output(value, limits, items, left);
    let (value, fuel) = match answer.and_then(settle) {
        Ok((value, cost)) => (Ok(value), fuel.saturating_add(cost)),
        Err(failure) => (Err(failure), fuel),
    };
    Raw { called: Called { value, log: state.log, fuel }, requests_sent: state.requests_sent }
}

fn work_in<W: World, T>(
    store: &mut Store<CallState>,
    world: &W,
    items: usize,
    work: impl FnOnce(&mut Store<CallState>, &W::Instance) -> wasmtime::Result<T>,
) -> wasmtime::Result<T> {
    let limits = store.data().limits;
    store.limiter(|state| &mut state.limiter);
    store.set_fuel(limits.fuel(items))?;
    store.set_epoch_deadline(limits.ticks());
    store.epoch_deadline_trap();
    store.set_hostcall_fuel(limits.hostcall_bytes(items));
    let instance = world.start(store)?;
    work(store, &instance)
}

/// Bounds the answer, and takes fuel for the host's work of reading it.
fn charge_output<T: Serialize>(value: T, limits: &Limits, items: usize, left: u64) -> Result<(T, u64), PluginFailure> {
    let most = limits.output_bytes(items);
    let mut counter = ByteCounter { bytes: 0, most };
    if serde_json::to_writer(&mut counter, &value).is_err() {
        return Err(PluginFailure::InvalidOutput { what: InvalidOutput::TooLarge { most } });
    }
    let cost = HOST_BYTE_FUEL.saturating_mul(counter.bytes as u64);
    if cost > left {
        return Err(PluginFailure::OutOfFuel { budget: limits.fuel(items) });
    }
    Ok((value, cost))
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
fn classify(error: &wasmtime::Error, limits: &Limits, items: usize) -> PluginFailure {
    if let Some(failure) = error.downcast_ref::<PluginFailure>() {
        return failure.clone();
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return match trap {
            Trap::OutOfFuel => PluginFailure::OutOfFuel { budget: limits.fuel(items) },
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
