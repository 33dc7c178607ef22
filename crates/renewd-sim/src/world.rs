//! The world of one seed: its clock, disk, processes and gateways; and the store's home in it.

use crate::bank::Bank;
use crate::chance::Chance;
use crate::documents::Declared;
use renewd_core::ids::Digest;
use renewd_engine::{Home, OwnerToken};
use renewd_store::testing::{Crash, SimDisk, SimIndex};
use renewd_store::{Opening, Restored, Store, StoreError, StoreId};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What one seed is prone to: every seed has other troubles, so that rare ones come together too.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    fates: u64,
    /// Chance in percent that a gateway cannot tell when it is asked.
    pub(crate) cannot_tell: u64,
    /// Chance in percent that a gateway denies a charge that it has.
    pub(crate) denies: u64,
    pub(crate) visibility_seconds: u64,
    /// Chance in percent that a command is cut short by a crash.
    pub(crate) crashes: u64,
    /// Chance in percent that a sync or write fails during a command.
    pub(crate) disk_faults: u64,
    pub(crate) backups: bool,
    pub(crate) clock_jumps: bool,
    pub(crate) people_err: bool,
    /// Chance in percent that another process acts while a gateway is asked what became of something.
    pub(crate) meanwhile: u64,
    /// Whether the journal's records are part of the trace.
    pub(crate) traced: bool,
}

impl Profile {
    pub(crate) fn new(chances: &mut Chance) -> Self {
        let calm = chances.percent(4);
        let mut some = |percent: u64, low: i64, high: i64| {
            let amount = u64::try_from(chances.between(low, high)).unwrap_or_default();
            if !calm && chances.percent(percent) { amount } else { 0 }
        };
        Self {
            cannot_tell: some(50, 5, 40),
            denies: some(45, 10, 40),
            visibility_seconds: some(60, 60, 7_200),
            crashes: some(75, 5, 25),
            disk_faults: some(55, 5, 20),
            backups: some(40, 1, 1) == 1,
            clock_jumps: some(40, 1, 1) == 1,
            people_err: some(45, 1, 1) == 1,
            meanwhile: some(50, 5, 20),
            traced: false,
            fates: if calm { 0 } else { chances.rng().next_u64() | chances.rng().next_u64() },
        }
    }

    /// Whether this seed deals a fate, by its place in the list.
    pub(crate) fn deals(&self, fate: usize) -> bool {
        self.fates >> (fate % 64) & 1 == 1
    }
}

/// The store's files as they are now.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) disk: SimDisk,
    pub(crate) index: SimIndex,
    pub(crate) restored: Option<Restored>,
}

/// What another process does while one waits for a gateway; it tells in words.
pub(crate) type Others = Box<dyn FnMut(&mut Chance) -> String + Send>;

/// The world of one seed.
pub(crate) struct World {
    pub(crate) clock: Arc<AtomicI64>,
    pub(crate) profile: Profile,
    machine: Mutex<Machine>,
    bank: Mutex<Bank>,
    alive: Mutex<BTreeSet<String>>,
    tokens: AtomicI64,
    pub(crate) dir: PathBuf,
    id: StoreId,
    violations: Mutex<Vec<String>>,
    others: Mutex<Option<Others>>,
    declared: Mutex<Option<Declared>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub(crate) fn new(seed: u64, dir: PathBuf, clock: Arc<AtomicI64>, profile: Profile) -> Self {
        let machine = Machine { disk: SimDisk::new(), index: SimIndex::default(), restored: None };
        let mut id = [0; 16];
        id.iter_mut().zip(seed.to_be_bytes()).for_each(|(byte, of_seed)| *byte = of_seed);
        Self {
            clock,
            profile,
            machine: Mutex::new(machine),
            bank: Mutex::new(Bank::new(seed)),
            alive: Mutex::default(),
            tokens: AtomicI64::new(0),
            dir,
            id: StoreId::from_bytes(id),
            violations: Mutex::default(),
            others: Mutex::new(None),
            declared: Mutex::new(None),
        }
    }

