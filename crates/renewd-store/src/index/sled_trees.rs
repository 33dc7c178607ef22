//! The trees in sled. The only file that names sled's types.
//!
//! sled is queryable state, not truth: its `flush` does not sync, a flipped bit silently drops what was written
//! after it, and it may panic. So nothing here is relied on that the journal cannot restore. No transactions
//! (they need memory by the gigabyte), no batches, no background flush.

use super::error::IndexError;
use super::quiet::guarded;
use super::trees::{Entry, Trees, Visit};
use crate::limits::{INDEX_CACHE_BYTES, INDEX_LOCK_WAIT_MAX, LOCK_POLL_INTERVAL};
use sled::{Config, Db, Mode, Tree};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// An open sled database.
pub(crate) struct SledTrees {
    db: Option<Db>,
    open: Mutex<BTreeMap<String, Tree>>,
}

impl SledTrees {
    /// Opens or creates the database in this directory.
    pub(crate) fn open(dir: &Path) -> Result<Self, IndexError> {
        let config = Config::new()
            .path(dir)
            .cache_capacity(INDEX_CACHE_BYTES)
            .mode(Mode::HighThroughput)
            .flush_every_ms(None)
            .print_profile_on_drop(false);
        let started = Instant::now();
        loop {
            match guarded(|| config.open()) {
                Ok(db) => return Ok(Self { db: Some(db), open: Mutex::default() }),
                // sled's threads may hold its own lock a moment longer than the `Db` that they belonged to.
                Err(IndexError::Sled(sled::Error::Io(error)))
                    if error.to_string().contains("lock") && started.elapsed() < INDEX_LOCK_WAIT_MAX =>
                {
                    std::thread::sleep(LOCK_POLL_INTERVAL);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn tree(&self, name: &str) -> Result<Tree, IndexError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tree) = open.get(name) {
            return Ok(tree.clone());
        }
        let db = self.db.as_ref().ok_or(IndexError::Unfit("is closed"))?;
        let tree = guarded(|| db.open_tree(name))?;
        open.insert(name.to_owned(), tree.clone());
        Ok(tree)
    }

    fn shut(&mut self) -> Result<(), IndexError> {
        let trees = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        let Some(db) = self.db.take() else { return Ok(()) };
        guarded(|| {
            let flushed = db.flush().map(|_| ());
            drop(trees);
            drop(db);
            flushed
        })
    }
}

impl Drop for SledTrees {
    fn drop(&mut self) {
        // An index that is dropped without `close` is not sealed, so the next open checks it; the error is moot.
        let _ = self.shut();
    }
}

fn visit_all(mut entries: sled::Iter, visit: Visit<'_>) -> Result<(), IndexError> {
    while let Some((key, value)) = guarded(|| entries.next().transpose())? {
        visit(&key, &value)?;
    }
    Ok(())
}

impl Trees for SledTrees {
    fn get(&self, tree: &str, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        let tree = self.tree(tree)?;
        guarded(|| tree.get(key)).map(|value| value.map(|bytes| bytes.to_vec()))
    }

    fn put(&self, tree: &str, key: &[u8], value: &[u8]) -> Result<(), IndexError> {
        let tree = self.tree(tree)?;
        guarded(|| tree.insert(key, value)).map(|_| ())
    }

    fn remove(&self, tree: &str, key: &[u8]) -> Result<(), IndexError> {
        let tree = self.tree(tree)?;
        guarded(|| tree.remove(key)).map(|_| ())
    }

    fn scan(&self, tree: &str, prefix: &[u8], visit: Visit<'_>) -> Result<(), IndexError> {
        let tree = self.tree(tree)?;
        visit_all(guarded(|| Ok::<_, IndexError>(tree.scan_prefix(prefix)))?, visit)
    }

    fn scan_to(&self, tree: &str, last: &[u8], visit: Visit<'_>) -> Result<(), IndexError> {
        let tree = self.tree(tree)?;
        visit_all(guarded(|| Ok::<_, IndexError>(tree.range(..=last)))?, visit)
    }

    fn last(&self, tree: &str, from: &[u8], before: &[u8]) -> Result<Option<Entry>, IndexError> {
        let tree = self.tree(tree)?;
        let found = guarded(|| tree.get_lt(before))?.filter(|(key, _)| key.as_ref() >= from);
        Ok(found.map(|(key, value)| (key.to_vec(), value.to_vec())))
    }

    fn close(mut self: Box<Self>) -> Result<(), IndexError> {
        self.shut()
    }
}
