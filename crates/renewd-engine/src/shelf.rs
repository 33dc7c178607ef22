//! The shelf of loaded plugins: components by digest, compiled once per process, and their limits.

use crate::error::EngineError;
use renewd_core::documents::{Plugin, PluginLimits};
use renewd_core::ids::Digest;
use renewd_plugin_host::{Host, HostOptions, Limits, PaymentPlugin, PricingPlugin, Scale};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where the bytes of plugins and price lists come from, by digest.
pub(crate) trait Blobs {
    /// The bytes of a digest.
    fn blob(&self, digest: &Digest) -> Result<Vec<u8>, EngineError>;
}

/// Loaded plugins, by the digest of their bytes and their own limits.
pub(crate) struct Shelf {
    cache_dir: Option<PathBuf>,
    host: OnceCell<Host>,
    pricing: RefCell<BTreeMap<(Digest, PluginLimits), Result<PricingPlugin, String>>>,
    payment: RefCell<BTreeMap<(Digest, PluginLimits), Result<PaymentPlugin, String>>>,
}

impl Shelf {
    /// An empty shelf. The host starts at the first plugin, because most commands need none.
    pub(crate) fn new(cache_dir: Option<PathBuf>) -> Self {
        Self { cache_dir, host: OnceCell::new(), pricing: RefCell::default(), payment: RefCell::default() }
    }

    /// The host.
    pub(crate) fn host(&self) -> Result<&Host, EngineError> {
        if let Some(host) = self.host.get() {
            return Ok(host);
        }
        let options = HostOptions { cache_dir: self.cache_dir.clone(), scale: Scale::Small };
        let host = Host::new(&options).map_err(|error| EngineError::Bug(error.to_string()))?;
        Ok(self.host.get_or_init(|| host))
    }

    /// The pricing plugin of a document, or why it cannot be loaded.
    pub(crate) fn pricing(
        &self,
        plugin: &Plugin,
        blobs: &dyn Blobs,
    ) -> Result<Result<PricingPlugin, String>, EngineError> {
        self.pricing_by_digest(&plugin.digest, &plugin.limits, blobs)
    }

    /// The pricing plugin of a digest, or why it cannot be loaded.
    pub(crate) fn pricing_by_digest(
        &self,
        digest: &Digest,
        limits: &PluginLimits,
        blobs: &dyn Blobs,
    ) -> Result<Result<PricingPlugin, String>, EngineError> {
        let key = (*digest, limits.clone());
        if let Some(known) = self.pricing.borrow().get(&key) {
            return Ok(known.clone());
        }
        let bytes = blobs.blob(digest)?;
        let loaded = self.host()?.load_pricing(&bytes, host_limits(limits)).map_err(|error| error.to_string());
        self.pricing.borrow_mut().insert(key, loaded.clone());
        Ok(loaded)
    }

    /// The payment plugin of a digest, or why it cannot be loaded.
    pub(crate) fn payment_by_digest(
        &self,
        digest: &Digest,
        limits: &PluginLimits,
        blobs: &dyn Blobs,
    ) -> Result<Result<PaymentPlugin, String>, EngineError> {
        let key = (*digest, limits.clone());
        if let Some(known) = self.payment.borrow().get(&key) {
            return Ok(known.clone());
        }
        let bytes = blobs.blob(digest)?;
        let loaded = self.host()?.load_payment(&bytes, host_limits(limits)).map_err(|error| error.to_string());
        self.payment.borrow_mut().insert(key, loaded.clone());
        Ok(loaded)
    }
}

fn host_limits(limits: &PluginLimits) -> Limits {
    let mut host = Limits::default();
    if let Some(bytes) = limits.memory_bytes {
        host.memory_bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    }
    if let Some(fuel) = limits.fuel {
        host.fuel_base = fuel;
    }
    if let Some(deadline) = limits.deadline_ms {
        host.wall = std::time::Duration::from_millis(deadline);
    }
    host
}
