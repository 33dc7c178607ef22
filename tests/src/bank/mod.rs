//! A payment gateway of our own for tests and benchmarks: a process that speaks the part of Stripe's HTTP API that
//! `plugins/stripe` uses, holds idempotency keys to their requests, and keeps a ledger that it makes durable before it
//! answers. What goes wrong, and when, is told to it; it never decides by chance that is not seeded.
//!
//! Each secret key is a till of its own, with its own ledger file and fates, so that many tests share one process. It
//! must never know anything of renewd but the metadata that a payment carries.

pub mod audit;
pub mod books;
pub mod connection;
pub mod fate;
pub mod form;
pub mod ledger;
pub mod process;
pub mod server;
pub mod shop;

pub use fate::{Fate, Op, Rules};
pub use ledger::{Ledger, Movement};
pub use process::{Bank, Till};
