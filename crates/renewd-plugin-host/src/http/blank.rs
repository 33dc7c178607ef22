//! Secrets in answers: every form in which a server could echo one is overwritten with `*` before a guest, a log or a
//! recording sees it.
//!
//! Looked for: the value itself, in any letter case, each of its characters plain or escaped on its own ([`readings`]);
//! hexadecimal; base64 in both alphabets at each of the three alignments; all of them also over several lines. Lengths
//! never change, so that no answer grows and none is torn. An answer that a server compressed or transformed otherwise
//! cannot be searched, which is why no compressed answer is accepted.

use super::readings::{continuations, readings, starts_escape};
use super::secret::Secrets;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What stands where a secret was.
const BLANK: u8 = b'*';

/// Overwrites every secret in some bytes; answers whether there was one.
pub(crate) fn blank(bytes: &mut [u8], secrets: &Secrets) -> bool {
    let mut spans = Vec::new();
    for value in secrets.values() {
        spans_of(bytes, value.as_bytes(), &mut spans);
        for form in forms(value.as_bytes()) {
            spans_of(bytes, &form, &mut spans);
        }
    }
    for (start, end) in &spans {
        if let Some(found) = bytes.get_mut(*start..*end) {
            found.fill(BLANK);
        }
    }
    !spans.is_empty()
}

/// The text without any secret in it.
pub(crate) fn blank_text(text: String, secrets: &Secrets) -> String {
    let mut bytes = text.into_bytes();
    blank(&mut bytes, secrets);
    // Spans begin and end at ASCII, so the text stays valid.
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A value without any secret in its texts, wherever in it they stand: a plugin may have decoded what could not be found
/// in an answer, and whatever it says is kept.
///
/// # Errors
/// The value cannot be written and read back.
pub(crate) fn blank_value<T: Serialize + DeserializeOwned>(value: T, secrets: &Secrets) -> serde_json::Result<T> {
    if secrets.is_empty() {
        return Ok(value);
    }
    let mut tree = serde_json::to_value(&value)?;
    // Nearly every answer has none, and is handed on as it is.
    if blank_tree(&mut tree, secrets) { serde_json::from_value(tree) } else { Ok(value) }
}

/// An answer is a few levels deep, as its WIT type is.
fn blank_tree(tree: &mut Value, secrets: &Secrets) -> bool {
    match tree {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => {
            let mut bytes = std::mem::take(text).into_bytes();
            let found = blank(&mut bytes, secrets);
            *text = String::from_utf8_lossy(&bytes).into_owned();
            found
        }
        Value::Array(items) => items.iter_mut().fold(false, |found, item| blank_tree(item, secrets) | found),
        Value::Object(fields) => fields.values_mut().fold(false, |found, field| blank_tree(field, secrets) | found),
    }
}

type Span = (usize, usize);

/// Hexadecimal and base64. Compared without regard to letter case, which only blanks more.
fn forms(value: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![value.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect::<Vec<u8>>()];
    for shift in 0..3_usize {
        let mut shifted = vec![0_u8; shift];
        shifted.extend_from_slice(value);
        // Characters at either end also depend on what stands beside the secret, which is not known.
        let head = (shift * 8).div_ceil(6);
        let whole = shifted.len() * 8 / 6;
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&shifted).into_bytes();
            let form = text.get(head..whole).unwrap_or_default().to_vec();
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
    }
    forms
}

fn spans_of(bytes: &[u8], wanted: &[u8], spans: &mut Vec<Span>) {
    let Some(first) = wanted.first() else { return };
    for (start, byte) in bytes.iter().enumerate() {
        let may_start = byte.eq_ignore_ascii_case(first) || starts_escape(*byte);
        if may_start && let Some(end) = furthest_end(bytes, start, wanted) {
            spans.push((start, end));
        }
    }
}

