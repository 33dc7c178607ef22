//! The few file operations that the journal is built on, so that tests can put a failing disk underneath.
//!
//! A disk is one flat directory of named files. Nothing here retries, buffers or hides an error: the caller
//! decides what a failure means, and after a failed sync that decision is always to stop.

mod real;
pub use real::RealDisk;
pub(crate) use real::{create_private, dir_bytes, free_bytes, sync_directory};

use std::io;

/// One flat directory of files.
///
/// INVARIANT (durable-order): bytes are durable only after `sync` of their file returned without error, a new or
/// renamed name only after `sync_dir`. An implementation must not return early.
pub trait Disk: Send {
    /// The length of a file in bytes, or `None` if there is no such file.
    ///
    /// # Errors
    /// The file system failed.
    fn len(&mut self, file: &str) -> io::Result<Option<u64>>;

    /// Reads up to `length` bytes from `offset`; fewer only at the end of the file.
    ///
    /// # Errors
    /// The file is missing, or the file system failed.
    fn read_at(&mut self, file: &str, offset: u64, length: usize) -> io::Result<Vec<u8>>;

    /// Writes all bytes at `offset`, making the file longer where needed.
    ///
    /// # Errors
    /// The file is missing, or the file system failed; any part may then have been written.
    fn write_at(&mut self, file: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts a file to `length` bytes.
    ///
    /// # Errors
    /// The file is missing, or the file system failed.
    fn truncate(&mut self, file: &str, length: u64) -> io::Result<()>;

    /// Makes the bytes of a file durable (`fdatasync`).
    ///
    /// # Errors
    /// The file system failed. The bytes may be lost even if a later sync succeeds.
    fn sync(&mut self, file: &str) -> io::Result<()>;

    /// Creates an empty file, readable by the owner only, replacing one of that name.
    ///
    /// # Errors
    /// The file system failed.
    fn create(&mut self, file: &str) -> io::Result<()>;

    /// Gives a file another name, replacing the one that has it.
    ///
    /// # Errors
    /// The file is missing, or the file system failed.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Makes created and renamed names durable.
    ///
    /// # Errors
    /// The file system failed.
    fn sync_dir(&mut self) -> io::Result<()>;

    /// How many bytes may still be written; none where that cannot be told.
    fn free_bytes(&mut self) -> Option<u64> {
        None
    }
}
