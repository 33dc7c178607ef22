//! Random bytes from the operating system: for the identity of a store and the tokens of owners, nothing else.

use super::error::{StoreError, failed};
use std::fs::File;
use std::io::Read as _;

const SOURCE: &str = "/dev/urandom";

/// 16 random bytes.
pub(crate) fn random_bytes() -> Result<[u8; 16], StoreError> {
    let mut bytes = [0; 16];
    let mut source = File::open(SOURCE).map_err(failed("opening", SOURCE))?;
    source.read_exact(&mut bytes).map_err(failed("reading", SOURCE))?;
    Ok(bytes)
}
