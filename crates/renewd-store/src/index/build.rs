//! Builds an index from the whole journal: everything is gathered in memory, then written once, in the order of keys.
//!
//! Must never write into an index that has rows already.

use super::apply::{CommitView, named_order, pointer};
use super::error::IndexError;
use super::history;
use super::{HISTORY_TREE, Index};
use crate::sequence::Place;
use renewd_core::state::State;

/// An index that is being built.
#[derive(Default)]
pub(crate) struct Builder {
    state: State,
    history: Vec<(Vec<u8>, [u8; 16])>,
}

impl Builder {
    /// Takes in the next commit.
    pub(crate) fn gather(&mut self, commit: &CommitView) {
        for view in &commit.events {
            let order = named_order(&self.state, &view.event);
            self.state.apply(commit.at, &view.event);
            let pointer = pointer(commit, view);
            let subjects = view.event.subjects(order.as_ref());
            self.history.extend(subjects.iter().map(|s| (history::key(s, pointer), history::content(pointer))));
        }
    }

    /// Writes everything into an empty index, the mark last.
    pub(crate) fn write_into(mut self, index: &mut Index, place: Place) -> Result<(), IndexError> {
        for key in self.state.keys() {
            let content = self.state.row_json(&key);
            index.replace(key.tree(), &key.key_bytes(), None, content.as_deref())?;
        }
        self.history.sort_unstable();
        for (key, content) in &self.history {
            index.replace(HISTORY_TREE, key, None, Some(content))?;
        }
        index.write_mark(place)
    }
}
