//! The index: rows and history in trees, built from the journal and from nothing else.
//!
//! After each commit the changed rows are written as they now are (so writing them again changes nothing), then
//! the pointers of the history, and last the watermark with the sums of all trees. Whatever goes wrong in between
//! shows as a watermark that is behind or as sums that differ, and is answered by catching up or rebuilding.
//!
//! Must never be believed over the journal, nor be the only place of anything.

mod apply;
mod build;
mod check;
#[cfg(test)]
mod counting;
pub(crate) mod error;
mod expiry;
mod history;
mod home;
mod places;
mod quiet;
mod row;
mod sled_trees;
mod trees;

pub(crate) use apply::{CommitView, EventView};
pub(crate) use build::Builder;
#[cfg(test)]
pub(crate) use counting::Visits;
pub use error::IndexError;
pub(crate) use home::Home;

use crate::journal::StoreId;
use crate::sequence::Place;
use renewd_core::event::RowKey;
use renewd_core::ids::Digest;
use renewd_core::state::State;
use row::{Sum, Sums};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
#[cfg(any(test, feature = "testing"))]
pub use trees::SimIndex;
pub(crate) use trees::Trees;
use trees::Visit;

const MARK_TREE: &str = "watermark";
/// Names the format of the rows too: an index that another version made has no watermark here, and is rebuilt.
const MARK_KEY: &[u8] = b"watermark/3";
const HISTORY_TREE: &str = "history";

/// All trees that hold rows, the history and what is derived from other rows included.
pub(crate) fn row_trees() -> impl Iterator<Item = &'static str> {
    RowKey::TREES.into_iter().chain([HISTORY_TREE, expiry::TREE, places::TREE])
}

/// What the index says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    store: StoreId,
    pub(crate) place: Place,
    sums: Sums,
}

/// An open index.
pub(crate) struct Index {
    trees: Box<dyn Trees>,
    mark: Mark,
}

impl Index {
    /// Opens an index that exists; what its mark says is still to be compared with the journal.
    pub(crate) fn open(trees: Box<dyn Trees>, id: StoreId) -> Result<Self, IndexError> {
        let stored = trees.get(MARK_TREE, MARK_KEY)?.ok_or(IndexError::Unfit("has no watermark of this version"))?;
        let (_, content) = row::decode(MARK_TREE, MARK_KEY, &stored)?;
        let mark: Mark =
            serde_json::from_slice(&content).map_err(|_| IndexError::Unfit("has an unreadable watermark"))?;
        if mark.store != id {
            return Err(IndexError::Unfit("belongs to another store"));
        }
        Ok(Self { trees, mark })
    }

    /// An empty index, at the beginning of the journal.
    pub(crate) fn empty(trees: Box<dyn Trees>, id: StoreId, genesis: Place) -> Self {
        Self { trees, mark: Mark { store: id, place: genesis, sums: BTreeMap::new() } }
    }

    /// The commit up to which the index is built.
    pub(crate) fn place(&self) -> Place {
        self.mark.place
    }

