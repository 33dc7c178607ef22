//! Guest side of renewd plugins for authors who write Rust.
//!
//! A pricing plugin implements [`pricing::Guest`] and calls `export_pricing!`; a payment plugin implements
//! [`payment::Guest`] and calls `export_payment!`. [`exact`] computes without a rounding until the one at the end,
//! [`lines`] keeps the sum of the lines equal to the total, [`config`] turns a JSON text into values or findings.
//!
//! Must never: use a float, or any import but those of the WIT package, so that a plugin can reach nothing.

pub mod config;
pub mod date;
pub mod exact;
pub mod json;
pub mod lines;
pub mod words;

mod bindings;

#[cfg(feature = "payment")]
pub use bindings::payment;
#[cfg(feature = "pricing")]
pub use bindings::pricing;
pub use bindings::{log, types};

/// Makes a type the pricing plugin of this component: `export_pricing!(Plugin);`.
#[cfg(feature = "pricing")]
#[macro_export]
macro_rules! export_pricing {
    ($plugin:ident) => {
        $crate::pricing_macro::export_pricing_world!($plugin with_types_in $crate::pricing_macro);
    };
}

/// Makes a type the payment plugin of this component: `export_payment!(Plugin);`.
#[cfg(feature = "payment")]
#[macro_export]
macro_rules! export_payment {
    ($plugin:ident) => {
        $crate::payment_macro::export_payment_world!($plugin with_types_in $crate::payment_macro);
    };
}

#[cfg(feature = "payment")]
#[doc(hidden)]
pub use bindings::payment_world as payment_macro;
#[cfg(feature = "pricing")]
#[doc(hidden)]
pub use bindings::pricing_world as pricing_macro;
