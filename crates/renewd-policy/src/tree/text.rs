//! From bytes to text: what can be YAML at all.
//!
//! A byte order mark and CRLF are accepted; everything that YAML readers take differently, or that is no text, is a
//! finding. Nothing is repaired silently.

use crate::finding::{Code, Place, Problem};

/// Text, with what is wrong with single characters of it.
#[derive(Debug)]
pub struct Decoded<'a> {
    /// The text without its byte order mark.
    pub text: &'a str,
    /// Characters that cannot stay, with their places; at most a few.
    pub problems: Vec<(Place, Problem)>,
}

/// How many bad characters of one file are reported.
const BAD_CHARACTERS_SHOWN_MAX: usize = 20;

/// Reads bytes as text.
///
/// # Errors
/// The bytes are not UTF-8, or are not text; the place is that of the first such byte.
pub fn decode(bytes: &[u8]) -> Result<Decoded<'_>, (Place, Problem)> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let problem = Problem::new(Code::NotUtf8, "the file is UTF-16, not UTF-8").hint("save the file as UTF-8");
        return Err((Place::START, problem));
    }
    let head = bytes.get(..bytes.len().min(8192)).unwrap_or(bytes);
    if head.contains(&0) {
        let place = place_at(bytes, head.iter().position(|byte| *byte == 0).unwrap_or(0));
        let problem = Problem::new(Code::BinaryFile, "this is a binary file, not text")
            .hint("name a text file, or move this one out of the directory");
        return Err((place, problem));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let problem = Problem::new(Code::NotUtf8, "the file is not UTF-8").hint("save the file as UTF-8");
        (place_at(bytes, error.valid_up_to()), problem)
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Ok(Decoded { text, problems: bad_characters(text) })
}

/// The place of a byte in bytes of which everything before it is UTF-8 or counted byte by byte.
fn place_at(bytes: &[u8], index: usize) -> Place {
    let before = bytes.get(..index).unwrap_or(bytes);
    let before = String::from_utf8_lossy(before.strip_prefix(b"\xef\xbb\xbf").unwrap_or(before));
    let (line, rest) = before
        .rsplit_once('\n')
        .map_or((1, before.as_ref()), |(head, rest)| (head.matches('\n').count().saturating_add(2), rest));
    Place { line: small(line), column: small(rest.chars().count().saturating_add(1)), len: 1 }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Control characters, line breaks that only some readers see, and directives.
fn bad_characters(text: &str) -> Vec<(Place, Problem)> {
    let mut problems = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let line_number = small(index.saturating_add(1));
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.starts_with('%') {
            let problem = Problem::new(Code::TagNotSupported, "YAML directives are not supported")
                .hint("remove the line that starts with `%`");
            problems.push((Place { line: line_number, column: 1, len: small(line.chars().count()) }, problem));
        }
        if line.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            continue;
        }
        for (column, c) in line.chars().enumerate() {
            if let Some(problem) = bad_character(c) {
                problems.push((Place { line: line_number, column: small(column.saturating_add(1)), len: 1 }, problem));
            }
            if problems.len() >= BAD_CHARACTERS_SHOWN_MAX {
                return problems;
            }
        }
    }
    problems
}

fn bad_character(c: char) -> Option<Problem> {
    let (what, hint) = match c {
        '\t' => return None,
        '\r' => ("a carriage return without a line feed", "save the file with Unix or Windows line breaks"),
        '\u{85}' | '\u{2028}' | '\u{2029}' => ("a Unicode line break", "replace it by an ordinary line break"),
        '\u{feff}' => ("a byte order mark inside the file", "remove it"),
        '\u{fffe}' | '\u{ffff}' => ("a character that YAML does not allow", "remove it"),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            ("a character that hides the order of the text", "remove it, so that the file reads as it shows")
        }
        c if c.is_control() => ("a control character", "remove it"),
        _ => return None,
    };
    Some(Problem::new(Code::BadCharacter, format!("{what} (U+{:04X})", u32::from(c))).hint(hint))
}
