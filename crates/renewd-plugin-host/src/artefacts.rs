//! Compiled artefacts, kept so that a plugin is compiled once: `NAME.cwasm` is a keyed digest and the native code.
//!
//! INVARIANT (own-artefact-only): the one `unsafe` call loads bytes whose keyed digest was just checked in memory, under
//! a name made of the component's digest, the wasmtime version, the settings and the target. Anything else is recompiled.

use crate::WASMTIME_VERSION;
use crate::cache_key::{CacheKey, KEY_BYTES};
use crate::failure::LoadError;
use renewd_core::ids::Digest;
use sha2::{Digest as _, Sha256};
use std::fs::{self, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Largest artefact that is read back, bytes.
const ARTEFACT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Tells apart the temporary files of one process.
static TEMPORARY: AtomicU64 = AtomicU64::new(0);

/// Whether compiled artefacts are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheState {
    /// No directory was given.
    Off,
    /// They are kept in the given directory.
    On,
    /// They are not kept; the sentence says why. Everything works, only slower.
    Refused(String),
}

/// The kept artefacts of one directory.
pub(crate) struct Artefacts {
    state: CacheState,
    kept: Option<Kept>,
}

struct Kept {
    dir: PathBuf,
    key: CacheKey,
    settings: Digest,
}

impl Artefacts {
    pub(crate) fn open(engine: &Engine, dir: Option<&Path>) -> Self {
        let Some(dir) = dir else {
            return Self { state: CacheState::Off, kept: None };
        };
        match CacheKey::open(dir) {
            Ok(key) => Self {
                state: CacheState::On,
                kept: Some(Kept { dir: dir.to_owned(), key, settings: settings(engine) }),
            },
            Err(why) => Self { state: CacheState::Refused(why), kept: None },
        }
    }

    pub(crate) fn state(&self) -> &CacheState {
        &self.state
    }

    /// The component, from a kept artefact when there is a sound one, else compiled and kept.
    pub(crate) fn component(&self, engine: &Engine, digest: &Digest, bytes: &[u8]) -> Result<Component, LoadError> {
        let Some(kept) = &self.kept else {
            return compile(engine, bytes);
        };
        let name = kept.name(digest);
        if let Some(component) = kept.load(engine, &name) {
            return Ok(component);
        }
        let component = compile(engine, bytes)?;
        // A cache that cannot be written costs time, never a result.
        let _ = kept.keep(&name, &component);
        Ok(component)
    }
}

impl Kept {
    fn name(&self, component: &Digest) -> String {
        Digest::of_parts([component.as_bytes().as_slice(), self.settings.as_bytes().as_slice()]).to_string()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.cwasm"))
    }

    fn load(&self, engine: &Engine, name: &str) -> Option<Component> {
        let path = self.path(name);
        if fs::metadata(&path).ok()?.len() > ARTEFACT_BYTES_MAX {
            return None;
        }
        let file = fs::read(&path).ok()?;
        let (seal, artefact) = file.split_at_checked(KEY_BYTES)?;
        if !self.key.holds(name, artefact, seal) {
            return None;
        }
        deserialize(engine, artefact)
    }

    fn keep(&self, name: &str, component: &Component) -> io::Result<()> {
        let artefact = component.serialize().map_err(|error| io::Error::other(error.to_string()))?;
        let seal = self.key.seal(name, &artefact).ok_or(io::ErrorKind::InvalidInput)?;
        let number = TEMPORARY.fetch_add(1, Ordering::Relaxed);
        let beside = self.dir.join(format!("{name}.new-{}-{number}", std::process::id()));
        let mut file = private_file(&beside)?;
        let written = file.write_all(&seal).and_then(|()| file.write_all(&artefact));
        let placed = written.and_then(|()| fs::rename(&beside, self.path(name)));
        if placed.is_err() {
            let _ = fs::remove_file(&beside);
        }
        placed
    }
}

#[expect(unsafe_code, reason = "loading an own compiled artefact, whose keyed digest the caller has checked")]
fn deserialize(engine: &Engine, artefact: &[u8]) -> Option<Component> {
    // SAFETY: INVARIANT (own-artefact-only): these bytes carry this directory's keyed digest, whose key only the owner can
    // read, so this program wrote them with `Component::serialize`; nobody can change them between check and use.
    unsafe { Component::deserialize(engine, artefact) }.ok()
}

fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, LoadError> {
    Component::from_binary(engine, bytes).map_err(|error| LoadError::Invalid(format!("{error:#}")))
}

fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Everything that decides whether an artefact fits this process: wasmtime's version, its settings, the target.
fn settings(engine: &Engine) -> Digest {
    let mut hasher = Sha256Hasher(Sha256::new());
    WASMTIME_VERSION.hash(&mut hasher);
    std::env::consts::ARCH.hash(&mut hasher);
    std::env::consts::OS.hash(&mut hasher);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    Digest::from_bytes(hasher.0.finalize().into())
}

/// A hasher that keeps all 256 bits.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest: [u8; 32] = self.0.clone().finalize().into();
        digest.iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
    }
}
