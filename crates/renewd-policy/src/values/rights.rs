//! What plugins and sinks are given: grants, URLs, and names of secrets and of the variables that hold them.

use crate::finding::{Code, Problem, quoted};
use renewd_core::web::{Grant, GrantError, Scheme, WebUrl};

/// Longest name of a secret or a variable, bytes.
const NAME_BYTES_MAX: usize = 128;

/// Reads a grant: `POST https://api.example.com/v1/`.
///
/// # Errors
/// The text is no grant in its one spelling.
pub fn parse_grant(text: &str) -> Result<Grant, Problem> {
    text.parse().map_err(|error: renewd_core::web::GrantError| {
        Problem::new(Code::BadGrant, format!("{} is not a grant: {error}", quoted(text))).hint(error.hint())
    })
}

/// Reads the URL of a webhook: `https`, or `http` to this machine.
///
/// # Errors
/// The text is no URL in its one spelling, or would travel in the open.
pub fn parse_web_url(text: &str) -> Result<WebUrl, Problem> {
    let bad = |error: GrantError| {
        let hint = error.hint();
        let (message, hint) = match error {
            GrantError::OpenHttp => ("`http` is for this machine only".to_owned(), hint),
            other => (format!("{} is not a URL: {other}", quoted(text)), hint),
        };
        Problem::new(Code::BadUrl, message).hint(hint)
    };
    let url = WebUrl::parse(text).map_err(|error| bad(error.into()))?;
    if url.endpoint.scheme == Scheme::Http && !url.endpoint.host.is_loopback() {
        return Err(bad(GrantError::OpenHttp));
    }
    Ok(url)
}

/// Checks the name of an environment variable. A secret may stand here by mistake, so it is not repeated; and because most
/// keys have letters of both cases (`sk_live_…`), names are in capitals.
///
/// # Errors
/// The text is no such name.
pub fn parse_variable(text: &str) -> Result<&str, Problem> {
    let starts = text.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
    let fits =
        text.len() <= NAME_BYTES_MAX && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if starts && fits {
        return Ok(text);
    }
    let problem = Problem::new(Code::BadVariable, "`env` is not the name of an environment variable");
    Err(problem.hint("write its name, not the secret: capital letters, digits and `_`, for instance `STRIPE_KEY`"))
}

/// Checks the name by which a plugin asks for a secret.
///
/// # Errors
/// The text is no such name.
pub fn parse_secret_name(text: &str) -> Result<&str, Problem> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if !text.is_empty() && text.len() <= NAME_BYTES_MAX && text.bytes().all(fits) {
        return Ok(text);
    }
    let problem = Problem::new(Code::BadName, format!("{} is not the name of a secret", quoted(text)));
    Err(problem.hint("use letters, digits and `-`, for instance `stripe-key`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key that was pasted where the name of a variable belongs passed `check`, and `apply` printed it.
    #[test]
    fn a_key_in_the_place_of_a_variable_is_refused_and_not_repeated() {
        for name in ["STRIPE_KEY", "_KEY", "K8S_KEY_2"] {
            assert_eq!(parse_variable(name), Ok(name));
        }
        for text in [
            "sk_live_51HxYz",
            "rk_test_abcdef",
            "SK_LIVE_51HxYz",
            "stripe_key",
            "Stripe_Key",
            "2KEY",
            "STRIPE-KEY",
            "STRIPE KEY",
            "",
            "Ä",
            &"K".repeat(NAME_BYTES_MAX + 1),
        ] {
            let problem = parse_variable(text).unwrap_err();
            let told = format!("{} {}", problem.message, problem.hint.unwrap_or_default());
            assert!(text.is_empty() || !told.contains(text), "{told}");
            assert!(told.contains("write its name, not the secret"), "{told}");
        }
    }
}
