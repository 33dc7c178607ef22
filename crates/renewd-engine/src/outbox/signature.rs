//! The signature of what a webhook is sent: HMAC-SHA256 over the time and the body, so that neither can be changed or
//! sent again later. How a receiver verifies it is in `docs/events.md`.
//!
//! INVARIANT (secrets-late): a key is read when an event is about to be sent, and is in no document, event, view or
//! message.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use renewd_core::documents::SecretSource;
use renewd_plugin_host::SECRET_BYTES_MIN;
use sha2::Sha256;
use std::fmt::Write as _;

/// The header that carries it.
pub(super) const HEADER: &str = "renewd-signature";

/// A key; never shown.
pub(super) struct Key(Vec<u8>);

impl Key {
    /// Reads the key from where the document says it is.
    ///
    /// # Errors
    /// One sentence that names the variable, never its value.
    pub(super) fn read(source: &SecretSource) -> Result<Self, String> {
        let name = &source.env;
        match std::env::var_os(name) {
            None => Err(format!("its key comes from `{name}`, which is not set")),
            Some(value) if value.len() < SECRET_BYTES_MIN => {
                Err(format!("its key in `{name}` has fewer than {SECRET_BYTES_MIN} bytes"))
            }
            Some(value) => Ok(Self(value.into_encoded_bytes())),
        }
    }

    /// `t=1764000000,v1=…`: the HMAC of `1764000000.` and the body.
    pub(super) fn sign(&self, at: DateTime<Utc>, body: &[u8]) -> Result<String, String> {
        let time = at.timestamp();
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(|_| "its key cannot sign".to_owned())?;
        mac.update(format!("{time}.").as_bytes());
        mac.update(body);
        let mut header = format!("t={time},v1=");
        for byte in mac.finalize().into_bytes() {
            write!(header, "{byte:02x}").map_err(|error| error.to_string())?;
        }
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with `printf '1764000000.{}' | openssl dgst -sha256 -hmac whsec_of_a_test`.
    #[test]
    fn the_signature_is_the_one_that_other_tools_compute() {
        let at = DateTime::from_timestamp(1_764_000_000, 0).unwrap();
        let signed = Key(b"whsec_of_a_test".to_vec()).sign(at, b"{}").unwrap();
        assert_eq!(signed, "t=1764000000,v1=0f6b5841bb9ee47fce369c1fb30763a0dbd399722b65df79e022a77164e0e3eb");
    }

    #[test]
    fn a_key_that_is_missing_is_named_by_its_variable() {
        let source = SecretSource { env: "RENEWD_NO_SUCH_VARIABLE_OF_A_TEST".to_owned() };
        let why = Key::read(&source).err().unwrap();
        assert!(why.contains("`RENEWD_NO_SUCH_VARIABLE_OF_A_TEST`, which is not set"), "{why}");
    }
}
