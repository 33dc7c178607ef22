//! One seed: a world is made, lived in, and brought to rest; after every command the auditor looks.

use crate::auditor::Auditor;
use crate::chance::Chance;
use crate::documents::Declared;
use crate::model::Wrong;
use crate::workshop::{OTHERS, Workshop, enter};
use crate::world::{Machine, Profile, World};
use renewd_engine::{Engine, EngineError, Exit};
use renewd_store::testing::{Call, Crash, Fault, SimDisk};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// 2026-01-01 in UTC.
const EPOCH: i64 = 1_767_225_600;

/// Changes of the disk within which a process dies, where it does: a few commands make so many.
const CHANGES: i64 = 40;

/// Changes of the disk within which a store is made or repaired.
const SOON: i64 = 18;

/// In how many of a hundred cases the power is cut after a command has answered.
const POWER_PERCENT: u64 = 5;

/// The boundary at which a process died.
fn boundary(call: Call, file: &str) -> &'static str {
    match (call, file) {
        (Call::Write, "journal") => "death-at-write-of-journal",
        (Call::Write, "watermark") => "death-at-write-of-watermark",
        (Call::Write, _) => "death-at-write-of-new-file",
        (Call::Sync, "journal") => "death-at-sync-of-journal",
        (Call::Sync, "watermark") => "death-at-sync-of-watermark",
        (Call::Sync, _) => "death-at-sync-of-new-file",
        (Call::Truncate, _) => "death-at-truncate",
        (Call::Create, _) => "death-at-create",
        (Call::Rename, _) => "death-at-rename",
        (Call::SyncDir, _) => "death-at-sync-of-names",
        (Call::Read, _) => "death-at-read",
    }
}

/// How a seed ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// The hash of the journal's head: the same seed gives the same.
    pub journal: String,
    /// The digest of the gateways' ledger: the same seed gives the same.
    pub bank: String,
    /// What was wrong; nothing where all is well.
    pub violation: Option<String>,
    /// How many records of each kind the journal has.
    pub events: BTreeMap<&'static str, u32>,
    /// How often each fault struck.
    pub fired: BTreeMap<&'static str, u32>,
    /// Orders that were paid.
    pub renewals: u64,
    /// Everything that happened, a line each.
    pub trace: Vec<String>,
}

/// An older state of the machine, kept by somebody.
pub(crate) struct Backup {
    machine: Machine,
    at: i64,
    /// The same moment in the bank's own count.
    tick: u64,
    /// Records that had been acknowledged.
    acknowledged: usize,
}

/// A world with the people in it.
pub(crate) struct Simulation {
    pub(crate) world: Arc<World>,
    pub(crate) engine: RefCell<Option<Engine>>,
    pub(crate) chances: Chance,
    pub(crate) declared: Declared,
    pub(crate) folder: PathBuf,
    pub(crate) auditor: Auditor,
    pub(crate) trace: Vec<String>,
    pub(crate) fired: BTreeMap<&'static str, u32>,
    pub(crate) calm: bool,
    pub(crate) topups: u32,
    /// What is still to fail.
    planned: Option<Fault>,
    backups: Vec<Backup>,
}

/// Lives through one seed; `traced`: with the journal's records in the trace.
///
/// # Errors
/// The machine that simulates fails, not the simulated one.
pub fn simulate(seed: u64, traced: bool, workshop: &mut Workshop) -> std::io::Result<Outcome> {
    let mut chances = Chance::new(seed);
    let mut profile = Profile::new(&mut chances);
    profile.traced = traced;
    let clock = workshop.clock();
    let start = EPOCH + chances.between(0, 700) * 86_400 + chances.between(0, 86_399);
    clock.store(start, Ordering::SeqCst);
    let world = Arc::new(World::new(seed, workshop.store(), clock, profile));
    let engine = workshop.engine(&world);
    let other = workshop.engine(&world);
    let folder = workshop.documents()?;
    crate::commands::let_others_act(&world, other, folder.with_file_name(OTHERS));
    let mut declared = Declared::new(start, &mut chances);
    // Where a lost payment was at a gateway that no method names any more, nobody can ask it.
    declared.may_move = !world.profile.backups;
    let mut simulation = Simulation {
        world,
        engine: RefCell::new(Some(engine)),
        chances,
        declared,
        folder,
        auditor: Auditor::default(),
        trace: Vec::new(),
        fired: BTreeMap::new(),
        calm: false,
        topups: 0,
        planned: None,
        backups: Vec::new(),
    };
    let lived = simulation.live();
    let violation = lived.err();
    if let Some(engine) = simulation.engine.take() {
        workshop.keep(engine);
    }
    crate::commands::keep_other(workshop);
    simulation.world.set_others(None);
    let mut fired = simulation.fired;
    fired.extend(simulation.world.bank().fired.clone());
    Ok(Outcome {
        seed,
        journal: simulation.world.head(),
        bank: simulation.world.bank().digest().to_string(),
        events: simulation.auditor.model.events.clone(),
        violation,
        fired,
        renewals: simulation.auditor.model.renewals,
        trace: simulation.trace,
    })
}

