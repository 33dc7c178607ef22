//! What worlds share within a thread: compiled plugins, and a folder for documents and blobs.
//!
//! Nothing of a world may live here: the order in which a thread runs its seeds must not matter.

use crate::gateway::SimGateways;
use crate::world::{SimHome, World};
use renewd_engine::{Clock, Engine, EngineOptions};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

/// The folder, beside that of the documents, in which others have theirs.
pub(crate) const OTHERS: &str = "docs-of-others";

/// A thread's tools.
pub struct Workshop {
    folder: tempfile::TempDir,
    clock: Arc<AtomicI64>,
    engines: Vec<Engine>,
}

impl Workshop {
    /// Tools for a thread, with the plugins of this repository.
    ///
    /// # Errors
    /// The plugins cannot be read, or the folder cannot be made.
    pub fn new() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/dist");
        fs::create_dir(folder.path().join("plugins"))?;
        fs::create_dir(folder.path().join("store"))?;
        for plugin in ["price-list.wasm", "invoice.wasm"] {
            fs::copy(dist.join(plugin), folder.path().join("plugins").join(plugin))?;
        }
        Ok(Self { folder, clock: Arc::default(), engines: Vec::new() })
    }

    pub(crate) fn clock(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.clock)
    }

    /// Where blobs are kept.
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Where the documents of a world are; empty.
    pub(crate) fn documents(&self) -> io::Result<PathBuf> {
        let path = self.folder.path().join("docs");
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        fs::create_dir(&path)?;
        let others = self.folder.path().join(OTHERS);
        if others.exists() {
            fs::remove_dir_all(&others)?;
        }
        fs::create_dir(&others)?;
        Ok(path)
    }

    /// An engine in a world, as a new process has it.
    pub(crate) fn engine(&mut self, world: &Arc<World>) -> Engine {
        let engine = self.engines.pop().unwrap_or_else(|| {
            Engine::new(EngineOptions {
                store: self.store(),
                wait: Duration::ZERO,
                command: "simulated".to_owned(),
                clock: Clock::Moved(self.clock()),
                progress: None,
                notice: None,
            })
        });
        enter(engine, world)
    }

    /// Keeps an engine for the next world.
    pub(crate) fn keep(&mut self, engine: Engine) {
        self.engines.push(engine.restarted());
    }
}

/// The engine as a new process in this world has it.
pub(crate) fn enter(engine: Engine, world: &Arc<World>) -> Engine {
    let home = Arc::new(SimHome(Arc::clone(world)));
    let gateways = Arc::new(SimGateways(Arc::clone(world)));
    engine.restarted().in_a_world(home, gateways, "simulator")
}
