//! Pricing: prepared renewals become quotes through the pricing plugins that their policies name.
//!
//! Requests of one plugin and configuration are asked in one call. A failure refuses its own item only.

use crate::error::EngineError;
use crate::progress::Step;
use crate::shelf::{Blobs, Shelf};
use chrono::{DateTime, NaiveDate, Utc};
use renewd_core::calendar::{Expiry, ExtraOf, rfc3339_in};
use renewd_core::documents::{
    Account, Document, DocumentKey, DocumentKind, Plugin, PriceList, PriceRow, RenewalPolicy,
};
use renewd_core::ids::{Digest, PluginName, PriceListName};
use renewd_core::money::Rounding;
use renewd_core::quote::{PinnedPricing, Prepared, Price, PriceLine, Quote};
use renewd_core::refusal::{Reason, Refusal};
use renewd_core::resource::Resource;
use renewd_core::state::State;
use renewd_plugin_host::{ItemFailure, LineKind, PricingPlugin, pricing_wire};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// One prepared renewal to be priced.
pub(crate) struct Job<'a> {
    pub(crate) prepared: Prepared,
    pub(crate) resource: &'a Resource,
    pub(crate) policy: &'a RenewalPolicy,
    pub(crate) account: &'a Account,
    /// The moment of the quote.
    pub(crate) at: DateTime<Utc>,
}

/// The answer for the job of an index.
type Priced = (usize, Result<Quote, Refusal>);

/// The rows of one price list, by sku.
type Rows = HashMap<String, Vec<PriceRow>>;

/// Prices renewals from the documents of one state.
pub(crate) struct Pricer<'a> {
    state: &'a State,
    shelf: &'a Shelf,
    blobs: &'a dyn Blobs,
    rows: RefCell<BTreeMap<Digest, Rc<Rows>>>,
}

impl<'a> Pricer<'a> {
    pub(crate) fn new(state: &'a State, shelf: &'a Shelf, blobs: &'a dyn Blobs) -> Self {
        Self { state, shelf, blobs, rows: RefCell::default() }
    }

    /// One answer for each job, in order.
    pub(crate) fn price(
        &self,
        jobs: Vec<Job<'_>>,
        progress: &Step<'_>,
    ) -> Result<Vec<Result<Quote, Refusal>>, EngineError> {
        let mut answers: Vec<Option<Result<Quote, Refusal>>> = Vec::new();
        answers.resize_with(jobs.len(), || None);
        let mut groups: BTreeMap<(String, String), Vec<(usize, Job<'_>)>> = BTreeMap::new();
        for (index, job) in jobs.into_iter().enumerate() {
            let pricing = &job.policy.pricing;
            groups.entry((pricing.plugin.to_string(), pricing.config.to_string())).or_default().push((index, job));
        }
        for ((_, config), group) in groups {
            for (index, answer) in self.price_group(&config, group, progress)? {
                if let Some(slot) = answers.get_mut(index) {
                    *slot = Some(answer);
                }
            }
        }
        answers
            .into_iter()
            .map(|answer| answer.ok_or_else(|| EngineError::Bug("an item was not priced".to_owned())))
            .collect()
    }

    fn price_group(
        &self,
        config: &str,
        group: Vec<(usize, Job<'_>)>,
        progress: &Step<'_>,
    ) -> Result<Vec<Priced>, EngineError> {
        let Some(name) = group.first().map(|(_, job)| job.policy.pricing.plugin.clone()) else {
            return Ok(Vec::new());
        };
        let plugin = match self.plugin(&name)? {
            Ok(plugin) => plugin,
            Err(refusal) => {
                return Ok(group.into_iter().map(|(index, _)| (index, Err(refusal.clone()))).collect());
            }
        };
        let mut answers = Vec::new();
        let mut asked = Vec::new();
        let mut requests = Vec::new();
        for (index, job) in group {
            match self.request(&job)? {
                Ok(request) => {
                    requests.push(request);
                    asked.push((index, job));
                }
                Err(refusal) => answers.push((index, Err(refusal))),
            }
        }
        let digest = Digest::from_bytes(*plugin.digest().as_bytes());
        for ((batch, jobs), quotes) in chunks(requests, asked, &plugin, config, progress) {
            for (((index, job), request), quote) in jobs.into_iter().zip(batch).zip(quotes) {
                answers.push((index, finish(job, digest, request, quote)));
            }
        }
        Ok(answers)
    }

    fn plugin(&self, name: &PluginName) -> Result<Result<PricingPlugin, Refusal>, EngineError> {
        let Some(document) = self.document(name) else {
            return Ok(Err(Refusal::new(Reason::PricingFailed, format!("there is no plugin `{name}`"))));
        };
        let loaded = self.shelf.pricing(document, self.blobs)?;
        Ok(loaded.map_err(|message| Refusal::new(Reason::PricingFailed, format!("plugin {name}: {message}"))))
    }

    fn document(&self, name: &PluginName) -> Option<&'a Plugin> {
        let key = DocumentKey { kind: DocumentKind::Plugin, name: name.to_string() };
        match self.state.documents.get(&key) {
            Some(Document::Plugin(plugin)) => Some(plugin),
            _ => None,
        }
    }

    fn price_list(&self, name: &PriceListName) -> Option<&'a PriceList> {
        let key = DocumentKey { kind: DocumentKind::PriceList, name: name.to_string() };
        match self.state.documents.get(&key) {
            Some(Document::PriceList(list)) => Some(list),
            _ => None,
        }
    }

