//! A loaded pricing plugin: `describe`, `check-config`, and `quote` in batches.

use crate::bindings::pricing::{PriceError, PriceQuote, PriceRequest};
use crate::bindings::types;
use crate::call::{self, CallState, Called};
use crate::exports::{Exports, Started};
use crate::failure::{LoadError, PluginFailure};
use crate::http::Door;
use crate::invalid_output::InvalidOutput;
use crate::limits::Limits;
use crate::manifest::{self, Finding, Manifest, Role};
use crate::quote::{self, ItemFailure, Quote};
use renewd_core::ids::Digest;
use std::sync::Arc;
use wasmtime::Store;

/// A pricing plugin, ready to be called. Cheap to clone, usable from several threads.
#[derive(Clone)]
pub struct PricingPlugin {
    inner: Arc<Inner>,
}

struct Inner {
    exports: Exports,
    digest: Digest,
    limits: Limits,
    manifest: Manifest,
}

type RawAnswers = Vec<Result<PriceQuote, PriceError>>;
type Verdicts = Vec<Result<Quote, ItemFailure>>;

impl PricingPlugin {
    /// The functions of the interface, alike in every version.
    pub(crate) const FUNCTIONS: [&'static str; 3] = ["describe", "check-config", "quote"];

    pub(crate) fn new(exports: Exports, digest: Digest, limits: Limits) -> Result<Self, LoadError> {
        let raw = call::run(&exports, &limits, 0, Door::closed(), |store, plugin| match check_types(store, plugin) {
            Ok(()) => plugin.call(store, "describe", ()).map(Ok),
            Err(error) => Ok(Err(format!("{error:#}"))),
        });
        let raw: types::Manifest = raw.value.map_err(LoadError::Describe)?.map_err(LoadError::Interface)?;
        let manifest = manifest::manifest(raw, Role::Pricing, &limits).map_err(LoadError::Manifest)?;
        Ok(Self { inner: Arc::new(Inner { exports, digest, limits, manifest }) })
    }

    /// Digest of the component's bytes.
    pub fn digest(&self) -> &Digest {
        &self.inner.digest
    }

    /// The world that it was built for, such as `renewd:plugin/pricing-plugin@1.0.0`.
    pub fn world(&self) -> String {
        self.inner.exports.version.name("pricing-plugin")
    }

    /// What the plugin says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.inner.manifest
    }

    /// The limits it runs under.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Asks the plugin to judge its configuration, a JSON text. No findings: it can be used.
    pub fn check_config(&self, config: &str) -> Called<Result<Vec<Finding>, PluginFailure>> {
        let raw = call::run(&self.inner.exports, &self.inner.limits, 0, Door::closed(), |store, plugin| {
            plugin.call(store, "check-config", (config,))
        });
        raw.map(|answer| {
            let checked = manifest::findings(answer?, &self.inner.limits);
            checked.map_err(|what| PluginFailure::InvalidOutput { what })
        })
    }

    /// Prices all requests: one verdict for each, in their order.
    ///
    /// A batch that fails as a whole is asked again item by item, so that one bad item costs the others nothing.
    pub fn quote(&self, config: &str, requests: &[PriceRequest]) -> Called<Verdicts> {
        let mut all = Called::uncalled(Vec::with_capacity(requests.len()));
        for batch in requests.chunks(self.inner.limits.items_per_call.max(1)) {
            let answers = self.quote_batch(config, batch);
            all.log.append(answers.log);
            all.fuel = all.fuel.saturating_add(answers.fuel);
            all.value.extend(answers.value);
        }
        all
    }

    fn quote_batch(&self, config: &str, requests: &[PriceRequest]) -> Called<Verdicts> {
        let called = self.call_quote(config, requests);
        let failure = match called.value {
            Ok(answers) => {
                let value = requests
                    .iter()
                    .zip(answers)
                    .map(|(request, raw)| quote::answer(request, raw, &self.inner.limits))
                    .collect();
                return Called { log: called.log, fuel: called.fuel, ..Called::uncalled(value) };
            }
            Err(failure) => failure,
        };
        if requests.len() <= 1 {
            let value = requests.iter().map(|_| Err(ItemFailure::Failed(failure.clone()))).collect();
            return Called { log: called.log, fuel: called.fuel, ..Called::uncalled(value) };
        }
        let mut all =
            Called { log: called.log, fuel: called.fuel, ..Called::uncalled(Vec::with_capacity(requests.len())) };
        for request in requests {
            let single = self.quote_batch(config, std::slice::from_ref(request));
            all.log.append(single.log);
            all.fuel = all.fuel.saturating_add(single.fuel);
            all.value.extend(single.value);
        }
        all
    }

    fn call_quote(&self, config: &str, requests: &[PriceRequest]) -> Called<Result<RawAnswers, PluginFailure>> {
        let raw =
            call::run(&self.inner.exports, &self.inner.limits, requests.len(), Door::closed(), |store, plugin| {
                plugin.call(store, "quote", (config, requests))
            });
        raw.map(|answers| {
            let answers: RawAnswers = answers?;
            if answers.len() == requests.len() {
                return Ok(answers);
            }
            let what = InvalidOutput::AnswerCount { requests: requests.len(), answers: answers.len() };
            Err(PluginFailure::InvalidOutput { what })
        })
    }
}

fn check_types(store: &mut Store<CallState>, plugin: &Started<'_>) -> wasmtime::Result<()> {
    plugin.has::<(), types::Manifest>(store, "describe")?;
    plugin.has::<(&str,), Vec<types::Finding>>(store, "check-config")?;
    plugin.has::<(&str, &[PriceRequest]), RawAnswers>(store, "quote")
}
