//! Runs pricing and payment plugins: WebAssembly components that can reach nothing but what this crate links.
//!
//! The only crate that names wasmtime. A plugin is loaded ([`Host::load_pricing`], [`Host::load_payment`]), which checks
//! its imports, its world and its manifest; each call runs in a store of its own, under every limit of [`Limits`], and
//! the store is dropped after it, whatever came out. What a plugin answers is never believed before it is checked.
//!
//! Must never: link WASI, hand a guest a clock or randomness, keep a store between two calls, panic on a guest's doing.

mod amount;
mod artefacts;
mod bindings;
mod cache_key;
mod call;
mod charge;
mod engine;
mod exports;
mod failure;
mod guest_http;
mod guest_log;
mod host;
mod http;
mod inspect;
mod invalid_output;
mod limiter;
pub mod limits;
mod load;
mod manifest;
mod outcome;
mod payment;
mod payment_0_1;
mod pricing;
mod quote;
mod text;
mod version;

pub use artefacts::CacheState;
pub use bindings::{payment as payment_wire, pricing as pricing_wire};
pub use call::Called;
pub use charge::{CancelOutcome, FindRefundResult, FindResult, FoundCharge, RefundOutcome};
pub use failure::{HostError, LoadError, PluginFailure};
pub use guest_log::{GuestLog, LogLevel, LogLine};
pub use host::{Host, HostOptions, Scale};
pub use http::{
    Access, Answered, Content, Exchange, Lookup, Network, NetworkOptions, Reach, Recording, SecretError, Secrets,
    SentRequest,
};
pub use inspect::{Inspection, MemoryNeed};
pub use invalid_output::InvalidOutput;
pub use limits::{Limits, SECRET_BYTES_MAX, SECRET_BYTES_MIN};
pub use manifest::{Finding, Manifest, Permission, Role, Severity};
pub use outcome::{Outcome, Retry};
pub use payment::PaymentPlugin;
pub use pricing::PricingPlugin;
pub use quote::{ItemFailure, LineKind, Quote, QuoteLine};

/// Names and values beside a record, in the plugin's order.
pub type Metadata = Vec<(String, String)>;

/// The wasmtime version whose artefacts this host can load.
pub const WASMTIME_VERSION: &str = "48.0.8";
