//! The host: one engine, one artefact cache, and the two ways to load a plugin.

use crate::artefacts::{Artefacts, CacheState};
use crate::engine;
use crate::failure::{HostError, LoadError};
use crate::inspect::{self, Inspection};
use crate::limits::Limits;
use crate::load;
use crate::payment::PaymentPlugin;
use crate::pricing::PricingPlugin;
use std::path::PathBuf;
use std::sync::Arc;
use wasmtime::Engine;

/// How many calls are to come: a pool takes milliseconds to set up and pays back after some hundred calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Up to some hundred calls: instances are allocated as needed.
    #[default]
    Small,
    /// Thousands of calls: instances come from a pool.
    Large,
}

/// How a host is made.
#[derive(Debug, Clone, Default)]
pub struct HostOptions {
    /// Directory for compiled artefacts, made when missing; without one nothing is kept.
    pub cache_dir: Option<PathBuf>,
    /// How many calls are to come.
    pub scale: Scale,
}

/// Loads plugins. Cheap to clone, usable from several threads.
#[derive(Clone)]
pub struct Host {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) artefacts: Artefacts,
}

impl Host {
    /// Makes a host. A cache directory that is not safe to use is left alone: see [`Host::cache_state`].
    ///
    /// # Errors
    /// The engine cannot start on this machine.
    pub fn new(options: &HostOptions) -> Result<Self, HostError> {
        let engine = engine::start(options.scale)?;
        let artefacts = Artefacts::open(&engine, options.cache_dir.as_deref());
        Ok(Self { inner: Arc::new(Inner { engine, artefacts }) })
    }

    /// Whether compiled artefacts are kept, and if not, why.
    pub fn cache_state(&self) -> &CacheState {
        self.inner.artefacts.state()
    }

    /// Loads a pricing plugin: checks its imports, exports and manifest.
    ///
    /// # Errors
    /// The component is refused; the error says why, and its hint what to do.
    pub fn load_pricing(&self, bytes: &[u8], limits: Limits) -> Result<PricingPlugin, LoadError> {
        load::pricing(&self.inner, bytes, limits)
    }

    /// Loads a payment plugin: checks its imports, exports and manifest.
    ///
    /// # Errors
    /// The component is refused; the error says why, and its hint what to do.
    pub fn load_payment(&self, bytes: &[u8], limits: Limits) -> Result<PaymentPlugin, LoadError> {
        load::payment(&self.inner, bytes, limits)
    }

    /// Everything about a component, refused or not, without granting it anything.
    ///
    /// # Errors
    /// The bytes are too many, or no valid component.
    pub fn inspect(&self, bytes: &[u8]) -> Result<Inspection, LoadError> {
        inspect::inspect(self, bytes)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }
}
