//! What the documents and the calendar allow, computed anew from the journal's records: which mode a resource has, what
//! a line costs, when a renewal may be ordered by itself, to which day it may extend, and when a resource may be released.
//!
//! Nothing of the product's own computations is used: a line's dates, totals and holds are what is held against these.

use crate::model::Wrong;
use chrono::{Datelike, Days, Months, NaiveDate};
use renewd_core::documents::{Document, Mode, PriceRow, RenewalPolicy, Windows};
use renewd_core::event::Event;
use renewd_core::order::{Order, Origin};
use renewd_core::quote::Quote;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::path::Path;

const DAY: i64 = 86_400;

/// Seconds by which a daylight saving change may move a local day.
const DAYLIGHT: i64 = 2 * 3_600;

/// Longest time between a quote and its order, in seconds.
const QUOTE_SECONDS: i64 = DAY;

/// What is known of a resource.
#[derive(Debug, Clone)]
struct Thing {
    account: String,
    tier: String,
    sku: String,
    quantity: u32,
    windows: Windows,
    /// What a person, or an inventory, chose.
    chosen: Option<Mode>,
    /// Automatic renewals since then.
    autos: u32,
}

/// Documents in force and resources, as the journal tells of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    things: BTreeMap<String, Thing>,
    policies: BTreeMap<String, RenewalPolicy>,
    /// Prices by list, sku and months.
    prices: BTreeMap<String, BTreeMap<(String, u32), Decimal>>,
}

fn ensure(holds: bool, wrong: impl FnOnce() -> Wrong) -> Result<(), Wrong> {
    if holds { Ok(()) } else { Err(wrong()) }
}

impl Rules {
    /// Takes in one record. `blobs` is where the rows of price lists are.
    pub(crate) fn read(&mut self, event: &Event, blobs: &Path) -> Result<(), Wrong> {
        if let Event::DocumentPut { document } = event {
            self.put(document, blobs)?;
        } else if let Event::ResourceAdded { resource } = event {
            let thing = Thing {
                account: resource.description.account.to_string(),
                tier: resource.description.labels.get("tier").cloned().unwrap_or_default(),
                sku: resource.description.sku.clone(),
                quantity: resource.description.quantity,
                windows: resource.windows,
                chosen: resource.chosen.as_ref().map(|chosen| chosen.mode),
                autos: 0,
            };
            self.things.insert(resource.id.to_string(), thing);
        } else if let Event::WindowsCaptured { resource, windows, .. } = event {
            self.change(resource.as_str(), |thing| thing.windows = *windows);
        } else if let Event::ModeChosen { resource, chosen } = event {
            self.change(resource.as_str(), |thing| (thing.chosen, thing.autos) = (Some(chosen.mode), 0));
        } else if let Event::ModeReturned { resource } = event {
            self.change(resource.as_str(), |thing| (thing.chosen, thing.autos) = (None, 0));
        }
        Ok(())
    }

    fn put(&mut self, document: &Document, blobs: &Path) -> Result<(), Wrong> {
        if let Document::RenewalPolicy(policy) = document {
            self.policies.insert(policy.name.to_string(), (**policy).clone());
        } else if let Document::PriceList(list) = document {
            let unreadable = |error: String| format!("unreadable: the rows of {}: {error}", list.name);
            let rows = renewd_store::read_blob(blobs, &list.rows).map_err(|error| unreadable(error.to_string()))?;
            let rows: Vec<PriceRow> = serde_json::from_slice(&rows).map_err(|error| unreadable(error.to_string()))?;
            let rows = rows.into_iter().map(|row| ((row.sku, u32::from(row.term.months())), row.price)).collect();
            self.prices.insert(list.name.to_string(), rows);
        }
        Ok(())
    }

    fn change(&mut self, resource: &str, change: impl FnOnce(&mut Thing)) {
        if let Some(thing) = self.things.get_mut(resource) {
            change(thing);
        }
    }

    /// A line was paid: its windows are those of the term, and an automatic renewal is counted.
    pub(crate) fn settled(&mut self, resource: &str, windows: Windows, by_itself: bool) {
        self.change(resource, |thing| {
            thing.windows = windows;
            thing.autos += u32::from(by_itself);
        });
    }

    /// The policy of a resource: that of its tier where there is one, else that of its account.
    pub(crate) fn policy(&self, resource: &str) -> Option<&RenewalPolicy> {
        let thing = self.things.get(resource)?;
        let of_tier = self.policies.get(&format!("{}-{}", thing.tier, thing.account));
        of_tier.or_else(|| self.policies.get(&format!("all-{}", thing.account)))
    }

    /// Whether a resource is renewed by itself.
    pub(crate) fn is_auto(&self, resource: &str) -> bool {
        let (Some(thing), Some(policy)) = (self.things.get(resource), self.policy(resource)) else { return false };
        let finished = policy.auto.times.is_some_and(|times| times <= thing.autos);
        thing.chosen.unwrap_or(policy.mode) == Mode::Auto && !finished
    }

