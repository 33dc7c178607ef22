//! The WebAssembly shim of the price-list plugin: it only passes on.

use renewd_plugin_sdk::pricing::{Guest, PriceError, PriceQuote, PriceRequest};
use renewd_plugin_sdk::types::{Finding, Manifest};

struct Plugin;

impl Guest for Plugin {
    fn describe() -> Manifest {
        price_list::describe()
    }

    fn check_config(config: String) -> Vec<Finding> {
        price_list::check_config(&config)
    }

    fn quote(config: String, requests: Vec<PriceRequest>) -> Vec<Result<PriceQuote, PriceError>> {
        price_list::quote(&config, &requests)
    }
}

renewd_plugin_sdk::export_pricing!(Plugin);