    /// The number of rows in each tree.
    pub(crate) fn rows(&self) -> BTreeMap<&'static str, u64> {
        row_trees().map(|tree| (tree, self.mark.sums.get(tree).map_or(0, |sum| sum.rows))).collect()
    }

    /// A row's content, checked.
    pub(crate) fn row(&self, key: &RowKey) -> Result<Option<Vec<u8>>, IndexError> {
        Ok(self.get(key.tree(), &key.key_bytes())?.map(|(_, content)| content))
    }

    /// The rows with these keys, as a state.
    pub(crate) fn load(&self, keys: &[RowKey]) -> Result<State, IndexError> {
        let mut state = State::default();
        for key in keys {
            state.put_row_json(key, self.row(key)?.as_deref())?;
        }
        Ok(state)
    }

    fn get(&self, tree: &str, key: &[u8]) -> Result<Option<(Digest, Vec<u8>)>, IndexError> {
        self.trees.get(tree, key)?.map(|stored| row::decode(tree, key, &stored)).transpose()
    }

    /// Visits the content of every row of a tree; fails where these are not the rows that it should have.
    pub(crate) fn each(&self, tree: &str, visit: Visit<'_>) -> Result<(), IndexError> {
        let mut sum = Sum::default();
        self.trees.scan(tree, &[], &mut |key, stored| {
            let (digest, content) = row::decode(tree, key, stored)?;
            sum.add(&digest);
            visit(key, &content)
        })?;
        self.expect_sum(tree, &sum)
    }

    /// Compares the sum of all rows of a tree with what it should be.
    fn expect_sum(&self, tree: &str, sum: &Sum) -> Result<(), IndexError> {
        if *sum == self.mark.sums.get(tree).cloned().unwrap_or_default() {
            Ok(())
        } else {
            Err(IndexError::Unfit("has lost rows, or has rows that it should not have"))
        }
    }

    /// Replaces a row whose digest was `old` (or that did not exist), and keeps the sum.
    fn replace(
        &mut self,
        tree: &str,
        key: &[u8],
        old: Option<&Digest>,
        content: Option<&[u8]>,
    ) -> Result<(), IndexError> {
        let new = content.map(|content| (row::digest(tree, key, content), content));
        if new.as_ref().map(|(digest, _)| digest) == old {
            return Ok(());
        }
        match &new {
            Some((digest, content)) => self.trees.put(tree, key, &row::encode(digest, content))?,
            None => self.trees.remove(tree, key)?,
        }
        let sum = self.mark.sums.entry(tree.to_owned()).or_default();
        if let Some(old) = old {
            sum.remove(old);
        }
        if let Some((digest, _)) = &new {
            sum.add(digest);
        }
        Ok(())
    }

    /// INVARIANT (mark-last): the mark is written after every row and history entry of its commit.
    fn write_mark(&mut self, place: Place) -> Result<(), IndexError> {
        self.mark.place = place;
        let content =
            serde_json::to_vec(&self.mark).map_err(|_| IndexError::Unfit("has a watermark that cannot be written"))?;
        let digest = row::digest(MARK_TREE, MARK_KEY, &content);
        self.trees.put(MARK_TREE, MARK_KEY, &row::encode(&digest, &content))
    }

    /// Puts an intact row that the sums do not know of; for tests.
    #[cfg(test)]
    pub(crate) fn plant(&self, key: &RowKey, content: &[u8]) -> Result<(), IndexError> {
        let (tree, key) = (key.tree(), key.key_bytes());
        self.trees.put(tree, &key, &row::encode(&row::digest(tree, &key, content), content))
    }

    /// Takes a row out, unknown to the sums; for tests.
    #[cfg(test)]
    pub(crate) fn lose(&self, key: &RowKey) -> Result<(), IndexError> {
        self.trees.remove(key.tree(), &key.key_bytes())
    }

    /// Takes a resource out of the expiry index, or adds it at another instant, unknown to the sums; for tests.
    #[cfg(test)]
    pub(crate) fn harm_expiry(
        &self,
        resource: &renewd_core::resource::Resource,
        take_out: bool,
    ) -> Result<(), IndexError> {
        let mut key = expiry::key(resource).unwrap_or_default();
        if take_out {
            return self.trees.remove(expiry::TREE, &key);
        }
        key.splice(..8, [0; 8]);
        self.trees.put(expiry::TREE, &key, &row::encode(&expiry::digest(&key), &[]))
    }

    /// Makes of the index what the build before this one left; for tests.
    #[cfg(test)]
    pub(crate) fn age(&self) -> Result<(), IndexError> {
        let content = serde_json::to_vec(&self.mark).unwrap_or_default();
        let key = b"watermark/2";
        self.trees.put(MARK_TREE, key, &row::encode(&row::digest(MARK_TREE, key, &content), &content))?;
        for tree in [expiry::TREE, places::TREE, "live"] {
            let mut keys = Vec::new();
            self.trees.scan(tree, &[], &mut |key, _| {
                keys.push(key.to_vec());
                Ok(())
            })?;
            keys.iter().try_for_each(|key| self.trees.remove(tree, key))?;
        }
        self.trees.remove(MARK_TREE, MARK_KEY)
    }

    /// Changes bytes of a stored row and nothing else; for tests.
    #[cfg(test)]
    pub(crate) fn harm(&self, key: &RowKey, from: &str, to: &str) -> Result<(), IndexError> {
        let (tree, key) = (key.tree(), key.key_bytes());
        let mut stored = self.trees.get(tree, &key)?.unwrap_or_default();
        let place = stored.windows(from.len()).position(|bytes| bytes == from.as_bytes()).unwrap_or_default();
        stored.splice(place..place + from.len(), to.bytes());
        self.trees.put(tree, &key, &stored)
    }

    /// The trees alone, to be put in place.
    pub(crate) fn into_trees(self) -> Box<dyn Trees> {
        self.trees
    }

    /// Writes out what is buffered and lets go of all files.
    pub(crate) fn close(self) -> Result<(), IndexError> {
        self.trees.close()
    }
}