    /// INVARIANT (kept-long-enough): what is sold is kept until grace and retention of its term have ended.
    pub(crate) fn may_release(&self, resource: &str, expiry: i64, at: i64) -> Result<(), Wrong> {
        let windows = self.things.get(resource).map(|thing| thing.windows).unwrap_or_default();
        let end = expiry + i64::from(windows.grace.0 + windows.retention.0) * DAY;
        ensure(end <= at + DAYLIGHT, || format!("released-early: {resource} is released at {at}, it was kept to {end}"))
    }

    /// Holds an order that is placed against documents and calendar.
    pub(crate) fn placed(&self, order: &Order, at: i64, clock_went_back: bool) -> Result<(), Wrong> {
        let id = &order.id;
        for line in &order.lines {
            check_dates(id.as_str(), line, at)?;
            let age = at - line.quoted_at.timestamp();
            ensure(age <= QUOTE_SECONDS || clock_went_back, || {
                format!("stale-quote: {id} was quoted {age} s before it was placed")
            })?;
            if order.origin == Origin::Auto {
                self.placed_by_itself(id.as_str(), line, at)?;
            }
        }
        let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
        for line in &order.lines {
            *sums.entry(line.prepared.policy.as_str()).or_default() += line.total.amount();
        }
        for (name, sum) in sums {
            let limit = self.policies.get(name).and_then(|policy| policy.limits.per_order);
            let exceeded = limit.filter(|limit| limit.amount() < sum && order.holds.is_empty());
            ensure(exceeded.is_none(), || {
                format!("limit-unheld: {id} costs {sum} under {name}, which allows {limit:?}")
            })?;
        }
        Ok(())
    }

    fn placed_by_itself(&self, id: &str, line: &Quote, at: i64) -> Result<(), Wrong> {
        let resource = line.prepared.resource.as_str();
        ensure(self.is_auto(resource), || format!("renewed-unasked: {id} renews {resource}, which is not automatic"))?;
        let before = self.policy(resource).map_or(0, |policy| i64::from(policy.auto.charge_before.0));
        let earliest = line.prepared.old_end.expiry.instant().timestamp() - (before + 1) * DAY - DAYLIGHT;
        ensure(earliest <= at, || format!("charged-early: {id} renews {resource} at {at}, not after {earliest}"))
    }

    /// INVARIANT (price-in-force): what an attempt takes is what the lines cost now. Lines with extra days are left to
    /// the vectors of the arithmetic.
    pub(crate) fn price_holds(&self, line: &Quote) -> bool {
        let term = u32::from(line.prepared.dates.term.months());
        if line.prepared.dates.extra_days != 0 {
            return true;
        }
        let Some(thing) = self.things.get(line.prepared.resource.as_str()) else { return false };
        let list = self.prices.get(&format!("list-{}", line.prepared.currency.code().to_lowercase()));
        let price = list.and_then(|list| list.get(&(thing.sku.clone(), term)));
        price.is_some_and(|price| *price * Decimal::from(thing.quantity) == line.total.amount())
    }
}

fn last_of_month(date: NaiveDate) -> NaiveDate {
    date.with_day(1)
        .and_then(|first| first.checked_add_months(Months::new(1)))
        .and_then(|next| next.pred_opt())
        .unwrap_or(date)
}

/// INVARIANT (whole-terms): a renewal adds whole months, within the month by the month-end rule, and the days to the
/// renewal day where it is aligned. A late one may start anew.
fn check_dates(id: &str, line: &Quote, at: i64) -> Result<(), Wrong> {
    let (old, new) = (&line.prepared.old_end.expiry, line.prepared.new_expiry());
    let months = Months::new(line.prepared.dates.term.months().into());
    let mut starts = vec![old.date];
    if old.instant().timestamp() <= at {
        let today = chrono::DateTime::from_timestamp(at, 0).unwrap_or_default().with_timezone(&old.zone).date_naive();
        starts.extend((0..=1).filter_map(|days| today.checked_sub_days(Days::new(days))));
    }
    let fits = |start: NaiveDate| {
        let Some(first) = start.checked_add_months(months) else { return false };
        let last = last_of_month(first);
        let is_renewal_day = [1, 15, 28].contains(&new.date.day()) || new.date == last_of_month(new.date);
        let extra = if is_renewal_day { 30 } else { 0 };
        first <= new.date && new.date <= last.checked_add_days(Days::new(extra)).unwrap_or(last)
    };
    let holds = starts.into_iter().any(fits) && new.time == old.time;
    ensure(holds, || {
        let term = line.prepared.dates.term;
        format!(
            "odd-term: {id} extends {} by {term} from {} to {}",
            line.prepared.resource,
            old.rfc3339(),
            new.rfc3339()
        )
    })
}
