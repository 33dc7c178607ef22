//! `{{secret:name}}` in header values and bodies, filled in on the way out. What comes out of here is never kept.

use super::secret::Secrets;
use memchr::memmem;

/// What opens a place for a secret.
const OPEN: &str = "{{secret:";
/// What closes it.
const CLOSE: &str = "}}";

/// Whether a text has a place for a secret.
pub(super) fn has_place(bytes: &[u8]) -> bool {
    memmem::find(bytes, OPEN.as_bytes()).is_some()
}

/// The bytes with every secret filled in.
///
/// # Errors
/// One sentence: a place is not closed, or names a secret that is not declared.
pub(super) fn fill(bytes: &[u8], secrets: &Secrets) -> Result<Vec<u8>, String> {
    let mut filled = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memmem::find(rest, OPEN.as_bytes()) {
        let (before, place) = rest.split_at(at);
        filled.extend_from_slice(before);
        let named = place.get(OPEN.len()..).unwrap_or_default();
        let end = memmem::find(named, CLOSE.as_bytes()).ok_or("a `{{secret:` is not closed by `}}`")?;
        let (name, after) = named.split_at(end);
        let name = std::str::from_utf8(name).map_err(|_| "the name in a `{{secret:…}}` is no text")?;
        let value = secrets.value(name).ok_or_else(|| {
            let shown = crate::text::excerpt(name);
            format!("the secret `{shown}` is not declared: add it to `secrets` of the `Plugin` document")
        })?;
        filled.extend_from_slice(value.as_bytes());
        rest = after.get(CLOSE.len()..).unwrap_or_default();
    }
    filled.extend_from_slice(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let secrets = Secrets::new([("key", "sk_test_12345678"), ("other", "{{secret:key}}")]).unwrap();
        fill(text.as_bytes(), &secrets).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn places_are_filled_once() {
        assert_eq!(filled("Bearer {{secret:key}}").unwrap(), "Bearer sk_test_12345678");
        assert_eq!(filled("a{{secret:key}}{{secret:key}}b").unwrap(), "ask_test_12345678sk_test_12345678b");
        assert_eq!(filled("{{secret:other}}").unwrap(), "{{secret:key}}", "a value is not looked at again");
        assert_eq!(filled("{{key}} {secret:key}").unwrap(), "{{key}} {secret:key}");
    }

    #[test]
    fn what_is_not_declared_is_refused_by_its_name() {
        assert!(filled("{{secret:nope}}").unwrap_err().contains("`nope` is not declared"));
        assert!(filled("{{secret:key").unwrap_err().contains("not closed"));
        assert!(filled("{{secret: key}}").is_err());
    }
}