/// The furthest end of the wanted bytes when they start at `start`, each of them plain or escaped.
///
/// A `%` may be itself or the start of an escape, so every reading is followed: to take the first that fits and never
/// come back would miss a secret that has a `%`.
fn furthest_end(bytes: &[u8], start: usize, wanted: &[u8]) -> Option<usize> {
    let mut ends = vec![start];
    let mut starts = vec![start];
    for want in wanted {
        ends.clear();
        for at in &starts {
            readings(bytes.get(*at..).unwrap_or_default(), |byte, width| {
                let end = at.saturating_add(width);
                if byte.eq_ignore_ascii_case(want) && !ends.contains(&end) {
                    ends.push(end);
                }
            });
        }
        if ends.is_empty() {
            return None;
        }
        starts.clear();
        for end in &ends {
            continuations(bytes, *end, |place| {
                if !starts.contains(&place) {
                    starts.push(place);
                }
            });
        }
    }
    ends.into_iter().max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    use proptest::prelude::*;

    const SECRET: &str = "sk_test_51H/x+Y==?~9Z";

    fn secrets() -> Secrets {
        Secrets::new([("key", SECRET)]).unwrap()
    }

    fn blanked(text: &str) -> String {
        blank_text(text.to_owned(), &secrets())
    }

    #[test]
    fn the_value_and_its_escaped_forms_are_overwritten() {
        let percent: String = SECRET.bytes().map(|b| format!("%{b:02X}")).collect();
        let some = SECRET.replace('/', "%2f").replace('+', "%2B").replace('=', "%3d");
        let twice = SECRET.replace('/', "%252F").replace('+', "%252b").replace('=', "%253D");
        let json = SECRET.replace('/', "\\/").replace('+', "\\u002b").replace('=', "\\u003D");
        let hex: String = SECRET.bytes().map(|b| format!("{b:02x}")).collect();
        for form in [
            SECRET.to_owned(),
            SECRET.to_ascii_lowercase(),
            percent.to_ascii_lowercase(),
            percent,
            some,
            twice,
            json,
            hex.to_ascii_uppercase(),
            hex,
        ] {
            let text = format!("a {form} b");
            assert_eq!(blanked(&text), format!("a {} b", "*".repeat(form.len())), "{form}");
        }
    }

    #[test]
    fn base64_is_found_at_every_alignment_in_both_alphabets() {
        for before in ["", "u", "us", "use", "user:", "user:p"] {
            for after in ["", ":", ":x", ":xy"] {
                let whole = format!("{before}{SECRET}{after}");
                for encoded in [STANDARD.encode(&whole), URL_SAFE.encode(&whole)] {
                    let shown = blanked(&encoded);
                    assert_eq!(shown.len(), encoded.len());
                    let kept = shown.bytes().filter(|b| *b != b'*').count();
                    let around = (before.len() + after.len()).div_ceil(3) * 4 + 8;
                    assert!(kept <= around, "`{encoded}` became `{shown}`");
                    assert!(!decoded(&encoded, &shown).contains(SECRET), "`{encoded}` became `{shown}`");
                }
            }
        }
    }

    /// What somebody would read in some base64 of which parts are blanked, line ends included.
    fn decoded(whole: &str, shown: &str) -> String {
        assert_eq!(whole.len(), shown.len());
        let kept = whole.chars().zip(shown.chars()).filter(|(was, _)| !was.is_whitespace());
        let text: String = kept.map(|(_, is)| if is == '*' { 'A' } else { is }).collect();
        let bytes = STANDARD.decode(&text).or_else(|_| URL_SAFE.decode(&text)).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// One character in one of the ways in which servers write it.
    fn written(c: char, way: u8) -> String {
        let code = u32::from(c);
        match way {
            0 => format!("%{code:02X}"),
            1 => format!("%{code:02x}"),
            2 => format!("%25{code:02X}"),
            3 => format!("\\u{code:04x}"),
            4 => format!("\\x{code:02x}"),
            5 => format!("&#{code};"),
            6 => format!("&#x{code:X};"),
            7 if !c.is_ascii_alphanumeric() => format!("\\{c}"),
            8 if !c.is_ascii_alphanumeric() => format!("\\\\\\{c}"),
            9 if c == '&' => "&amp;".to_owned(),
            10 if c == '<' => "&lt;".to_owned(),
            11 => format!("\\\\u{code:04X}"),
            12 => format!("={code:02X}"),
            13 => format!("\\{code:03o}"),
            _ => c.to_string(),
        }
    }

    fn in_lines(text: &str, width: usize, end: &str) -> String {
        let lines: Vec<&str> = text.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
        lines.join(end)
    }

    proptest! {
        /// A secret with a `%` in it stood in answers that had percent-encoded it: the `%` was taken for the first
        /// character of the encoding and for nothing else.
        #[test]
        fn every_encoding_of_every_secret_is_found(
            secret in "[!-~]{8,40}",
            ways in proptest::collection::vec(0_u8..15, 40),
            one in 0_u8..15,
        ) {
            let secrets = Secrets::new([("key", secret.as_str())]).unwrap();
            let mixed: String = secret.chars().zip(&ways).map(|(c, way)| written(c, *way)).collect();
            let alike: String = secret.chars().map(|c| written(c, one)).collect();
            let json = serde_json::to_string(&secret).unwrap();
            let twice = serde_json::to_string(&json).unwrap();
            for form in [mixed, alike] {
                let shown = blank_text(format!("a {form} b"), &secrets);
                prop_assert_eq!(shown, format!("a {} b", "*".repeat(form.len())), "{}", form);
            }
            for form in [json, twice] {
                let shown = blank_text(form.clone(), &secrets);
                let left: String = shown.chars().filter(|c| *c != '*').collect();
                prop_assert!(left.chars().all(|c| matches!(c, '"' | '\\')), "{} became {}", form, shown);
            }
        }

        #[test]
        fn base64_and_hexadecimal_are_found_over_lines_too(
            secret in "[!-~]{8,60}",
            before in "[ -~]{0,7}",
            after in "[ -~]{0,7}",
            width in 5_usize..80,
        ) {
            let secrets = Secrets::new([("key", secret.as_str())]).unwrap();
            let whole = format!("{before}{secret}{after}");
            let hex: String = secret.bytes().map(|b| format!("{b:02X}")).collect();
            for end in ["\r\n", "\n", "\r\n\t "] {
                for encoded in [STANDARD.encode(&whole), URL_SAFE.encode(&whole)] {
                    let lines = in_lines(&encoded, width, end);
                    let shown = blank_text(lines.clone(), &secrets);
                    prop_assert!(!decoded(&lines, &shown).contains(&secret), "{} became {}", encoded, shown);
                }
                let shown = blank_text(in_lines(&hex, width, end), &secrets);
                prop_assert!(shown.chars().all(|c| c == '*'), "{} became {}", hex, shown);
            }
        }
    }

    #[test]
    fn a_secret_with_a_percent_sign_a_quotation_mark_or_a_backslash_is_found_when_encoded() {
        let secrets = Secrets::new([("key", "ab%cd\"ef\\gh&ij")]).unwrap();
        for form in [
            "ab%25cd%22ef%5Cgh%26ij",
            "ab%cd\\\"ef\\\\gh&ij",
            "ab%cd&quot;ef\\gh&amp;ij",
            "ab%2525cd%2522ef%255Cgh%2526ij",
            "ab%cd\"ef\\gh&ij",
        ] {
            let shown = blank_text(format!("<{form}>"), &secrets);
            assert_eq!(shown, format!("<{}>", "*".repeat(form.len())), "{form}");
        }
    }

    /// The two characters `\n` of a secret were taken for the end of a line in it, and for nothing else.
    #[test]
    fn a_secret_that_looks_like_it_had_a_line_end_is_found() {
        for value in ["key\\nkey\\r", "key%0Akey", "\\n\\n\\n\\n", "a=%0D%0Ab"] {
            let secrets = Secrets::new([("key", value)]).unwrap();
            let shown = blank_text(format!("a {value} b"), &secrets);
            assert_eq!(shown, format!("a {} b", "*".repeat(value.len())), "{value}");
        }
    }

    /// To follow every line end to the end of them all would be quadratic in an answer that a server makes.
    #[test]
    fn an_answer_of_line_ends_is_searched_in_no_time() {
        let most = crate::limits::Limits::default().http_response_bytes;
        let mut bytes = b"s\r\n\\n%0A".repeat(most / 9);
        bytes.extend(vec![b'\n'; most / 2]);
        assert!(!blank(&mut bytes, &secrets()));
        let mut folded = format!("{}\r\n{}{}", &SECRET[..9], " ".repeat(20), &SECRET[9..]).into_bytes();
        assert!(blank(&mut folded, &secrets()) && folded.iter().all(|byte| *byte == b'*'));
    }

    #[test]
    fn a_value_is_blanked_in_all_of_its_texts() {
        let value = (vec![("plain".to_owned(), SECRET.to_owned())], Some(format!("a {SECRET} b")), 7_u64);
        let blanked = blank_value(value.clone(), &secrets()).unwrap();
        let stars = "*".repeat(SECRET.len());
        assert_eq!(blanked, (vec![("plain".to_owned(), stars.clone())], Some(format!("a {stars} b")), 7));
        assert_eq!(blank_value(value.clone(), &Secrets::default()).unwrap(), value);
    }

    #[test]
    fn text_without_a_secret_is_left_alone() {
        let text = "sk_test_51 and %2 and \\ and %zz and 漢字";
        assert_eq!(blanked(text), text);
        let mut empty = Vec::new();
        assert!(!blank(&mut empty, &secrets()));
        assert_eq!(blank_text(format!("漢{SECRET}字"), &secrets()), format!("漢{}字", "*".repeat(SECRET.len())));
    }
}
