//! The deterministic simulator: one seed is one world, with everything in it that can go wrong with money.
//!
//! A seed draws accounts, policies, resources, commands, gateway fates, crashes and clocks. The engine is the real one,
//! with the real pricing plugin and the real journal on a simulated disk; only the disk, the clock, the processes and
//! the gateways are the world's. An auditor with a model of its own watches. Nothing here may use another source of
//! chance, time or order than the seed, so that a failing seed fails for ever.

mod auditor;
mod bank;
mod campaign;
mod chance;
mod commands;
mod documents;
mod faults;
mod findings;
mod gateway;
mod liveness;
mod model;
#[cfg(feature = "planted")]
pub mod planted;
mod rules;
mod simulation;
pub mod summary;
mod workshop;
mod world;

pub use campaign::{Campaign, Failure, Report, run};
pub use simulation::{Outcome, simulate};
pub use workshop::Workshop;
