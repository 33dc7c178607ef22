//! A disk in memory that forgets: what was not synced may be kept, lost or torn by a crash.
//!
//! All clones are the same disk, so that a test can hold on to it while a journal owns another clone. A second
//! sync of a file whose sync has failed is a bug of the caller and panics.

use super::inode::{Inode, Pending, write};
use super::rng::Rng;
use crate::disk::Disk;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How a crash treats what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// The process was killed: the system keeps everything that was written.
    Kill,
    /// The power was cut: every 512-byte sector of every write that was not synced is kept or lost on its own.
    Power,
    /// The power was cut and nothing that was not synced is left.
    PowerLosesAll,
}

/// Which operation is to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The n-th call from now, of whatever kind, counted from 1.
    Call(u64),
    /// The n-th sync from now, counted from 1.
    Sync(u64),
    /// The n-th write from now writes only a part of its bytes, then fails (disk full).
    ShortWrite(u64),
    /// The process dies at the n-th call from now that changes anything, counted from 1: half of a write may still
    /// happen, and nothing after it until [`SimDisk::crash`].
    Death(u64),
}

/// What a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// Bytes are written.
    Write,
    /// A file is cut.
    Truncate,
    /// A file is made durable.
    Sync,
    /// A file is made.
    Create,
    /// A file gets another name.
    Rename,
    /// Names are made durable.
    SyncDir,
    /// Nothing is changed.
    Read,
}

#[derive(Debug, Default)]
struct State {
    inodes: Vec<Inode>,
    durable_names: BTreeMap<String, usize>,
    /// The names as they became, one entry per operation since the last sync of the directory.
    names: Vec<BTreeMap<String, usize>>,
    fault: Option<Fault>,
    poisoned: BTreeSet<usize>,
    verified: bool,
    dead: bool,
    died_at: Option<(Call, String)>,
    calls: u64,
    changes: u64,
    syncs: u64,
    bytes_read: u64,
}

/// A handle to a simulated disk.
#[derive(Debug, Clone, Default)]
pub struct SimDisk(Arc<Mutex<State>>);

impl SimDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets an operation fail, once.
    pub fn fail(&self, fault: Fault) {
        self.state().fault = Some(fault);
    }

    /// Ends the process that uses the disk: every call fails until [`SimDisk::crash`].
    pub fn kill(&self) {
        self.state().dead = true;
    }

    /// Another process uses the disk from here on: what a sync of the one before gave up it may write and sync again.
    pub fn change_process(&self) {
        self.state().poisoned.clear();
    }

    /// Whether the process that uses the disk has died.
    pub fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// At which call, of which file, the process died by itself: not where it was killed from outside.
    pub fn died_at(&self) -> Option<(Call, String)> {
        self.state().died_at.clone()
    }

    /// The operation that is still to fail, counted from now.
    pub fn fault(&self) -> Option<Fault> {
        self.state().fault
    }

    /// Whether a file, or its name, is not yet durable as it is read. What a failed sync gave up stays so until it is
    /// written again.
    pub fn is_unsynced(&self, file: &str) -> bool {
        let state = self.state();
        let index = state.lookup(file);
        index != state.durable_names.get(file).copied()
            || index
                .and_then(|index| state.inodes.get(index))
                .is_some_and(|inode| !inode.durable.starts_with(&inode.current))
    }

    /// Calls so far, of whatever kind.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Calls so far that change anything, those that fail included.
    pub fn changes(&self) -> u64 {
        self.state().changes
    }

    /// Syncs of files so far.
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// Bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.state().bytes_read
    }

    /// Whether the journal was verified whole since anything but a store has changed it.
    pub(crate) fn is_verified(&self) -> bool {
        self.state().verified
    }

    /// The journal was verified whole.
    pub(crate) fn set_verified(&self) {
        self.state().verified = true;
    }

    /// Whether there is a file of this name.
    pub fn has(&self, file: &str) -> bool {
        self.state().lookup(file).is_some()
    }

    /// The present bytes of a file.
    pub fn contents(&self, file: &str) -> Option<Vec<u8>> {
        let state = self.state();
        let index = state.lookup(file)?;
        state.inodes.get(index).map(|inode| inode.current.clone())
    }

    /// Replaces a file, durably: bit rot, a truncated copy, or whatever a test thinks of.
    pub fn set_contents(&self, file: &str, bytes: &[u8]) {
        let mut state = self.state();
        state.verified = false;
        let inode = Inode { durable: bytes.to_vec(), current: bytes.to_vec(), pending: Vec::new() };
        state.inodes.push(inode);
        let index = state.inodes.len() - 1;
        state.durable_names.insert(file.to_owned(), index);
        for names in &mut state.names {
            names.insert(file.to_owned(), index);
        }
    }

    /// Deletes a file, durably.
    pub fn delete(&self, file: &str) {
        let mut state = self.state();
        state.verified = false;
        state.durable_names.remove(file);
        for names in &mut state.names {
            names.remove(file);
        }
    }

    /// A copy with a life of its own.
    pub fn fork(&self) -> Self {
        let state = self.state();
        Self(Arc::new(Mutex::new(State {
            inodes: state.inodes.clone(),
            durable_names: state.durable_names.clone(),
            names: state.names.clone(),
            ..State::default()
        })))
    }

    /// Ends the life of whoever uses the disk. Afterwards nothing fails; after a power cut all that is left is durable.
    pub fn crash(&self, crash: Crash, rng: &mut Rng) {
        let mut state = self.state();
        let state = &mut *state;
        state.fault = None;
        state.dead = false;
        state.died_at = None;
        state.poisoned.clear();
        if crash == Crash::Kill {
            return;
        }
        state.verified = false;
        for inode in &mut state.inodes {
            if crash == Crash::Power {
                inode.power_cut(rng);
            }
            inode.pending.clear();
            inode.current = inode.durable.clone();
        }
        // Names are journaled by the file system: some prefix of the changes survives, in order.
        let kept = if crash == Crash::Power { rng.below(state.names.len() as u64 + 1) as usize } else { 0 };
        if let Some(names) = kept.checked_sub(1).and_then(|last| state.names.get(last)) {
            state.durable_names = names.clone();
        }
        state.names.clear();
    }
}