    fn list_rows(&self, list: &PriceList) -> Result<Rc<Rows>, EngineError> {
        if let Some(rows) = self.rows.borrow().get(&list.rows) {
            return Ok(Rc::clone(rows));
        }
        let bytes = self.blobs.blob(&list.rows)?;
        let all: Vec<PriceRow> = serde_json::from_slice(&bytes).map_err(|error| {
            EngineError::Bug(format!("the rows of price list {} cannot be read: {error}", list.name))
        })?;
        let mut rows = Rows::new();
        for row in all {
            rows.entry(row.sku.clone()).or_default().push(row);
        }
        let rows = Rc::new(rows);
        self.rows.borrow_mut().insert(list.rows, Rc::clone(&rows));
        Ok(rows)
    }

    /// The rows of the resource's sku that hold on the local date of the quote, shortest term first.
    fn rows(&self, job: &Job<'_>, date: NaiveDate) -> Result<Result<Vec<PriceRow>, Refusal>, EngineError> {
        let Some(name) = &job.policy.pricing.price_list else { return Ok(Ok(Vec::new())) };
        let Some(list) = self.price_list(name) else {
            return Ok(Err(Refusal::new(Reason::PricingFailed, format!("there is no price list `{name}`"))));
        };
        if list.currency != job.account.currency {
            return Ok(Err(Refusal::new(
                Reason::CurrencyMismatch,
                format!(
                    "price list {name} is in {}, but account {} pays in {}",
                    list.currency, job.account.name, job.account.currency
                ),
            )
            .hint("give the accounts of each currency a policy with a price list of their own")));
        }
        let all = self.list_rows(list)?;
        let mut rows: Vec<PriceRow> = all
            .get(&job.resource.description.sku)
            .into_iter()
            .flatten()
            .filter(|row| row.holds_on(date))
            .cloned()
            .collect();
        rows.sort_by_key(|row| row.term);
        Ok(Ok(rows))
    }

