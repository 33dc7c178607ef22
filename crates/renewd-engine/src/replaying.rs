//! Replaying: an order computed again from its pinned plugin, configuration and request.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::load::config_text;
use crate::paying::limits_of;
use crate::pricing::price_lines;
use crate::view::{ReplayLine, ReplayView};
use renewd_core::order::Order;
use renewd_core::quote::Quote;
use renewd_core::state::State;
use renewd_plugin_host::pricing_wire::PriceRequest;
use std::collections::BTreeMap;

impl Engine {
    /// Computes an order again. The pinned plugin's bytes come from the store, never from a file.
    pub(crate) fn replay(&self, state: &State, order: &Order) -> Result<ReplayView, EngineError> {
        let lines = order.lines.iter().map(|line| self.replay_line(state, line)).collect::<Result<Vec<_>, _>>()?;
        Ok(ReplayView { order: order.id.clone(), equal: lines.iter().all(|line| line.equal), lines })
    }

    fn replay_line(&self, state: &State, line: &Quote) -> Result<ReplayLine, EngineError> {
        let mut replayed = ReplayLine {
            resource: line.prepared.resource.clone(),
            recorded: line.total,
            recomputed: None,
            equal: false,
            detail: None,
        };
        let blobs = self.blobs_with(BTreeMap::new());
        let digest = &line.pricing.plugin;
        let plugin = match self.shelf.pricing_by_digest(digest, &limits_of(state, digest), &blobs)? {
            Ok(plugin) => plugin,
            Err(message) => {
                replayed.detail = Some(format!("the pinned plugin cannot be loaded: {message}"));
                return Ok(replayed);
            }
        };
        let request: PriceRequest = match serde_json::from_value(line.pricing.request.clone()) {
            Ok(request) => request,
            Err(error) => {
                replayed.detail = Some(format!("the pinned request cannot be read: {error}"));
                return Ok(replayed);
            }
        };
        match plugin.quote(&config_text(&line.pricing.config), &[request]).value.into_iter().next() {
            Some(Ok(quote)) => {
                replayed.recomputed = Some(quote.total);
                replayed.detail = difference(line, price_lines(&quote) == line.lines);
                replayed.equal = replayed.detail.is_none() && quote.total == line.total;
            }
            Some(Err(failure)) => replayed.detail = Some(failure.to_string()),
            None => replayed.detail = Some("the plugin gave no answer".to_owned()),
        }
        Ok(replayed)
    }
}

/// What differs, where something does. Dates are checked against the extra days and fraction that were priced.
fn difference(line: &Quote, same_lines: bool) -> Option<String> {
    if !same_lines {
        return Some("the price lines differ".to_owned());
    }
    let dates = &line.prepared.dates;
    let days = dates.new_expiry.date.signed_duration_since(dates.base.date).num_days();
    (days != i64::from(dates.extra_days)).then(|| "the dates do not add up".to_owned())
}