impl State {
    fn lookup(&self, file: &str) -> Option<usize> {
        self.names.last().unwrap_or(&self.durable_names).get(file).copied()
    }

    fn inode(&mut self, file: &str) -> io::Result<(usize, &mut Inode)> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, format!("there is no `{file}`"));
        let index = self.lookup(file).ok_or_else(missing)?;
        self.inodes.get_mut(index).map(|inode| (index, inode)).ok_or_else(missing)
    }

    /// Counts a call and says whether it is the one that fails.
    fn fails(&mut self, call: Call, file: &str) -> bool {
        self.calls += 1;
        if self.dead {
            return true;
        }
        self.changes += u64::from(call != Call::Read);
        let count = match (&mut self.fault, call) {
            (Some(Fault::Death(_)), Call::Read) | (None, _) => return false,
            (Some(Fault::Call(count) | Fault::Death(count)), _)
            | (Some(Fault::Sync(count)), Call::Sync)
            | (Some(Fault::ShortWrite(count)), Call::Write) => count,
            (Some(Fault::Sync(_) | Fault::ShortWrite(_)), _) => return false,
        };
        *count = count.saturating_sub(1);
        let due = *count == 0;
        if due {
            self.dead = matches!(self.fault, Some(Fault::Death(_)));
            self.died_at = self.dead.then(|| (call, file.to_owned()));
            self.fault = None;
        }
        due
    }

    fn rename_to(&mut self, change: impl FnOnce(&mut BTreeMap<String, usize>)) {
        let mut names = self.names.last().unwrap_or(&self.durable_names).clone();
        change(&mut names);
        self.names.push(names);
    }
}

fn injected() -> io::Error {
    io::Error::other("injected failure")
}

impl Disk for SimDisk {
    fn len(&mut self, file: &str) -> io::Result<Option<u64>> {
        let mut state = self.state();
        if state.fails(Call::Read, file) {
            return Err(injected());
        }
        Ok(state.inode(file).ok().map(|(_, inode)| inode.current.len() as u64))
    }

    fn read_at(&mut self, file: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut state = self.state();
        if state.fails(Call::Read, file) {
            return Err(injected());
        }
        let (_, inode) = state.inode(file)?;
        let start = (offset as usize).min(inode.current.len());
        let end = (start + length).min(inode.current.len());
        let bytes = inode.current.get(start..end).unwrap_or_default().to_vec();
        state.bytes_read += bytes.len() as u64;
        Ok(bytes)
    }

    fn write_at(&mut self, file: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        if state.dead {
            return Err(injected());
        }
        let short = matches!(state.fault, Some(Fault::ShortWrite(_) | Fault::Death(_)));
        let fails = state.fails(Call::Write, file);
        let (_, inode) = state.inode(file)?;
        let part = match (fails, short) {
            (false, _) => bytes,
            (true, true) => bytes.get(..bytes.len() / 2).unwrap_or_default(),
            (true, false) => &[],
        };
        write(&mut inode.current, offset as usize, part);
        inode.pending.push(Pending::Write { offset: offset as usize, bytes: part.to_vec() });
        if fails { Err(injected()) } else { Ok(()) }
    }

    fn truncate(&mut self, file: &str, length: u64) -> io::Result<()> {
        let mut state = self.state();
        if state.fails(Call::Truncate, file) {
            return Err(injected());
        }
        let (_, inode) = state.inode(file)?;
        inode.current.resize(length as usize, 0);
        inode.pending.push(Pending::Truncate { length: length as usize });
        Ok(())
    }

    fn sync(&mut self, file: &str) -> io::Result<()> {
        let mut state = self.state();
        let fails = state.fails(Call::Sync, file);
        if state.dead {
            return Err(injected());
        }
        state.syncs += 1;
        let (index, _) = state.inode(file)?;
        assert!(!state.poisoned.contains(&index), "`{file}` was synced again after its sync had failed");
        if fails {
            // As Linux does: the pages count as clean, the disk never got them, and reads still show them.
            state.poisoned.insert(index);
        }
        let (_, inode) = state.inode(file)?;
        let pending = std::mem::take(&mut inode.pending);
        if fails {
            return Err(injected());
        }
        // Only what is pending reaches the disk: bytes that an earlier, failed sync gave up stay lost until they
        // are written again.
        pending.into_iter().for_each(|change| inode.harden(change));
        Ok(())
    }

    fn create(&mut self, file: &str) -> io::Result<()> {
        let mut state = self.state();
        if state.fails(Call::Create, file) {
            return Err(injected());
        }
        state.inodes.push(Inode::default());
        let index = state.inodes.len() - 1;
        state.rename_to(|names| {
            names.insert(file.to_owned(), index);
        });
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        if state.fails(Call::Rename, from) {
            return Err(injected());
        }
        let (index, _) = state.inode(from)?;
        state.rename_to(|names| {
            names.remove(from);
            names.insert(to.to_owned(), index);
        });
        Ok(())
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        let mut state = self.state();
        if state.fails(Call::SyncDir, ".") {
            return Err(injected());
        }
        if let Some(names) = state.names.pop() {
            state.durable_names = names;
        }
        state.names.clear();
        Ok(())
    }
}
