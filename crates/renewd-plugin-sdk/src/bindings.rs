//! The Rust types of `plugins/wit`, generated. `types` and `log` are the same for both worlds.

#![allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    reason = "generated from WIT, whose comments are the documentation"
)]
#![allow(
    clippy::all,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]

pub mod shared_world {
    wit_bindgen::generate!({
        path: "../../plugins/wit",
        inline: "
            package renewd:sdk;
            world shared {
                import renewd:plugin/types@1.0.0;
                import renewd:plugin/log@1.0.0;
            }
        ",
        world: "renewd:sdk/shared",
        additional_derives: [PartialEq],
        generate_all,
    });
}

#[cfg(feature = "pricing")]
pub mod pricing_world {
    wit_bindgen::generate!({
        path: "../../plugins/wit",
        world: "pricing-plugin",
        with: {
            "renewd:plugin/types@1.0.0": crate::types,
            "renewd:plugin/log@1.0.0": crate::log,
        },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_pricing_world",
    });
}

#[cfg(feature = "payment")]
pub mod payment_world {
    wit_bindgen::generate!({
        path: "../../plugins/wit",
        world: "payment-plugin",
        with: {
            "renewd:plugin/types@1.0.0": crate::types,
            "renewd:plugin/log@1.0.0": crate::log,
        },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_payment_world",
    });
}

pub use shared_world::renewd::plugin::{log, types};

/// The pricing interface.
#[cfg(feature = "pricing")]
pub mod pricing {
    pub use super::pricing_world::exports::renewd::plugin::pricing::*;
}

/// The payment interface, and the HTTP client that the host performs.
#[cfg(feature = "payment")]
pub mod payment {
    pub use super::payment_world::exports::renewd::plugin::payment::*;
    pub use super::payment_world::renewd::plugin::http;
}
