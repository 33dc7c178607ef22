//! The engine: the settings that make guests deterministic and bounded, and the clock behind the wall limit.

use crate::failure::HostError;
use crate::host::Scale;
use crate::limits::{INSTANCES_CEILING, MEMORY_BYTES_CEILING, STACK_BYTES, TABLE_ELEMENTS_CEILING, TICK_MS};
use std::thread;
use std::time::Duration;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Strategy};

/// Guests that can run at the same time in a pool.
const POOL_CALLS: u32 = 16;

/// Bytes of a pooled memory that are wiped in place and kept, rather than given back.
const POOL_KEEP_RESIDENT: usize = 1024 * 1024;

/// Makes the engine and starts its clock.
///
/// # Errors
/// The engine refuses the settings, or the pool does not fit the address space.
pub(crate) fn start(scale: Scale) -> Result<Engine, HostError> {
    let engine = Engine::new(&config(scale)).map_err(|error| HostError::Engine(format!("{error:#}")))?;
    start_clock(&engine)?;
    Ok(engine)
}

/// INVARIANT (deterministic-guest): equal bytes and equal input give an equal answer and equal fuel on every machine.
fn config(scale: Scale) -> Config {
    let mut config = Config::new();
    config.strategy(Strategy::Cranelift);
    config.consume_fuel(true);
    config.epoch_interruption(true);
    config.cranelift_nan_canonicalization(true);
    config.wasm_relaxed_simd(false);
    config.wasm_memory64(false);
    config.concurrency_support(false);
    config.max_wasm_stack(STACK_BYTES);
    config.generate_address_map(false);
    if scale == Scale::Large {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    }
    config
}

fn pool() -> PoolingAllocationConfig {
    let ceiling = u32::try_from(INSTANCES_CEILING).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(POOL_CALLS);
    pool.total_core_instances(POOL_CALLS.saturating_mul(ceiling));
    pool.total_memories(POOL_CALLS.saturating_mul(2));
    pool.total_tables(POOL_CALLS.saturating_mul(8));
    pool.max_core_instances_per_component(ceiling);
    pool.max_memories_per_component(ceiling);
    pool.max_tables_per_component(ceiling);
    pool.max_memory_size(MEMORY_BYTES_CEILING);
    pool.table_elements(TABLE_ELEMENTS_CEILING);
    pool.linear_memory_keep_resident(POOL_KEEP_RESIDENT);
    pool
}

/// One thread for each engine moves the epoch on; it ends by itself within a tick of the engine's end.
fn start_clock(engine: &Engine) -> Result<(), HostError> {
    let weak = engine.weak();
    let tick = move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(Duration::from_millis(TICK_MS));
        }
    };
    let spawned = thread::Builder::new().name("plugin-clock".to_owned()).spawn(tick);
    spawned.map(|_| ()).map_err(|error| HostError::Engine(error.to_string()))
}
