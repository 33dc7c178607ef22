//! Prices renewals from the rows of a price list: quantity tiers, percentage and fixed discounts with dates, a minimum
//! charge, extra days. A pure function of its input.
//!
//! Percentages are of the list price of term and extra days, and add up to at most 100%. Fixed amounts come after them,
//! never below zero. Everything is exact until the one rounding of the total; the last line takes the residual.

mod discounts;
mod quote;
mod settings;
mod unit_price;

pub use settings::Settings;

use renewd_plugin_sdk::pricing::{PriceError, PriceQuote, PriceRequest};
use renewd_plugin_sdk::types::{Finding, Manifest, Role};
use renewd_plugin_sdk::words::price_error;

/// What the plugin says of itself.
pub fn describe() -> Manifest {
    Manifest {
        name: "price-list".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        role: Role::Pricing,
        permissions: Vec::new(),
        idempotency_window_seconds: 0,
        visibility_window_seconds: 0,
        capabilities: ["tiers", "discounts", "minimum", "extra-days"].map(str::to_owned).to_vec(),
        metadata: Vec::new(),
    }
}

/// Everything that is wrong with a configuration.
pub fn check_config(config: &str) -> Vec<Finding> {
    Settings::read(config).err().unwrap_or_default()
}

/// One answer for each request.
pub fn quote(config: &str, requests: &[PriceRequest]) -> Vec<Result<PriceQuote, PriceError>> {
    match Settings::read(config) {
        Ok(settings) => requests.iter().map(|request| quote::quote(&settings, request)).collect(),
        Err(findings) => requests.iter().map(|_| Err(unusable(&findings))).collect(),
    }
}

fn unusable(findings: &[Finding]) -> PriceError {
    let first = findings.first().map_or("", |finding| &finding.message);
    price_error(
        "bad-config",
        format!("the plugin's configuration cannot be used: {first}"),
        Some("run `renewd check`".to_owned()),
    )
}

/// A number left the range of exact arithmetic.
fn too_large() -> PriceError {
    price_error("too-large", "the price is too large to be computed exactly", None)
}
