//! Card payments through Stripe, or through any gateway that speaks its API.
//!
//! One rule stands above all others: what is not certain is `unknown`. A decline is only what the gateway itself, in a
//! reply that can be read and that belongs to this charge, calls refused. A time-out, a reply cut short, a conflict, a
//! server error, another charge's reply: all of these are `unknown`, and [`find_charge`] tells later.
//!
//! Must never: see a secret (it writes `{{secret:stripe-key}}`, which the host fills in), send a charge twice, make a
//! key of its own for one, or round an amount.

mod cancel;
mod charge;
mod charges;
mod find;
mod form;
mod gateway;
mod history;
mod instant;
mod intents;
mod kept;
mod labels;
mod pages;
mod payment;
mod refund;
mod refusals;
mod settings;
mod source;
mod units;
mod wire;

pub use cancel::cancel;
pub use charge::charge;
pub use find::find_charge;
pub use gateway::Http;
pub use refund::{find_refund, refund};
pub use settings::Settings;

use renewd_plugin_sdk::types::{Finding, Manifest, Permission, Role};

/// For how long Stripe remembers an idempotency key at least.
const IDEMPOTENCY_WINDOW_SECONDS: u64 = 24 * 3600;
/// A list shows a charge as soon as it exists, but a request that was cut off may still be under way for some minutes.
const VISIBILITY_WINDOW_SECONDS: u64 = 600;
/// What the plugin says of itself.
pub fn describe() -> Manifest {
    Manifest {
        name: "stripe".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        role: Role::Payment,
        permissions: [("GET", "https"), ("POST", "https"), ("GET", "http"), ("POST", "http")].map(permission).to_vec(),
        idempotency_window_seconds: IDEMPOTENCY_WINDOW_SECONDS,
        visibility_window_seconds: VISIBILITY_WINDOW_SECONDS,
        capabilities: ["refund", "partial-refund", "find-refund", "cancel", "find-by-line"].map(str::to_owned).to_vec(),
        metadata: Vec::new(),
    }
}

/// Where the API lies is the configuration's choice (`apiBase`), so any host that the `Plugin` document grants is asked
/// for; without TLS it grants this machine only.
fn permission((method, scheme): (&str, &str)) -> Permission {
    Permission {
        method: method.to_owned(),
        scheme: scheme.to_owned(),
        host: "*".to_owned(),
        port: 0,
        path_prefix: "/v1/".to_owned(),
    }
}

/// Everything that is wrong with a configuration.
pub fn check_config(config: &str) -> Vec<Finding> {
    Settings::read(config).err().unwrap_or_default()
}
