//! Compares an index with its own sums, and with what it should be.

use super::error::{IndexError, key_text};
use super::{Index, row_trees};

impl Index {
    /// Reads every row: each must fit its check, and each tree its sum.
    pub(crate) fn check_rows(&self) -> Result<(), IndexError> {
        for tree in row_trees() {
            self.each(tree, &mut |_, _| Ok(()))?;
        }
        Ok(())
    }

    /// Whether the index must be read in full at this open, were it closed in good order.
    pub(crate) fn is_small(&self) -> bool {
        self.rows().values().sum::<u64>() <= crate::limits::OPEN_INDEX_CHECK_ROWS_MAX
    }

    /// The rows in which two indexes differ: `tree key`, at most `limit` of them.
    pub(crate) fn differences(&self, other: &Self, limit: usize) -> Result<Vec<String>, IndexError> {
        let mut found = Vec::new();
        for tree in row_trees() {
            self.trees.scan(tree, &[], &mut |key, stored| {
                if found.len() < limit && other.trees.get(tree, key)?.as_deref() != Some(stored) {
                    found.push(format!("{tree} `{}`", key_text(key)));
                }
                Ok(())
            })?;
            other.trees.scan(tree, &[], &mut |key, _| {
                if found.len() < limit && self.trees.get(tree, key)?.is_none() {
                    found.push(format!("{tree} `{}`", key_text(key)));
                }
                Ok(())
            })?;
        }
        Ok(found)
    }
}
