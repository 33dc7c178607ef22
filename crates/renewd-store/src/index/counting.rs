//! Trees that count what is read of them, for tests of cost. Must change nothing about what they hold.

use super::Index;
use super::error::IndexError;
use super::trees::{Entry, Trees, Visit};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many entries were read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visits(Arc<AtomicU64>);

impl Visits {
    /// The entries read since the last call.
    pub(crate) fn take(&self) -> u64 {
        self.0.swap(0, Ordering::SeqCst)
    }

    fn count(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

struct Counting {
    inner: Box<dyn Trees>,
    visits: Visits,
}

impl Trees for Counting {
    fn get(&self, tree: &str, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        self.visits.count();
        self.inner.get(tree, key)
    }

    fn put(&self, tree: &str, key: &[u8], value: &[u8]) -> Result<(), IndexError> {
        self.inner.put(tree, key, value)
    }

    fn remove(&self, tree: &str, key: &[u8]) -> Result<(), IndexError> {
        self.inner.remove(tree, key)
    }

    fn scan(&self, tree: &str, prefix: &[u8], visit: Visit<'_>) -> Result<(), IndexError> {
        self.inner.scan(tree, prefix, &mut |key, value| {
            self.visits.count();
            visit(key, value)
        })
    }

    fn scan_to(&self, tree: &str, last: &[u8], visit: Visit<'_>) -> Result<(), IndexError> {
        self.inner.scan_to(tree, last, &mut |key, value| {
            self.visits.count();
            visit(key, value)
        })
    }

    fn last(&self, tree: &str, from: &[u8], to: &[u8]) -> Result<Option<Entry>, IndexError> {
        self.visits.count();
        self.inner.last(tree, from, to)
    }

    fn close(self: Box<Self>) -> Result<(), IndexError> {
        self.inner.close()
    }
}

impl Index {
    /// The same index, counting from now on what is read of it.
    pub(crate) fn counted(self) -> (Self, Visits) {
        let visits = Visits::default();
        let trees = Box::new(Counting { inner: self.trees, visits: visits.clone() });
        (Self { trees, mark: self.mark }, visits)
    }
}
