//! Alignment previews: what ending on one day would change and cost, without changing anything.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::options::{AlignAsk, Selector};
use crate::selection::select;
use crate::view::{AlignPreview, AlignRow, DaySuggestion, Totals, add_total};
use renewd_core::calendar::RenewalDay;
use renewd_core::documents::AlignAsked;
use renewd_core::ids::ResourceId;
use renewd_core::money::Money;
use renewd_core::quote::{Quote, Wish};
use renewd_core::refusal::Refusal;
use renewd_core::resource::Resource;
use std::collections::BTreeMap;

impl Engine {
    /// Compares renewing a selection with and without alignment.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn align_preview(&self, selector: &Selector, ask: &AlignAsk) -> Result<AlignPreview, EngineError> {
        let now = self.now();
        let snapshot = self.snapshot(now)?;
        self.require_store(&snapshot)?;
        let selected = select(&snapshot.state, selector, now);
        let (quotes, refused) = self.quote_resources(&snapshot, &selected, &ask.wish, None, now)?;
        let plain = Wish { align: AlignAsked::No, same_date: None, term: ask.wish.term };
        let (unaligned, _) = self.quote_resources(&snapshot, &selected, &plain, None, now)?;
        let unaligned: BTreeMap<ResourceId, Quote> =
            unaligned.into_iter().map(|quote| (quote.prepared.resource.clone(), quote)).collect();
        let mut rows: Vec<AlignRow> = quotes.iter().map(|quote| aligned_row(quote, &unaligned)).collect();
        let resources: BTreeMap<&ResourceId, &Resource> =
            selected.iter().map(|resource| (&resource.id, *resource)).collect();
        rows.extend(refused.iter().map(|(id, _, refusal)| refused_row(id, resources.get(id).copied(), refusal)));
        rows.sort_by(|left, right| left.expiry.cmp(&right.expiry).then_with(|| left.resource.cmp(&right.resource)));
        let mut totals = Totals::new();
        let mut extra_cost = Totals::new();
        for quote in &quotes {
            add_total(&mut totals, quote.total);
            if let Some(cost) = extra_of(quote) {
                add_total(&mut extra_cost, cost);
            }
        }
        let suggestions = if ask.suggest { self.suggest(&snapshot, &selected, &ask.wish, now)? } else { Vec::new() };
        Ok(AlignPreview { target: target(&ask.wish), rows, totals, extra_cost, suggestions })
    }

    /// Every renewal day with what its extra days cost, cheapest first.
    fn suggest(
        &self,
        snapshot: &crate::engine::Snapshot,
        selected: &[&Resource],
        wish: &Wish,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<Vec<DaySuggestion>, EngineError> {
        let days = (1..=28).map(RenewalDay::Day).chain([RenewalDay::Last]);
        let mut suggestions = Vec::new();
        for day in days {
            let wish = Wish { align: AlignAsked::Day(day), same_date: None, term: wish.term };
            let (quotes, _) = self.quote_resources(snapshot, selected, &wish, None, now)?;
            let mut extra_cost = Totals::new();
            for cost in quotes.iter().filter_map(extra_of) {
                add_total(&mut extra_cost, cost);
            }
            let extra_days = quotes.iter().map(|quote| u32::from(quote.prepared.dates.extra_days)).sum();
            suggestions.push(DaySuggestion { day: day.to_string(), extra_days, extra_cost });
        }
        let cost = |suggestion: &DaySuggestion| -> Vec<(String, rust_decimal::Decimal)> {
            suggestion.extra_cost.iter().map(|(code, money)| (code.clone(), money.amount())).collect()
        };
        let one_currency = suggestions.iter().all(|suggestion| suggestion.extra_cost.len() <= 1);
        suggestions.sort_by(|left, right| {
            let by_cost = if one_currency { cost(left).cmp(&cost(right)) } else { std::cmp::Ordering::Equal };
            by_cost.then(left.extra_days.cmp(&right.extra_days))
        });
        Ok(suggestions)
    }
}

fn target(wish: &Wish) -> String {
    match (wish.same_date, wish.align) {
        (Some(date), _) => format!("{}", date.0),
        (None, AlignAsked::Day(RenewalDay::Last)) => "the last day of the month".to_owned(),
        (None, AlignAsked::Day(day)) => format!("day {day} of the month"),
        (None, AlignAsked::Yes | AlignAsked::Unsaid | AlignAsked::No) => "the renewal day".to_owned(),
    }
}

/// What the extra days cost: their lines, discounts aside.
fn extra_of(quote: &Quote) -> Option<Money> {
    let lines = quote.lines.iter().filter(|line| line.kind == "extra-days").map(|line| line.amount);
    Money::sum(quote.prepared.currency, lines).ok()
}

fn aligned_row(quote: &Quote, unaligned: &BTreeMap<ResourceId, Quote>) -> AlignRow {
    let prepared = &quote.prepared;
    let plain = unaligned.get(&prepared.resource).map(|quote| quote.prepared.new_expiry().rfc3339());
    AlignRow {
        resource: prepared.resource.clone(),
        expiry: prepared.old_end.expiry.rfc3339(),
        unaligned: plain.or_else(|| Some(prepared.dates.base.rfc3339())),
        aligned: Some(prepared.new_expiry().rfc3339()),
        extra_days: Some(prepared.dates.extra_days),
        total: Some(quote.total),
        extra_cost: extra_of(quote),
        message: None,
    }
}

fn refused_row(id: &ResourceId, resource: Option<&Resource>, refusal: &Refusal) -> AlignRow {
    AlignRow {
        resource: id.clone(),
        expiry: resource.map(|resource| resource.end.expiry.rfc3339()).unwrap_or_default(),
        unaligned: None,
        aligned: None,
        extra_days: None,
        total: None,
        extra_cost: None,
        message: Some(refusal.message.clone()),
    }
}
