//! What the tests of the whole product share: the repository's files, the built binary, a small world to run it in,
//! and the runner of console blocks in documents.
//!
//! Tests only: everything here may panic, and nothing here is used by the product. Tests talk to the binary alone;
//! no crate of the product is linked here, so that what they show is what a user sees.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::missing_panics_doc,
    reason = "helpers of tests: a panic is how a test fails"
)]

pub mod bank;
pub mod binary;
pub mod console;
pub mod dice;
pub mod fault_proxy;
pub mod fragment;
pub mod preload;
pub mod process;
pub mod repository;
pub mod skipping;
pub mod standins;
pub mod warm;
pub mod wire;
pub mod world;
