//! The bodies and queries that the gateway reads: `application/x-www-form-urlencoded`.

use std::fmt::Write;

/// Names and values, encoded as they are added.
#[derive(Debug, Default, Clone)]
pub(crate) struct Form(String);

impl Form {
    /// The form with one more pair.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.add(name, value);
        self
    }

    /// The form with one more pair where there is a value.
    pub(crate) fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a pair.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        encode(&mut self.0, name);
        self.0.push('=');
        encode(&mut self.0, value);
    }

    /// As it is sent.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Percent-encodes everything but what every reader takes literally.
pub(crate) fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            // Writing to a String cannot fail.
            _ => _ = write!(out, "%{byte:02X}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_unusual_is_encoded() {
        let form = Form::default().with("metadata[renewd_key]", "a b&c=d+é%").with_some("x", None).with("y", "");
        assert_eq!(form.as_str(), "metadata%5Brenewd_key%5D=a%20b%26c%3Dd%2B%C3%A9%25&y=");
    }
}
