//! What tests need to break a store on purpose: a simulated disk and a small random number generator.
//!
//! Must never be part of a build that is given to users: it is behind the feature `testing`.

mod inode;
mod rng;
mod sim_disk;
#[cfg(test)]
mod tests;

pub use crate::index::SimIndex;
pub use rng::Rng;
pub use sim_disk::{Call, Crash, Fault, SimDisk};
