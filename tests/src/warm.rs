//! What plugins compile to, shared by the stores of a test program: to compile them takes longer than most tests.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::OnceLock;

/// Compiled plugins, by the names that a store keeps them under.
#[derive(Debug)]
pub struct Warm(OnceLock<Vec<(String, Vec<u8>)>>);

impl Warm {
    /// Nothing is compiled yet.
    #[allow(clippy::new_without_default, reason = "it is for statics, which need a constant")]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Gives a store compiled plugins; the first one has to have them compiled.
    ///
    /// # Panics
    /// They cannot be read or written.
    pub fn give(&self, store: &Path, compile: impl FnOnce()) {
        let cache = store.join("cache");
        let files = self.0.get_or_init(|| {
            compile();
            let entries = fs::read_dir(&cache).unwrap().map(Result::unwrap);
            entries.map(|it| (it.file_name().into_string().unwrap(), fs::read(it.path()).unwrap())).collect()
        });
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&cache).unwrap();
        for (name, bytes) in files {
            // A cache that others could read or write is not used.
            let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(cache.join(name));
            if let Ok(mut file) = file {
                std::io::Write::write_all(&mut file, bytes).unwrap();
            }
        }
    }
}
