//! Where a store lives: a directory of this machine, or whatever a simulator puts in its place.

use renewd_core::ids::Digest;
use renewd_store::{Mode, Store, StoreError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a store lives.
pub trait Home: Send + Sync {
    /// Whether there is a store, or what is left of one.
    fn exists(&self) -> bool;

    /// Makes the store.
    ///
    /// # Errors
    /// There is one already, or the disk fails.
    fn create(&self) -> Result<Store, StoreError>;

    /// Opens the store for one visit, waiting so long for other processes.
    ///
    /// # Errors
    /// There is none, it stays busy, or it is damaged.
    fn open(&self, wait: Duration) -> Result<Store, StoreError>;

    /// Opens the store for one visit that commits nothing: also where the disk is full.
    ///
    /// # Errors
    /// As [`Home::open`].
    fn open_to_read(&self, wait: Duration) -> Result<Store, StoreError> {
        self.open(wait)
    }

    /// Opens the store for one visit that may have nothing to ask: its index is opened by the first question.
    ///
    /// # Errors
    /// As [`Home::open`].
    fn open_lazily(&self, wait: Duration) -> Result<Store, StoreError> {
        self.open(wait)
    }

    /// The bytes of a digest; needs no lock, because blobs never change.
    ///
    /// # Errors
    /// There is no such blob, or it is damaged.
    fn blob(&self, digest: &Digest) -> Result<Vec<u8>, StoreError>;

    /// Makes this process known as an owner of attempts, for as long as the token is held.
    ///
    /// # Errors
    /// The disk fails.
    fn owner(&self) -> Result<Box<dyn OwnerToken>, StoreError>;

    /// Whether the process that holds this token is alive.
    ///
    /// # Errors
    /// The disk fails, so that it cannot be told.
    fn owner_alive(&self, token: &str) -> Result<bool, StoreError>;
}

/// A process as the owner of its attempts.
pub trait OwnerToken {
    /// What an attempt names its owner by.
    fn token(&self) -> &str;
}

impl OwnerToken for renewd_store::Owner {
    fn token(&self) -> &str {
        renewd_store::Owner::token(self)
    }
}

/// A directory of this machine.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    fn path(&self) -> &Path {
        &self.0
    }
}

impl Home for Directory {
    fn exists(&self) -> bool {
        Store::exists(self.path())
    }

    fn create(&self) -> Result<Store, StoreError> {
        Store::create(self.path())
    }

    fn open(&self, wait: Duration) -> Result<Store, StoreError> {
        Store::open(self.path(), wait, Mode::Write)
    }

    fn open_to_read(&self, wait: Duration) -> Result<Store, StoreError> {
        Store::open(self.path(), wait, Mode::Read)
    }

    fn open_lazily(&self, wait: Duration) -> Result<Store, StoreError> {
        Store::open_lazily(self.path(), wait)
    }

    fn blob(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        renewd_store::read_blob(self.path(), digest)
    }

    fn owner(&self) -> Result<Box<dyn OwnerToken>, StoreError> {
        Ok(Box::new(renewd_store::Owner::create(self.path())?))
    }

    fn owner_alive(&self, token: &str) -> Result<bool, StoreError> {
        renewd_store::owner_alive(self.path(), token)
    }
}
