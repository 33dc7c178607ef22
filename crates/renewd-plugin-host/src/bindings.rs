//! The Rust types of `plugins/wit`, generated, so that WIT stays their one home.
//!
//! `pricing` and `payment` give the request types that callers fill in; they can be journaled and replayed as JSON.

#![allow(missing_docs, unreachable_pub, reason = "generated from WIT, whose comments are the documentation")]
#![allow(
    clippy::all,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "generated"
)]

pub(crate) mod pricing_world {
    wasmtime::component::bindgen!({
        path: "../../plugins/wit",
        world: "pricing-plugin",
        additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
    });
}

pub(crate) mod payment_world {
    wasmtime::component::bindgen!({
        path: "../../plugins/wit",
        world: "payment-plugin",
        with: {
            "renewd:plugin/types@1.0.0": super::pricing_world::renewd::plugin::types,
            "renewd:plugin/log@1.0.0": super::pricing_world::renewd::plugin::log,
        },
        additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
    });
}

pub(crate) use payment_world::renewd::plugin::http;
pub(crate) use pricing_world::renewd::plugin::{log, types};

/// The pricing interface as WIT has it.
pub mod pricing {
    pub use super::pricing_world::exports::renewd::plugin::pricing::*;
}

/// The payment interface as WIT has it.
pub mod payment {
    pub use super::payment_world::exports::renewd::plugin::payment::*;
}
