//! Builds an index from the whole journal: everything is gathered in memory, then written once, in the order of keys.
//!
//! Must never write into an index that has rows already.

use super::Index;
use super::apply::{CommitView, named_order, pointer};
use super::error::IndexError;
use super::history::Entries;
use super::{expiry, places};
use crate::sequence::Place;
use renewd_core::state::State;
use std::collections::BTreeSet;

/// An index that is being built.
#[derive(Default)]
pub(crate) struct Builder {
    state: State,
    history: Entries,
    places: Vec<Place>,
}

impl Builder {
    /// Takes in the next commit.
    pub(crate) fn gather(&mut self, commit: &CommitView) {
        self.places.extend(places::of(commit));
        for view in &commit.events {
            let order = named_order(&self.state, &view.event);
            self.state.apply(commit.at, &view.event);
            self.history.add(&view.event.subjects(order.as_ref()), pointer(commit, view));
        }
    }

    /// Writes everything into an empty index, the mark last.
    pub(crate) fn write_into(self, index: &mut Index, place: Place) -> Result<(), IndexError> {
        for key in self.state.keys() {
            let content = self.state.row_json(&key);
            index.replace(key.tree(), &key.key_bytes(), None, content.as_deref())?;
        }
        let expiries: BTreeSet<_> = self.state.resources.values().filter_map(expiry::key).collect();
        expiries.iter().try_for_each(|key| index.move_expiry(None, Some(key)))?;
        self.places.iter().try_for_each(|place| index.put_place(*place))?;
        index.remember_first(&self.history)?;
        index.write_mark(place)
    }
}
