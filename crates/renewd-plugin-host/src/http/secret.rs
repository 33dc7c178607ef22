//! Secrets: values that leave renewd only inside of a request, on the way out.
//!
//! INVARIANT (no-secret-shown): nothing here derives `Debug` or `Serialize`, no error names a value, and the only ways to
//! a value are [`super::fill`], which writes it into an outgoing request, and [`super::blank`], which looks for it.

use crate::limits::{SECRET_BYTES_MAX, SECRET_BYTES_MIN};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The secrets that one plugin may name. Cheap to clone.
#[derive(Clone, Default)]
pub struct Secrets {
    by_name: Arc<BTreeMap<String, String>>,
}

/// Why a value cannot be a secret. Never says the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Too short to be found again in an answer.
    #[error("the secret `{name}` has fewer than {SECRET_BYTES_MIN} bytes")]
    TooShort {
        /// Its name.
        name: String,
    },
    /// Longer than any key.
    #[error("the secret `{name}` has more than {SECRET_BYTES_MAX} bytes")]
    TooLong {
        /// Its name.
        name: String,
    },
    /// Line ends, spaces, control characters, letters beyond ASCII.
    #[error("the secret `{name}` has a space, a line end or another character that no header can carry")]
    BadCharacter {
        /// Its name.
        name: String,
    },
}

impl Secrets {
    /// Checks and takes secrets by name.
    ///
    /// # Errors
    /// A value is too short or too long, or has a character other than visible ASCII.
    pub fn new<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<Self, SecretError> {
        let mut by_name = BTreeMap::new();
        for (name, value) in pairs {
            let (name, value) = (name.into(), value.into());
            if value.len() < SECRET_BYTES_MIN {
                return Err(SecretError::TooShort { name });
            }
            if value.len() > SECRET_BYTES_MAX {
                return Err(SecretError::TooLong { name });
            }
            if !value.bytes().all(|b| b.is_ascii_graphic()) {
                return Err(SecretError::BadCharacter { name });
            }
            by_name.insert(name, value);
        }
        Ok(Self { by_name: Arc::new(by_name) })
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// The value of a declared secret, for [`super::fill`] only.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.by_name.get(name).map(String::as_str)
    }

    /// All values, for [`super::blank`] only.
    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.by_name.values().map(String::as_str)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}
