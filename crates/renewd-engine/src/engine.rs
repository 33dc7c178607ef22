//! The engine: where the clock, the store and the plugins meet. Each use case is a method in a file of its own.

use crate::desk::Desk;
use crate::error::EngineError;
use crate::progress::{Progress, Step};
use crate::reaching::Outside;
use crate::shelf::{Blobs, Shelf};
use chrono::{DateTime, Utc};
use renewd_core::ids::Digest;
use renewd_core::state::State;
use renewd_store::{Mode, Owner, Sequence, Store};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long at least to wait for the store when a payment's outcome is to be written.
const OUTCOME_WAIT: Duration = Duration::from_secs(60);

/// Where the time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The machine.
    System,
    /// Always this moment: for rehearsals, tests and reproducible documents.
    Fixed(DateTime<Utc>),
}

impl Clock {
    /// The moment.
    pub fn now(self) -> DateTime<Utc> {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
            Self::System => chrono::SubsecRound::trunc_subsecs(Utc::now(), 0),
            Self::Fixed(now) => now,
        }
    }
}

/// How an engine is made.
#[derive(Clone)]
pub struct EngineOptions {
    /// The store's directory.
    pub store: PathBuf,
    /// How long to wait for another process.
    pub wait: Duration,
    /// The command line as journaled.
    pub command: String,
    /// Where the time comes from.
    pub clock: Clock,
    /// Shows long work.
    pub progress: Option<Arc<dyn Progress>>,
}

/// The use cases of renewd on one store.
pub struct Engine {
    pub(crate) options: EngineOptions,
    pub(crate) shelf: Shelf,
    pub(crate) outside: Outside,
    owner: OnceCell<Owner>,
    actor: String,
}

/// A copy of the state at one moment, read under a lock that is already given back.
pub(crate) struct Snapshot {
    pub(crate) state: State,
    pub(crate) sequence: Sequence,
    /// Whether there is a store.
    pub(crate) exists: bool,
    blobs: BlobFolder,
}

/// Blobs of a store whose lock is not held: they are never changed once written, so reading needs no lock.
#[derive(Clone)]
pub(crate) struct BlobFolder {
    store: PathBuf,
    /// Blobs that are not stored yet.
    pub(crate) extra: Arc<BTreeMap<Digest, Vec<u8>>>,
}

impl Blobs for BlobFolder {
    fn blob(&self, digest: &Digest) -> Result<Vec<u8>, EngineError> {
        match self.extra.get(digest) {
            Some(bytes) => Ok(bytes.clone()),
            None => Ok(renewd_store::read_blob(&self.store, digest)?),
        }
    }
}

impl Snapshot {
    /// A snapshot of a state that was read at a desk.
    pub(crate) fn of(state: State, sequence: Sequence, blobs: BlobFolder) -> Self {
        Self { state, sequence, exists: true, blobs }
    }

    pub(crate) fn blobs(&self) -> &BlobFolder {
        &self.blobs
    }
}

impl Engine {
    /// An engine on a store's directory; nothing is opened yet.
    pub fn new(options: EngineOptions) -> Self {
        // Looking at a plan must not leave a folder where there is no store.
        let cache_dir = Store::exists(&options.store).then(|| options.store.join("cache"));
        Self {
            options,
            shelf: Shelf::new(cache_dir),
            outside: Outside::default(),
            owner: OnceCell::new(),
            actor: os_user(),
        }
    }

    /// The moment that use cases judge by.
    pub fn now(&self) -> DateTime<Utc> {
        self.options.clock.now()
    }

    /// Whether there is a store, or what is left of one.
    pub fn has_store(&self) -> bool {
        Store::exists(&self.options.store)
    }

    /// The store's directory.
    pub fn store_dir(&self) -> &Path {
        &self.options.store
    }

    /// Opens the store for a short visit.
    pub(crate) fn desk(&self, at: DateTime<Utc>) -> Result<Desk, EngineError> {
        self.desk_within(at, self.options.wait)
    }

    /// Opens the store to write down what a gateway said: that must not be lost because others are at work.
    pub(crate) fn patient_desk(&self, at: DateTime<Utc>) -> Result<Desk, EngineError> {
        self.desk_within(at, self.options.wait.max(OUTCOME_WAIT))
    }

    fn desk_within(&self, at: DateTime<Utc>, wait: Duration) -> Result<Desk, EngineError> {
        if !self.has_store() {
            return Err(EngineError::input(
                "no-store",
                format!("there is no store in `{}`", self.options.store.display()),
                "`renewd apply DIR` makes one, or name another with `--store`".to_owned(),
            ));
        }
        let store = Store::open(&self.options.store, wait, Mode::Write)?;
        let mut desk = Desk::new(store, at, &self.actor, &self.options.command)?;
        desk.settle_time()?;
        Ok(desk)
    }

    /// Reads the state under a short lock; the empty state where there is no store. What time did to orders is
    /// applied to the copy, not journaled.
    pub(crate) fn snapshot(&self, at: DateTime<Utc>) -> Result<Snapshot, EngineError> {
        let blobs = BlobFolder { store: self.options.store.clone(), extra: Arc::default() };
        if !self.has_store() {
            return Ok(Snapshot { state: State::default(), sequence: Sequence::default(), exists: false, blobs });
        }
        let desk = self.desk(at)?;
        Ok(Snapshot { sequence: desk.sequence, state: desk.state, exists: true, blobs })
    }

    /// Blobs of the store and some that are not stored yet.
    pub(crate) fn blobs_with(&self, extra: BTreeMap<Digest, Vec<u8>>) -> BlobFolder {
        BlobFolder { store: self.options.store.clone(), extra: Arc::new(extra) }
    }

    /// This process's token on attempts; its lock lives as long as the engine.
    pub(crate) fn owner(&self) -> Result<String, EngineError> {
        if let Some(owner) = self.owner.get() {
            return Ok(owner.token().to_owned());
        }
        let owner = Owner::create(&self.options.store)?;
        Ok(self.owner.get_or_init(|| owner).token().to_owned())
    }

    pub(crate) fn step(&self, what: &str, total: usize) -> Step<'_> {
        Step::begin(self.options.progress.as_deref(), what, total)
    }
}

/// The operating-system user, as journaled; the environment has no say in it.
fn os_user() -> String {
    whoami::username().unwrap_or_else(|_| "unknown".to_owned())
}
