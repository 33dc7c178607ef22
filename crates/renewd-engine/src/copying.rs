//! Copies of the store: backups, stores made from them, and what is intact of a damaged store.
//!
//! Must never write over a store: every copy is a new directory, there whole or not at all.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::keeping::missing_blobs;
use crate::view::{LostView, RestoredView, StoreCopyView, StoreSalvageView};
use renewd_store::{Copied, Mode, Restored, Salvaged, Store, StoreError};
use std::path::Path;

impl Engine {
    /// Copies the store, as it is at its last commit, to a new directory. Others go on using it meanwhile.
    ///
    /// # Errors
    /// There is no store, it is damaged or lacks bytes that a document in force names, or the copy cannot be made; then
    /// there is none.
    pub fn store_backup(&self, target: &Path) -> Result<StoreCopyView, EngineError> {
        let store = Store::open(&self.options.store, self.options.wait, Mode::Read)?;
        if let Some((_, digest)) = missing_blobs(store.documents()?.values(), &store).into_iter().next() {
            return Err(StoreError::NoBlob(digest).into());
        }
        drop(store);
        let copied = renewd_store::backup(&self.options.store, target, self.options.wait)?;
        Ok(copy_view(&self.options.store, target, copied, None))
    }

    /// Makes the store from a backup, which is verified first. The store says for ever that it was restored.
    ///
    /// # Errors
    /// There is a store already, the backup is none or is damaged, or the store cannot be made; then there is none.
    pub fn store_restore(&self, backup: &Path) -> Result<StoreCopyView, EngineError> {
        let (copied, restored) = renewd_store::restore(backup, &self.options.store)?;
        Ok(copy_view(backup, &self.options.store, copied, Some(restored)))
    }

    /// Makes a store in a new directory from all that is intact of this one, in which nothing is changed.
    ///
    /// # Errors
    /// Nothing is intact, somebody has the store open, or the new store cannot be made; then there is none.
    pub fn store_salvage(&self, target: &Path) -> Result<StoreSalvageView, EngineError> {
        let Salvaged { copied, restored, damage, header_replaced, left } =
            renewd_store::salvage(&self.options.store, target)?;
        let header = header_replaced.then(|| "the journal's file header was damaged and was made anew".to_owned());
        // What is gone altogether is told by what is in force in the new store.
        let mut blobs: Vec<String> = left.blobs.iter().map(ToString::to_string).collect();
        let store = Store::open(target, self.options.wait, Mode::Read)?;
        for (_, digest) in missing_blobs(store.documents()?.values(), &store) {
            if !blobs.contains(&digest.to_string()) {
                blobs.push(digest.to_string());
            }
        }
        drop(store);
        let lost = LostView { records: left.records, acknowledged: left.acknowledged, bytes: left.bytes, blobs };
        Ok(StoreSalvageView {
            copy: copy_view(&self.options.store, target, copied, Some(restored)),
            damage: damage.map(|damage| damage.to_string()).into_iter().chain(header).collect(),
            complete: lost.bytes == 0 && lost.records == 0 && lost.blobs.is_empty(),
            lost,
        })
    }
}

fn copy_view(from: &Path, to: &Path, copied: Copied, restored: Option<Restored>) -> StoreCopyView {
    StoreCopyView {
        from: from.display().to_string(),
        directory: to.display().to_string(),
        sequence: copied.head.sequence.get(),
        head: copied.head.hash.to_string(),
        bytes: copied.bytes,
        blobs: copied.blobs,
        restored: restored.map(RestoredView::of),
    }
}
