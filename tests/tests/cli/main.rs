//! The binary as its users meet it: real processes in temporary folders, without a terminal and with a fixed clock.
//!
//! One file per promise. Nothing here looks behind the command line, except to damage a store on purpose.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "this whole program is tests: a panic is how one fails"
)]

mod align;
mod answers;
mod apply;
mod batch;
mod copies;
mod documents;
mod due;
mod gateway;
mod guards;
mod hostile;
mod inventories;
mod kill;
mod orders;
mod outside;
mod plugin_test;
mod refunds;
mod run;
mod run_gateway;
mod run_group;
mod run_time;
mod run_warn;
mod run_watch;
mod sinks;
mod store;
mod till;
mod together;
mod unknown;
