//! The engine: where the clock, the store and the plugins meet. Each use case is a method in a file of its own.

use crate::desk::{Desk, Kept};
use crate::error::EngineError;
use crate::gateway::Gateways;
use crate::home::{Directory, Home, OwnerToken};
use crate::progress::{Progress, Step};
use crate::reaching::Outside;
use crate::shelf::{Blobs, Shelf};
use chrono::{DateTime, Utc};
use renewd_core::documents::{Document, DocumentKey};
use renewd_core::ids::{Digest, OrderId};
use renewd_core::state::{Meta, State};
use renewd_store::{Sequence, Store};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// How long at least to wait for the store when a payment's outcome is to be written.
const OUTCOME_WAIT: Duration = Duration::from_secs(60);

/// Gateways that are asked at the same time how payments have ended.
const ASKED_AT_ONCE: usize = 16;

/// Where the time comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine.
    System,
    /// Always this moment: for rehearsals, tests and reproducible documents.
    Fixed(DateTime<Utc>),
    /// Seconds since 1970 in UTC, moved by somebody else.
    Moved(Arc<AtomicI64>),
}

impl Clock {
    /// The moment.
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
            Self::System => chrono::SubsecRound::trunc_subsecs(Utc::now(), 0),
            Self::Fixed(now) => *now,
            Self::Moved(seconds) => {
                DateTime::from_timestamp(seconds.load(Ordering::SeqCst), 0).unwrap_or(DateTime::<Utc>::MIN_UTC)
            }
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
    /// Told each thing that had to be repaired when the store was opened, a sentence.
    pub notice: Option<fn(&str)>,
}

/// The use cases of renewd on one store.
pub struct Engine {
    pub(crate) options: EngineOptions,
    pub(crate) shelf: Shelf,
    pub(crate) outside: Outside,
    pub(crate) home: Arc<dyn Home>,
    pub(crate) gateways: Option<Arc<dyn Gateways>>,
    /// Whether gateways are asked one after the other, so that everything happens in one order only.
    pub(crate) one_at_a_time: bool,
    documents: RefCell<Option<KnownDocuments>>,
    epoch: Cell<u32>,
    owner: OnceCell<Box<dyn OwnerToken>>,
    actor: String,
}

/// The documents of a revision, so that short visits need not read them again.
struct KnownDocuments {
    meta: Meta,
    documents: BTreeMap<DocumentKey, Document>,
}

/// A copy of the state at one moment, read under a lock that is already given back.
pub(crate) struct Snapshot {
    pub(crate) state: State,
    pub(crate) sequence: Sequence,
    /// Whether there is a store.
    pub(crate) exists: bool,
    /// How often its history was restored.
    pub(crate) epoch: u32,
    blobs: BlobFolder,
}

/// Blobs of a store whose lock is not held: they are never changed once written, so reading needs no lock.
#[derive(Clone)]
pub(crate) struct BlobFolder {
    home: Arc<dyn Home>,
    /// Blobs that are not stored yet.
    pub(crate) extra: Arc<BTreeMap<Digest, Vec<u8>>>,
}

impl Blobs for BlobFolder {
    fn blob(&self, digest: &Digest) -> Result<Vec<u8>, EngineError> {
        match self.extra.get(digest) {
            Some(bytes) => Ok(bytes.clone()),
            None => Ok(self.home.blob(digest)?),
        }
    }
}

impl Snapshot {
    /// A snapshot of a state that was read at a desk.
    pub(crate) fn of(desk: Desk, blobs: BlobFolder) -> Self {
        Self { sequence: desk.sequence, exists: true, epoch: desk.epoch(), state: desk.state, blobs }
    }

    pub(crate) fn blobs(&self) -> &BlobFolder {
        &self.blobs
    }
}

impl Engine {
    /// An engine on a store's directory; nothing is opened yet.
    pub fn new(options: EngineOptions) -> Self {
        let home = Arc::new(Directory(options.store.clone()));
        // Looking at a plan must not leave a folder where there is no store.
        let cache_dir = home.exists().then(|| options.store.join("cache"));
        Self {
            options,
            shelf: Shelf::new(cache_dir),
            outside: Outside::default(),
            home,
            gateways: None,
            one_at_a_time: false,
            documents: RefCell::default(),
            epoch: Cell::default(),
            owner: OnceCell::new(),
            actor: os_user(),
        }
    }

    /// The same engine on another kind of store, with gateways of the caller's making instead of plugins, asked one
    /// after the other. `actor` is what is journaled as the user.
    #[must_use]
    pub fn in_a_world(mut self, home: Arc<dyn Home>, gateways: Arc<dyn Gateways>, actor: &str) -> Self {
        self.home = home;
        self.gateways = Some(gateways);
        self.one_at_a_time = true;
        actor.clone_into(&mut self.actor);
        self
    }

    /// Gateways that may be asked at the same time how payments have ended.
    pub(crate) fn asked_at_once(&self) -> usize {
        if self.one_at_a_time { 1 } else { ASKED_AT_ONCE }
    }

    /// The same engine as another process would have it: nothing is remembered but compiled plugins.
    #[must_use]
    pub fn restarted(self) -> Self {
        Self { documents: RefCell::default(), epoch: Cell::default(), owner: OnceCell::new(), ..self }
    }

    /// The moment that use cases judge by.
    pub fn now(&self) -> DateTime<Utc> {
        self.options.clock.now()
    }

    /// Whether there is a store, or what is left of one.
    pub fn has_store(&self) -> bool {
        self.home.exists()
    }

    /// The store's directory.
    pub fn store_dir(&self) -> &Path {
        &self.options.store
    }

    /// Opens the store for a short visit.
    pub(crate) fn desk(&self, at: DateTime<Utc>) -> Result<Desk, EngineError> {
        self.desk_at(self.open(self.options.wait)?, at)
    }