    /// Seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    pub(crate) fn advance(&self, seconds: i64) {
        if seconds < 0 {
            self.bank().clock_went_back = true;
        }
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn bank(&self) -> MutexGuard<'_, Bank> {
        lock(&self.bank)
    }

    pub(crate) fn machine(&self) -> MutexGuard<'_, Machine> {
        lock(&self.machine)
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.machine().disk.is_dead()
    }

    /// Ends the process at once.
    pub(crate) fn kill(&self) {
        self.machine().disk.kill();
    }

    /// After a process has ended, however: nothing of it is alive, and the disk is what a restart finds.
    pub(crate) fn restart(&self, crash: Crash, chances: &mut Chance) {
        let machine = self.machine();
        machine.disk.crash(crash, chances.rng());
        if crash != Crash::Kill && chances.percent(50) {
            machine.index.lose();
        }
        drop(machine);
        self.bank().others_failed = false;
        lock(&self.alive).clear();
    }

    /// INVARIANT (intent-first): what was decided is durable before anybody outside acts on it.
    pub(crate) fn expect_durable(&self, when: &str) {
        // What another process could not make durable, the next one that opens the store does.
        if self.bank().others_failed {
            return;
        }
        if self.machine().disk.is_unsynced("journal") {
            self.violation(format!("not-durable: the journal has unsynced bytes when {when}"));
        }
    }

    pub(crate) fn violation(&self, what: String) {
        lock(&self.violations).push(what);
    }

    /// What was declared last: others change it in their own way.
    pub(crate) fn declare(&self, declared: &Declared) {
        *lock(&self.declared) = Some(declared.clone());
    }

    /// What was declared last.
    pub(crate) fn declared(&self) -> Option<Declared> {
        lock(&self.declared).clone()
    }

    /// What was found wrong since the last time.
    pub(crate) fn take_violations(&self) -> Vec<String> {
        let mut found = std::mem::take(&mut *lock(&self.violations));
        found.append(&mut self.bank().violations);
        found
    }

    /// What other processes are to do while one waits for a gateway.
    pub(crate) fn set_others(&self, act: Option<Others>) {
        *lock(&self.others) = act;
    }

    /// Lets another process act now. It cannot let others act in turn.
    pub(crate) fn meanwhile(&self, chances: &mut Chance) {
        let act = lock(&self.others).take();
        if let Some(mut act) = act {
            self.bank().acts += 1;
            let will_fail = self.machine().disk.fault().is_some();
            let note = act(chances);
            let failed = will_fail && self.machine().disk.fault().is_none();
            self.bank().others_failed |= failed;
            self.bank().notes.push(format!("meanwhile: {note}"));
            *lock(&self.others) = Some(act);
        }
    }

    fn store(&self, opening: Opening) -> Result<Store, StoreError> {
        let machine = self.machine().clone();
        Store::simulated_with(&machine.disk, &machine.index, &self.dir, self.id, machine.restored, opening)
    }

    /// The hash of the journal's head.
    pub(crate) fn head(&self) -> String {
        self.look_aside().map_or_else(|error| error.to_string(), |store| store.head().hash.to_string())
    }

    /// The store as it lies there, in good order.
    pub(crate) fn inspect(&self) -> Result<Store, StoreError> {
        self.store(Opening::AtOnce)
    }

    /// The store as the next process would find it. What has to be repaired is repaired in a copy: the machine stays
    /// as the last process left it.
    pub(crate) fn look_aside(&self) -> Result<Store, StoreError> {
        let machine = self.machine().clone();
        let (disk, index) = (machine.disk.fork(), machine.index.fork());
        Store::simulated_with(&disk, &index, &self.dir, self.id, machine.restored, Opening::AtOnce)
    }
}

/// The home of a store in a simulated world.
pub(crate) struct SimHome(pub(crate) Arc<World>);

impl Home for SimHome {
    fn exists(&self) -> bool {
        self.0.machine().disk.has("journal")
    }

    fn create(&self) -> Result<Store, StoreError> {
        self.0.store(Opening::AtOnce)
    }

    fn open(&self, _wait: Duration) -> Result<Store, StoreError> {
        self.0.store(Opening::AtOnce)
    }

    fn open_lazily(&self, _wait: Duration) -> Result<Store, StoreError> {
        self.0.store(Opening::Lazy)
    }

    fn blob(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        renewd_store::read_blob(&self.0.dir, digest)
    }

    fn owner(&self) -> Result<Box<dyn OwnerToken>, StoreError> {
        let number = self.0.tokens.fetch_add(1, Ordering::SeqCst);
        let token = format!("{number:08x}");
        lock(&self.0.alive).insert(token.clone());
        Ok(Box::new(SimOwner { token, world: Arc::clone(&self.0) }))
    }

    fn owner_alive(&self, token: &str) -> Result<bool, StoreError> {
        Ok(lock(&self.0.alive).contains(token))
    }
}

struct SimOwner {
    token: String,
    world: Arc<World>,
}

impl OwnerToken for SimOwner {
    fn token(&self) -> &str {
        &self.token
    }
}

impl Drop for SimOwner {
    fn drop(&mut self) {
        lock(&self.world.alive).remove(&self.token);
    }
}
