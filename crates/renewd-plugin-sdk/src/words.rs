//! Short ways to say what a plugin has to say: errors, declines, log lines.

#[cfg(feature = "pricing")]
use crate::pricing::PriceError;

/// A pricing error: a kebab-case code, one lower-case sentence, and the next step.
#[cfg(feature = "pricing")]
pub fn price_error(code: &str, message: impl Into<String>, hint: Option<String>) -> PriceError {
    PriceError { code: code.to_owned(), message: message.into(), hint, metadata: Vec::new() }
}

/// A decline that says whether and with what to try again.
#[cfg(feature = "payment")]
pub fn decline(code: &str, message: impl Into<String>, retry: crate::payment::Retry) -> crate::payment::Decline {
    crate::payment::Decline {
        code: code.to_owned(),
        message: message.into(),
        retry,
        not_before: None,
        metadata: Vec::new(),
    }
}

/// The details of a payment error.
#[cfg(feature = "payment")]
pub fn error_detail(code: &str, message: impl Into<String>) -> crate::payment::ErrorDetail {
    crate::payment::ErrorDetail { code: code.to_owned(), message: message.into(), metadata: Vec::new() }
}
