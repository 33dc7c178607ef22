//! Where the rows of the index are kept: named, ordered maps of bytes. In memory here; in sled in `sled_trees`.
//!
//! Must know nothing of rows, events or the journal.

use super::error::IndexError;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Called with every key and value of a scan.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<(), IndexError>;

/// A key and its value.
pub(crate) type Entry = (Vec<u8>, Vec<u8>);

/// The first key after all that begin with `prefix`, which must not end in 0xFF.
pub(super) fn after(prefix: &[u8]) -> Vec<u8> {
    let mut key = prefix.to_vec();
    if let Some(last) = key.last_mut() {
        *last = last.saturating_add(1);
    }
    key
}

/// Named, ordered maps of bytes.
pub(crate) trait Trees: Send {
    fn get(&self, tree: &str, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError>;
    fn put(&self, tree: &str, key: &[u8], value: &[u8]) -> Result<(), IndexError>;
    fn remove(&self, tree: &str, key: &[u8]) -> Result<(), IndexError>;
    /// Visits all entries whose key begins with `prefix`, in the order of their keys.
    fn scan(&self, tree: &str, prefix: &[u8], visit: Visit<'_>) -> Result<(), IndexError>;
    /// Visits all entries up to `last` and no other, in the order of their keys.
    fn scan_to(&self, tree: &str, last: &[u8], visit: Visit<'_>) -> Result<(), IndexError>;
    /// The last entry whose key is not less than `from` and less than `before`.
    fn last(&self, tree: &str, from: &[u8], before: &[u8]) -> Result<Option<Entry>, IndexError>;
    /// Writes out what is buffered and lets go of all files.
    fn close(self: Box<Self>) -> Result<(), IndexError>;
}

type Maps = BTreeMap<String, BTreeMap<Vec<u8>, Vec<u8>>>;

/// Trees in memory: for simulations, and to compare an index with what it should be. All clones are the same trees.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryTrees(Arc<Mutex<Maps>>);

impl MemoryTrees {
    fn maps(&self) -> MutexGuard<'_, Maps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An index in memory that is found again by the next open, for simulations.
#[cfg(any(test, feature = "testing"))]
#[derive(Debug, Clone, Default)]
pub struct SimIndex(pub(super) MemoryTrees);

#[cfg(any(test, feature = "testing"))]
impl SimIndex {
    /// Loses everything, as a disk may.
    pub fn lose(&self) {
        self.0.maps().clear();
    }

    /// A copy with a life of its own.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(MemoryTrees(Arc::new(Mutex::new(self.0.maps().clone()))))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.maps().is_empty()
    }
}

impl Trees for MemoryTrees {
    fn get(&self, tree: &str, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        Ok(self.maps().get(tree).and_then(|map| map.get(key)).cloned())
    }

    fn put(&self, tree: &str, key: &[u8], value: &[u8]) -> Result<(), IndexError> {
        self.maps().entry(tree.to_owned()).or_default().insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn remove(&self, tree: &str, key: &[u8]) -> Result<(), IndexError> {
        if let Some(map) = self.maps().get_mut(tree) {
            map.remove(key);
        }
        Ok(())
    }

    fn scan(&self, tree: &str, prefix: &[u8], visit: Visit<'_>) -> Result<(), IndexError> {
        let maps = self.maps();
        let Some(map) = maps.get(tree) else { return Ok(()) };
        map.range(prefix.to_vec()..)
            .take_while(|(key, _)| key.starts_with(prefix))
            .try_for_each(|(key, value)| visit(key, value))
    }

    fn scan_to(&self, tree: &str, last: &[u8], visit: Visit<'_>) -> Result<(), IndexError> {
        let maps = self.maps();
        let Some(map) = maps.get(tree) else { return Ok(()) };
        map.range(..=last.to_vec()).try_for_each(|(key, value)| visit(key, value))
    }

    fn last(&self, tree: &str, from: &[u8], before: &[u8]) -> Result<Option<Entry>, IndexError> {
        let maps = self.maps();
        let Some(map) = maps.get(tree) else { return Ok(None) };
        let last = map.range(..before.to_vec()).next_back().filter(|(key, _)| key.as_slice() >= from);
        Ok(last.map(|(key, value)| (key.clone(), value.clone())))
    }

    fn close(self: Box<Self>) -> Result<(), IndexError> {
        Ok(())
    }
}
