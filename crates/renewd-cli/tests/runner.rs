//! The command line through its binary: no test here needs a store.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do; clippy.toml allows it in test functions only"
)]

mod align_date;
mod help;
mod support;
mod usage;
