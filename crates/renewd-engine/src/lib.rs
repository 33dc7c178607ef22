//! Use cases: plan, apply, import, quote, renew, pay, show. The engine owns the effects (clock, plugins, store);
//! every decision about money is the core's. Nothing here prints.

mod aligning;
mod apply;
mod arithmetic;
mod arrange;
mod asking;
mod boarding;
mod cashier;
mod changes;
mod charge;
mod copying;
mod desk;
mod engine;
mod error;
mod files;
#[cfg(test)]
#[path = "../../renewd-core/tests/fixtures/mod.rs"]
mod fixtures;
mod gateway;
mod home;
mod import;
mod keeping;
mod listing;
mod load;
mod locking;
mod modes;
mod next_run;
mod options;
mod orders;
mod outbox;
mod paying;
mod plan;
mod plugins;
mod pricing;
mod progress;
mod quoting;
mod reaching;
mod reconciling;
mod refunding;
mod rehearsing;
mod renewing;
mod replaying;
mod report;
mod requests;
mod rows;
mod running;
mod selection;
mod sentences;
mod shelf;
mod showing;
mod trying;
pub mod view;

pub use cashier::Budget;
pub use engine::{Clock, Engine, EngineOptions};
pub use error::{EngineError, Exit};
pub use gateway::{Gateway, Gateways};
pub use home::{Home, OwnerToken};
pub use import::COLUMNS as INVENTORY_COLUMNS;
pub use load::CheckView;
pub use options::*;
pub use plan::Planned;
pub use progress::Progress;
pub use quoting::Quoted;
pub use refunding::RefundWish;
pub use running::RunOptions;

/// Ends the process at a named boundary when a crash test asks for it.
pub(crate) use renewd_store::failpoint::failpoint;
