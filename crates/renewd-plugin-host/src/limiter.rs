//! Counts what a store allocates: one total over all memories, one over all tables.

use crate::failure::PluginFailure;
use crate::limits::Limits;
use wasmtime::ResourceLimiter;

/// The allocations of one call. Growth beyond a limit traps, so a guest cannot choose to go on differently.
#[derive(Debug)]
pub(crate) struct TotalLimiter {
    limits: Limits,
    memory_bytes: usize,
    table_elements: usize,
}

impl TotalLimiter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, memory_bytes: 0, table_elements: 0 }
    }
}

impl ResourceLimiter for TotalLimiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        if total > self.limits.memory_bytes {
            return Err(PluginFailure::Memory { most: self.limits.memory_bytes }.into());
        }
        self.memory_bytes = total;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        let most = self.limits.table_elements;
        if total > most {
            return Err(PluginFailure::Count { what: "table elements".to_owned(), most }.into());
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.instances
    }

    fn tables(&self) -> usize {
        self.limits.tables
    }

    fn memories(&self) -> usize {
        self.limits.memories
    }
}