    fn request(&self, job: &Job<'_>) -> Result<Result<pricing_wire::PriceRequest, Refusal>, EngineError> {
        let date = job.at.with_timezone(&job.account.time_zone).date_naive();
        let rows = match self.rows(job, date)? {
            Ok(rows) => rows,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let prepared = &job.prepared;
        let dates = &prepared.dates;
        let description = &job.resource.description;
        Ok(Ok(pricing_wire::PriceRequest {
            item: prepared.resource.to_string(),
            sku: description.sku.clone(),
            kind: description.kind.clone(),
            region: description.region.clone(),
            labels: description.labels.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
            quantity: prepared.quantity,
            currency: prepared.currency.code().to_owned(),
            minor_digits: prepared.currency.minor_digits(),
            rounding: match job.policy.rounding {
                Rounding::HalfEven => pricing_wire::Rounding::HalfEven,
                Rounding::HalfUp => pricing_wire::Rounding::HalfUp,
            },
            quoted_at: rfc3339_in(job.at, job.account.time_zone),
            quoted_on: date.to_string(),
            old_expiry: local(&prepared.old_end.expiry),
            base: local(&dates.base),
            new_expiry: local(&dates.new_expiry),
            term: dates.term.to_string(),
            months: dates.term.months().into(),
            extra_days: dates.extra_days.into(),
            extra_of: match dates.extra_of {
                ExtraOf::Month => pricing_wire::ExtraBasis::Month,
                ExtraOf::Term => pricing_wire::ExtraBasis::Term,
            },
            extra_fraction: dates
                .fraction
                .parts
                .iter()
                .map(|part| pricing_wire::FractionPart { numerator: part.numerator, denominator: part.denominator })
                .collect(),
            rows: rows
                .iter()
                .map(|row| pricing_wire::PriceRow {
                    term: row.term.to_string(),
                    months: row.term.months().into(),
                    unit_price: row.price.to_string(),
                })
                .collect(),
            metadata: Vec::new(),
        }))
    }
}

/// A local date and time as plugins read it.
pub(crate) fn local(expiry: &Expiry) -> String {
    expiry.date.and_time(expiry.time).format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Items in one call of a plugin, and one step of the progress.
const BATCH_ITEMS: usize = 100;

type Indexed<'a> = Vec<(usize, Job<'a>)>;
type Answers = Vec<Result<renewd_plugin_host::Quote, ItemFailure>>;

fn chunks<'a>(
    mut requests: Vec<pricing_wire::PriceRequest>,
    mut jobs: Indexed<'a>,
    plugin: &PricingPlugin,
    config: &str,
    progress: &Step<'_>,
) -> Vec<((Vec<pricing_wire::PriceRequest>, Indexed<'a>), Answers)> {
    let mut answered = Vec::new();
    while !requests.is_empty() {
        let rest = requests.split_off(requests.len().min(BATCH_ITEMS));
        let rest_jobs = jobs.split_off(jobs.len().min(BATCH_ITEMS));
        let quotes = plugin.quote(config, &requests).value;
        progress.step(requests.len());
        answered.push(((requests, jobs), quotes));
        requests = rest;
        jobs = rest_jobs;
    }
    answered
}

fn finish(
    job: Job<'_>,
    plugin: Digest,
    request: pricing_wire::PriceRequest,
    answer: Result<renewd_plugin_host::Quote, ItemFailure>,
) -> Result<Quote, Refusal> {
    let failed = |message: String| Refusal::new(Reason::PricingFailed, message);
    let quote = answer.map_err(|failure| {
        let refusal = failed(format!("plugin {}: {failure}", job.policy.pricing.plugin));
        match failure.hint() {
            Some(hint) => refusal.hint(hint),
            None => refusal,
        }
    })?;
    let pinned = PinnedPricing {
        plugin,
        config: job.policy.pricing.config.clone(),
        request: serde_json::to_value(&request).map_err(|error| failed(error.to_string()))?,
    };
    let price = Price { lines: price_lines(&quote), term_net: quote.term_net, pricing: pinned };
    job.prepared.priced(job.resource, job.policy, price, job.at).map_err(|error| failed(error.to_string()))
}

/// The lines of a plugin's answer in the core's words.
pub(crate) fn price_lines(quote: &renewd_plugin_host::Quote) -> Vec<PriceLine> {
    quote
        .lines
        .iter()
        .map(|line| PriceLine {
            description: line.description.clone(),
            kind: line_kind(line.kind).to_owned(),
            quantity: line.quantity.into(),
            unit_price: line.unit_price,
            amount: line.amount,
        })
        .collect()
}

fn line_kind(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Term => "term",
        LineKind::ExtraDays => "extra-days",
        LineKind::Discount => "discount",
        LineKind::Minimum => "minimum",
        LineKind::Fee => "fee",
        LineKind::Tax => "tax",
        LineKind::Other => "other",
    }
}
