//! The texts of the files that were read, kept so that findings can show the lines they are about.
//!
//! Texts are as the reader saw them: without a byte order mark. Nothing here is ever parsed again.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Texts by file, as findings name the files.
#[derive(Debug, Clone, Default)]
pub struct Sources(BTreeMap<String, Arc<str>>);

impl Sources {
    /// Keeps a text.
    pub fn insert(&mut self, file: impl Into<String>, text: Arc<str>) {
        self.0.insert(file.into(), text);
    }

    /// The text of a file; none for a file that could not be read as text.
    pub fn text(&self, file: &str) -> Option<&str> {
        self.0.get(file).map(AsRef::as_ref)
    }

    /// One line of a file, counted from 1, without its line break.
    pub fn line(&self, file: &str, line: u32) -> Option<&str> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        self.text(file)?.lines().nth(index)
    }

    /// The files.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