    /// Opens the store for a short visit that commits nothing, which works also where the disk is full.
    pub(crate) fn reading_desk(&self, at: DateTime<Utc>) -> Result<Desk, EngineError> {
        self.must_have_store()?;
        let store = self.home.open_to_read(self.options.wait)?;
        self.tell_repairs(&store);
        self.desk_at(store, at)
    }

    /// Opens the store with the rows of some orders only, to write down what became of them: that must not be lost
    /// because others are at work.
    pub(crate) fn desk_for(&self, orders: &[OrderId], at: DateTime<Utc>) -> Result<Desk, EngineError> {
        self.desk_from(None, orders, at)
    }

    /// As [`Engine::desk_for`], from the rows that an earlier visit has left where they still hold.
    pub(crate) fn desk_from(
        &self,
        kept: Option<Kept>,
        orders: &[OrderId],
        at: DateTime<Utc>,
    ) -> Result<Desk, EngineError> {
        self.must_have_store()?;
        let store = self.home.open_lazily(self.options.wait.max(OUTCOME_WAIT))?;
        let known = match kept.and_then(|kept| kept.still(&store)) {
            Some(known) => known,
            None => self.known(&store)?,
        };
        let state = crate::desk::with_orders(&store, orders, known)?;
        self.tell_repairs(&store);
        let mut desk = Desk::new(store, Arc::clone(&self.home), state, (at, &self.actor, &self.options.command));
        desk.settle_time()?;
        self.epoch.set(desk.epoch());
        Ok(desk)
    }

    /// Opens the store with what may be due: live orders, and the resources that expire soon or have expired and are not
    /// released. What it costs follows what is due, not what exists.
    pub(crate) fn desk_of_due(&self, at: DateTime<Utc>) -> Result<Desk, EngineError> {
        let store = self.open(self.options.wait)?;
        let state = crate::desk::state_of_due(&store, self.known(&store)?, at)?;
        let mut desk = Desk::new(store, Arc::clone(&self.home), state, (at, &self.actor, &self.options.command));
        desk.settle_time()?;
        Ok(desk)
    }

    /// Opens the store with the live orders and their rows only.
    pub(crate) fn desk_of_orders(&self, at: DateTime<Utc>) -> Result<Desk, EngineError> {
        let store = self.open(self.options.wait)?;
        let orders: Vec<OrderId> = store.open_orders()?.into_keys().collect();
        let state = crate::desk::with_orders(&store, &orders, self.known(&store)?)?;
        let mut desk = Desk::new(store, Arc::clone(&self.home), state, (at, &self.actor, &self.options.command));
        desk.settle_time()?;
        Ok(desk)
    }

    /// Counters and documents, which are read again only where they have changed.
    fn known(&self, store: &Store) -> Result<State, EngineError> {
        let meta = store.meta()?;
        let known = self.documents.borrow().as_ref().filter(|known| known.meta == meta).map(|it| it.documents.clone());
        let documents = match known {
            Some(documents) => documents,
            None => {
                let documents = store.documents()?;
                *self.documents.borrow_mut() =
                    Some(KnownDocuments { meta: meta.clone(), documents: documents.clone() });
                documents
            }
        };
        Ok(State { meta, documents, ..State::default() })
    }

    /// How often the store's history was restored, as of the last visit for some orders.
    pub(crate) fn epoch(&self) -> u32 {
        self.epoch.get()
    }

    fn open(&self, wait: Duration) -> Result<Store, EngineError> {
        self.must_have_store()?;
        let store = self.home.open(wait)?;
        self.tell_repairs(&store);
        Ok(store)
    }

    /// What a process that ended early, or a disk, has left in disorder is repaired, but not in silence.
    fn tell_repairs(&self, store: &Store) {
        if let Some(notice) = self.options.notice {
            store.repaired().iter().for_each(|repaired| notice(repaired));
        }
    }

    /// Refuses where there is no store.
    pub(crate) fn must_have_store(&self) -> Result<(), EngineError> {
        if self.has_store() {
            return Ok(());
        }
        Err(EngineError::input(
            "no-store",
            format!("there is no store in `{}`", self.options.store.display()),
            "`renewd apply DIR` makes one, or name another with `--store`".to_owned(),
        ))
    }

    fn desk_at(&self, store: Store, at: DateTime<Utc>) -> Result<Desk, EngineError> {
        let state = crate::desk::working_state(&store)?;
        let mut desk = Desk::new(store, Arc::clone(&self.home), state, (at, &self.actor, &self.options.command));
        desk.settle_time()?;
        Ok(desk)
    }

    /// Reads the state under a short lock; the empty state where there is no store. What time did to orders is
    /// applied to the copy, not journaled.
    pub(crate) fn snapshot(&self, at: DateTime<Utc>) -> Result<Snapshot, EngineError> {
        let blobs = self.blobs_with(BTreeMap::new());
        if !self.has_store() {
            let (state, sequence) = (State::default(), Sequence::default());
            return Ok(Snapshot { state, sequence, exists: false, epoch: 0, blobs });
        }
        Ok(Snapshot::of(self.reading_desk(at)?, blobs))
    }

    /// Blobs of the store and some that are not stored yet.
    pub(crate) fn blobs_with(&self, extra: BTreeMap<Digest, Vec<u8>>) -> BlobFolder {
        BlobFolder { home: Arc::clone(&self.home), extra: Arc::new(extra) }
    }

    /// This process's token on attempts; its lock lives as long as the engine.
    pub(crate) fn owner(&self) -> Result<String, EngineError> {
        if let Some(owner) = self.owner.get() {
            return Ok(owner.token().to_owned());
        }
        let owner = self.home.owner()?;
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
