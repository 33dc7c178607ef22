//! Keeping the store: making, describing, verifying and rebuilding it.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::files::write_whole;
use crate::locking::read_lock;
use crate::view::{RestoredView, StoreInfoView, StoreVerifyView};
use renewd_core::documents::Document;
use renewd_policy::Lock;
use renewd_store::{IndexVerdict, Store, StoreInfo};
use std::path::Path;

impl Engine {
    /// Makes the store; with a directory of documents, pins its id in the lock there.
    ///
    /// # Errors
    /// There is a store already (unless only the pin is asked for), or a file cannot be written.
    pub fn store_init(&self, pin: Option<&Path>) -> Result<StoreInfoView, EngineError> {
        if !self.has_store() {
            drop(self.home.create()?);
        } else if pin.is_none() {
            return Err(EngineError::Guard {
                code: "store-exists",
                message: format!("there is a store in `{}` already", self.options.store.display()),
                hint: "`renewd store info` describes it".to_owned(),
            });
        }
        let view = self.store_info()?;
        if let Some(directory) = pin {
            if !directory.is_dir() {
                let message = format!("`{}` is not a directory of documents", directory.display());
                return Err(EngineError::input(
                    "missing-path",
                    message,
                    "name the directory that you apply".to_owned(),
                ));
            }
            let mut lock = read_lock(directory)?.unwrap_or_default();
            lock.store = Some(view.id.clone());
            write_whole(&Lock::path_of(directory), lock.to_text().as_bytes())?;
        }
        Ok(view)
    }

    /// Describes the store.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn store_info(&self) -> Result<StoreInfoView, EngineError> {
        let StoreInfo { id, format_version, restored, head, journal_bytes, index_bytes, rows, .. } =
            renewd_store::info(&self.options.store, self.options.wait)?;
        let revision = self.snapshot(self.now())?.state.meta.revision;
        Ok(StoreInfoView {
            directory: self.options.store.display().to_string(),
            id: id.to_string(),
            format: format_version,
            sequence: head.sequence.get(),
            head: head.hash.to_string(),
            journal_bytes,
            index_bytes,
            rows: rows.into_iter().map(|(tree, count)| (tree.to_owned(), count)).collect(),
            revision,
            restored: restored.map(RestoredView::of),
        })
    }

    /// Verifies every record of the journal, every row of the index against the journal, and every blob.
    ///
    /// # Errors
    /// The journal is damaged (naming the record), or the store cannot be read.
    pub fn store_verify(&self) -> Result<StoreVerifyView, EngineError> {
        let report = renewd_store::verify(&self.options.store, self.options.wait)?;
        let mut notes = Vec::new();
        match &report.index {
            IndexVerdict::Agrees => {}
            IndexVerdict::Missing => notes.push("there is no index; the next command builds it".to_owned()),
            IndexVerdict::Behind => {
                notes.push("the index lacks the last commits; the next command adds them".to_owned())
            }
            IndexVerdict::Differs { rows } => notes.push(format!(
                "the index differs from the journal in {}; `renewd store rebuild` makes it anew",
                rows.join(", ")
            )),
            IndexVerdict::Unreadable { reason } => {
                notes.push(format!(
                    "the index cannot be read ({reason}); the journal is whole, and the next command makes the index anew"
                ));
            }
        }
        for digest in &report.blobs.damaged {
            notes.push(format!("the blob {digest} is damaged; `renewd apply DIR` writes it again if it is in use"));
        }
        let desk = self.reading_desk(self.now())?;
        let missing = missing_blobs(desk.state.documents.values(), desk.store());
        notes.extend(
            missing
                .iter()
                .map(|(what, _)| format!("the bytes of {what} are missing; `renewd apply DIR` brings them back")),
        );
        Ok(StoreVerifyView {
            directory: self.options.store.display().to_string(),
            backup: false,
            // An index that lags or is missing is no damage: the next command mends it from the journal.
            clean: report.blobs.damaged.is_empty()
                && missing.is_empty()
                && matches!(report.index, IndexVerdict::Agrees | IndexVerdict::Missing | IndexVerdict::Behind),
            records: report.head.sequence.get(),
            torn_bytes: report.journal.torn.as_ref().map_or(0, |torn| torn.bytes),
            rows: None,
            notes,
        })
    }

    /// Verifies every record and every blob of a backup.
    ///
    /// # Errors
    /// It is no backup, or is damaged or incomplete (naming what), or cannot be read.
    pub fn store_verify_backup(&self, backup: &Path) -> Result<StoreVerifyView, EngineError> {
        let whole = renewd_store::verify_backup(backup)?;
        let directory = backup.display().to_string();
        Ok(StoreVerifyView {
            notes: vec![format!("a backup: `renewd store restore {directory} --store NEWDIR` makes a store of it")],
            directory,
            backup: true,
            clean: true,
            records: whole.head.sequence.get(),
            torn_bytes: 0,
            rows: None,
        })
    }

    /// Builds the index anew from the journal.
    ///
    /// # Errors
    /// The journal is damaged, or the disk fails.
    pub fn store_rebuild(&self) -> Result<StoreVerifyView, EngineError> {
        let rebuilt = renewd_store::rebuild(&self.options.store, self.options.wait)?;
        let aside = rebuilt.aside.as_ref().map(|path| format!("the old index is kept in `{}`", path.display()));
        Ok(StoreVerifyView {
            directory: self.options.store.display().to_string(),
            backup: false,
            clean: true,
            records: rebuilt.head.sequence.get(),
            torn_bytes: rebuilt.journal.torn.as_ref().map_or(0, |torn| torn.bytes),
            rows: Some(rebuilt.rows),
            notes: aside.into_iter().collect(),
        })
    }
}

/// Plugins and price lists among these documents whose bytes the store does not have, by name and digest.
pub(crate) fn missing_blobs<'a>(
    documents: impl Iterator<Item = &'a Document>,
    store: &Store,
) -> Vec<(String, renewd_core::ids::Digest)> {
    let needed = documents.filter_map(|document| match document {
        Document::Plugin(plugin) => Some((document.key().to_string(), plugin.digest)),
        Document::PriceList(list) => Some((document.key().to_string(), list.rows)),
        Document::Account(_)
        | Document::PaymentMethod(_)
        | Document::RenewalPolicy(_)
        | Document::RenewalRequest(_)
        | Document::EventSink(_) => None,
    });
    needed.filter(|(_, digest)| !store.has_blob(digest)).collect()
}
