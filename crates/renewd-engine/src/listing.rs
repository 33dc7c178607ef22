//! Lists: the four tabs and the resources in them.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::options::Selector;
use crate::rows::resource_row;
use crate::selection::{missing, select};
use crate::view::{ListView, TabCount, Totals, add_total};
use renewd_core::documents::Mode;
use renewd_core::money::{Money, Rounding};
use renewd_core::resource::Phase;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

impl Engine {
    /// Lists resources by id, with the counts of the tabs over the whole selection.
    ///
    /// # Errors
    /// The store cannot be read, or a named resource does not exist.
    pub fn list(&self, selector: &Selector) -> Result<ListView, EngineError> {
        let now = self.now();
        let snapshot = self.snapshot(now)?;
        self.require_store(&snapshot)?;
        let state = &snapshot.state;
        if let Some(id) = missing(state, selector).first() {
            let hint = "`renewd list` shows all resources".to_owned();
            return Err(EngineError::input("no-resource", format!("there is no resource `{id}`"), hint));
        }
        let every_tab = Selector { tabs: Vec::new(), ..selector.clone() };
        let mut tabs: Vec<TabCount> =
            Mode::ALL.into_iter().map(|tab| TabCount { tab, resources: 0, soon: 0 }).collect();
        let mut rows = Vec::new();
        let mut phases: BTreeMap<String, usize> = BTreeMap::new();
        let mut monthly = Totals::new();
        let mut prices = BTreeMap::new();
        for resource in select(state, &every_tab, now) {
            let row = resource_row(state, resource, now);
            if let Some(tab) = tabs.iter_mut().find(|tab| tab.tab == row.mode) {
                tab.resources += 1;
                tab.soon += usize::from(matches!(row.phase, Phase::Expiring | Phase::Grace | Phase::Retention));
            }
            if !selector.tabs.is_empty() && !selector.tabs.contains(&row.mode) {
                continue;
            }
            *phases.entry(row.phase.as_str().to_owned()).or_default() += 1;
            let account = state.account(&resource.description.account);
            if let (Some(price), Some(account)) = (resource.shown_price(), account) {
                let net = price.checked_mul(Decimal::from(resource.description.quantity));
                let net = net.and_then(|net| Money::rounded(net, account.currency, Rounding::HalfEven).ok());
                if let Some(net) = net {
                    prices.insert(resource.id.clone(), net);
                    if row.phase != Phase::Released {
                        add_total(&mut monthly, net);
                    }
                }
            }
            rows.push(row);
        }
        let at = renewd_core::calendar::rfc3339_in(now, chrono_tz::UTC);
        Ok(ListView { tabs, resources: rows, phases, monthly, at, prices })
    }
}