impl Simulation {
    fn live(&mut self) -> Result<(), Wrong> {
        self.begin()?;
        let steps = self.chances.between(12, 34);
        for _ in 0..steps {
            self.pass_time();
            self.step()?;
            self.maybe_back_up()?;
        }
        self.come_to_rest()
    }

    pub(crate) fn say(&mut self, what: String) {
        let now = chrono::DateTime::from_timestamp(self.world.now(), 0).map(|now| now.to_string()).unwrap_or_default();
        self.trace.push(format!("{now}  {what}"));
    }

    pub(crate) fn fire(&mut self, what: &'static str) {
        *self.fired.entry(what).or_default() += 1;
    }

    fn pass_time(&mut self) {
        let profile = self.world.profile.clone();
        let seconds = match self.chances.between(0, 9) {
            0 => 0,
            1 | 2 => self.chances.between(1, 600),
            3..=5 => self.chances.between(600, 86_400),
            6..=8 => self.chances.between(86_400, 4 * 86_400),
            _ => self.chances.between(4 * 86_400, 12 * 86_400),
        };
        self.world.advance(seconds);
        if profile.clock_jumps && self.chances.percent(8) {
            let seconds = if self.chances.percent(70) {
                -self.chances.between(1, 3 * 86_400)
            } else {
                self.chances.between(20 * 86_400, 70 * 86_400)
            };
            self.fire(if seconds < 0 { "clock-back" } else { "clock-forward" });
            self.say(format!("the clock jumps by {seconds} s"));
            self.world.advance(seconds);
        }
    }

    /// One command in a process of its own, in which anything may strike; then the auditor looks.
    ///
    /// Answers nothing where the process did not live to answer.
    pub(crate) fn command<T>(
        &mut self,
        name: &str,
        act: impl FnOnce(&Engine) -> Result<T, EngineError>,
    ) -> Result<Option<T>, Wrong> {
        let Some(engine) = self.engine.take() else { return Err("bug: no engine".to_owned()) };
        let engine = enter(engine, &self.world);
        let disk = self.world.machine().disk.clone();
        let armed = self.arm(&disk);
        let result = act(&engine);
        let died = disk.is_dead();
        self.planned = disk.fault();
        let struck = armed && self.planned.is_none();
        if let Some((call, file)) = disk.died_at() {
            self.fire(boundary(call, &file));
        }
        if !died && result.is_ok() {
            self.world.expect_durable("a command has answered");
        }
        self.engine.replace(Some(engine.restarted()));
        let failed = result.as_ref().err().map(|error| (error.exit(), error.to_string()));
        let crash = self.crash_after(died, struck, failed.as_ref());
        let anew = died || struck || crash != Crash::Kill;
        self.say(format!(
            "{name}: {}{}",
            failed.as_ref().map_or("done".to_owned(), |(_, text)| text.clone()),
            if died || crash != Crash::Kill { format!(" — ended by {crash:?}") } else { String::new() }
        ));
        if result.is_ok() && !died && crash != Crash::Kill {
            // What was answered must be there after the power has failed.
            self.auditor.observe(&self.world, struck)?;
            self.auditor.acknowledge();
        }
        self.world.restart(crash, &mut self.chances);
        let observed = self.auditor.observe(&self.world, anew);
        let notes = std::mem::take(&mut self.world.bank().notes);
        self.trace.extend(notes.into_iter().map(|note| format!("    {note}")));
        if let Some(found) = self.world.take_violations().into_iter().next() {
            return Err(found);
        }
        observed?;
        match (failed, died || struck) {
            (Some((Exit::Bug | Exit::Damaged | Exit::Busy, text)), false) => Err(format!("broken: {name}: {text}")),
            (Some((Exit::Bug, text)), true) if !text.contains("injected") => Err(format!("broken: {name}: {text}")),
            (None, _) if !died => {
                self.auditor.acknowledge();
                Ok(result.ok())
            }
            _ => Ok(None),
        }
    }

