//! Texts from a guest: bounded, and made harmless before a person's terminal shows them.

use crate::Metadata;
use crate::invalid_output::InvalidOutput;
use crate::limits::{Limits, WORD_BYTES_MAX};

/// A text for people: bounded, control characters replaced, so that no plugin can steer a terminal.
pub(crate) fn readable(text: String, at: &str, limits: &Limits) -> Result<String, InvalidOutput> {
    bounded(&text, at, limits.text_bytes)?;
    Ok(harmless(text))
}

/// An identifier such as a reference: bounded, not empty, no spaces at its ends, no control characters.
pub(crate) fn identifier(text: String, at: &str, limits: &Limits) -> Result<String, InvalidOutput> {
    bounded(&text, at, limits.text_bytes)?;
    if text.is_empty() || text.trim() != text || text.chars().any(is_steering) {
        return Err(InvalidOutput::BadText { at: at.to_owned() });
    }
    Ok(text)
}

/// A short kebab-case word for machines, bounded.
pub(crate) fn word(text: String, at: &str) -> Result<String, InvalidOutput> {
    bounded(&text, at, WORD_BYTES_MAX)?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() || !text.chars().all(fits) {
        return Err(InvalidOutput::BadText { at: at.to_owned() });
    }
    Ok(text)
}

/// Metadata: few pairs, bounded names and values.
pub(crate) fn metadata(pairs: Metadata, at: &str, limits: &Limits) -> Result<Metadata, InvalidOutput> {
    count(pairs.len(), limits.metadata_pairs, || format!("{at}/metadata"))?;
    let one = |(name, value): (String, String)| {
        let at = format!("{at}/metadata");
        Ok((identifier(name, &at, limits)?, readable(value, &at, limits)?))
    };
    pairs.into_iter().map(one).collect()
}

/// A list's length against its limit.
pub(crate) fn count(count: usize, most: usize, at: impl FnOnce() -> String) -> Result<(), InvalidOutput> {
    if count > most { Err(InvalidOutput::TooMany { at: at(), count, most }) } else { Ok(()) }
}

/// The start of a text, for messages.
pub(crate) fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    harmless(short)
}

/// The text with every control and direction-changing character replaced.
pub(crate) fn harmless(text: String) -> String {
    if text.chars().any(is_steering) {
        return text.chars().map(|c| if is_steering(c) { '\u{fffd}' } else { c }).collect();
    }
    text
}

/// The longest start of `text` that has at most `most` bytes.
pub(crate) fn truncated(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

fn bounded(text: &str, at: &str, most: usize) -> Result<(), InvalidOutput> {
    if text.len() > most {
        return Err(InvalidOutput::TextTooLong { at: at.to_owned(), bytes: text.len(), most });
    }
    Ok(())
}

/// Control characters, and those that reorder what a terminal shows.
fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_bounded() {
        assert!(word("a".repeat(WORD_BYTES_MAX), "code").is_ok());
        assert!(word("a".repeat(WORD_BYTES_MAX + 1), "code").is_err());
    }
}