    /// Perhaps lets the process die, or the disk fail once, at one of the next changes of the disk, whichever command
    /// makes it: so every change is as likely as any other to be the last.
    fn arm(&mut self, disk: &SimDisk) -> bool {
        if self.calm {
            self.planned = None;
            return false;
        }
        let profile = self.world.profile.clone();
        if self.planned.is_none() {
            self.planned = if self.chances.percent(profile.crashes) {
                Some(Fault::Death(self.nth(CHANGES)))
            } else if self.chances.percent(profile.disk_faults) {
                let nth = self.nth(CHANGES / 2);
                Some(if self.chances.percent(70) { Fault::Sync(nth) } else { Fault::ShortWrite(nth) })
            } else {
                None
            };
        }
        if let Some(fault) = self.planned {
            disk.fail(fault);
        }
        self.planned.is_some()
    }

    fn nth(&mut self, last: i64) -> u64 {
        u64::try_from(self.chances.between(1, last)).unwrap_or(1)
    }

    /// Where processes may die at all they do so often when little has happened yet: while a store is made, and while
    /// one is repaired.
    pub(crate) fn arm_soon(&mut self) {
        if 0 < self.world.profile.crashes && self.chances.percent(40) {
            self.planned = Some(Fault::Death(self.nth(SOON)));
        }
    }

    fn crash_after(&mut self, died: bool, struck: bool, failed: Option<&(Exit, String)>) -> Crash {
        if died {
            let crash = match self.chances.between(0, 3) {
                0 | 1 => Crash::Kill,
                2 => Crash::Power,
                _ => Crash::PowerLosesAll,
            };
            self.fire(match crash {
                Crash::Kill => "crash-kill",
                Crash::Power => "crash-power",
                Crash::PowerLosesAll => "crash-power-loses-all",
            });
            self.arm_soon();
            return crash;
        }
        if struck {
            self.fire("disk-fault");
            self.arm_soon();
            return if failed.is_some() && self.chances.percent(50) { Crash::Kill } else { Crash::PowerLosesAll };
        }
        if !self.calm && 0 < self.world.profile.crashes && self.chances.percent(POWER_PERCENT) {
            self.fire("power-cut-after-answer");
            return if self.chances.percent(50) { Crash::Power } else { Crash::PowerLosesAll };
        }
        Crash::Kill
    }

    fn maybe_back_up(&mut self) -> Result<(), Wrong> {
        if !self.world.profile.backups {
            return Ok(());
        }
        if self.chances.percent(12) {
            let machine = self.world.machine().clone();
            let (disk, index) = (machine.disk.fork(), machine.index.fork());
            let (at, tick) = (self.world.now(), self.world.bank().tick());
            let acknowledged = self.auditor.acknowledged();
            self.backups.push(Backup { machine: Machine { disk, index, ..machine }, at, tick, acknowledged });
            self.say("a backup is made".to_owned());
        } else if self.chances.percent(9)
            && let Some(backup) = self.backups.pop()
        {
            self.restore(&backup)?;
        }
        Ok(())
    }

    /// A backup takes the place of the store, and says so.
    fn restore(&mut self, backup: &Backup) -> Result<(), Wrong> {
        self.fire("restored-backup");
        // What the lost history asked for last must be visible by now.
        let visible = i64::try_from(self.world.profile.visibility_seconds).unwrap_or_default();
        self.world.advance(visible + 60);
        self.say(format!("the backup of second {} is restored", backup.at));
        let mut machine = backup.machine.clone();
        machine.disk = machine.disk.fork();
        // A backup has no index: what lies there is that of the store before, or one of the time of the backup.
        machine.index = match self.chances.between(0, 2) {
            0 => machine.index.fork(),
            1 => self.world.machine().index.clone(),
            _ => {
                machine.index.lose();
                machine.index
            }
        };
        *self.world.machine() = machine.clone();
        let head = self.world.inspect().map_err(|error| format!("unreadable: {error}"))?.head();
        let epoch = self.world.bank().era + 1;
        let mark = renewd_store::Restored { epoch, origin: renewd_store::Origin::Backup, head };
        self.world.machine().restored = Some(mark);
        self.world.bank().era = epoch;
        self.world.bank().lose_after(backup.tick);
        self.auditor.go_back_to(backup.acknowledged);
        self.auditor.observe(&self.world, true)
    }
}
