//! Secrets in answers: every form in which a server could echo one is overwritten with `*` before a guest, a log or a
//! recording sees it.
//!
//! Looked for: the value itself, in any letter case; any of its characters percent-encoded, as `\u0041`, or behind a
//! backslash; hexadecimal; base64 in both alphabets at each of the three alignments. Lengths never change, so that no
//! answer grows and none is torn. An answer that a server compressed or transformed otherwise cannot be searched, which
//! is why no compressed answer is accepted.

use super::secret::Secrets;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// What stands where a secret was.
const BLANK: u8 = b'*';

/// Overwrites every secret in some bytes; answers whether there was one.
pub(crate) fn blank(bytes: &mut [u8], secrets: &Secrets) -> bool {
    let mut spans = Vec::new();
    for value in secrets.values() {
        escaped_spans(bytes, value.as_bytes(), &mut spans);
        for form in forms(value.as_bytes()) {
            exact_spans(bytes, &form, &mut spans);
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

fn exact_spans(bytes: &[u8], form: &[u8], spans: &mut Vec<Span>) {
    let Some(first) = form.first() else { return };
    for (start, byte) in bytes.iter().enumerate() {
        if !byte.eq_ignore_ascii_case(first) {
            continue;
        }
        if let Some(end) = escaped_end(bytes, start, form) {
            spans.push((start, end));
        }
    }
}

fn escaped_spans(bytes: &[u8], value: &[u8], spans: &mut Vec<Span>) {
    for (start, byte) in bytes.iter().enumerate() {
        let literal = value.first().is_some_and(|first| first.eq_ignore_ascii_case(byte));
        let may_start = literal || matches!(byte, b'%' | b'\\');
        if may_start && let Some(end) = escaped_end(bytes, start, value) {
            spans.push((start, end));
        }
    }
}

/// Where the wanted bytes end, when they start at `start` with any of them escaped.
fn escaped_end(bytes: &[u8], start: usize, wanted: &[u8]) -> Option<usize> {
    let mut at = start;
    for want in wanted {
        let rest = bytes.get(at..)?;
        let same = |byte: u8| byte.eq_ignore_ascii_case(want);
        let literal = rest.first().is_some_and(|byte| same(*byte));
        let width = if literal {
            1
        } else {
            escapes(rest).into_iter().flatten().find(|(byte, _)| same(*byte)).map(|(_, width)| width)?
        };
        at += width;
    }
    Some(at)
}

/// What the start of some bytes could be an escape for, with the width of it.
fn escapes(rest: &[u8]) -> [Option<(u8, usize)>; 4] {
    let hex = |from: usize, to: usize| -> Option<u8> {
        let digits = std::str::from_utf8(rest.get(from..to)?).ok()?;
        if digits.bytes().all(|b| b.is_ascii_hexdigit()) { u8::from_str_radix(digits, 16).ok() } else { None }
    };
    let percent = rest.starts_with(b"%").then(|| hex(1, 3)).flatten().map(|byte| (byte, 3));
    let double = rest.starts_with(b"%25").then(|| hex(3, 5)).flatten().map(|byte| (byte, 5));
    let unicode = rest.starts_with(b"\\u00").then(|| hex(4, 6)).flatten().map(|byte| (byte, 6));
    let slashed = match rest {
        [b'\\', byte, ..] => Some((*byte, 2)),
        _ => None,
    };
    [double, percent, unicode, slashed]
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

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
                    let left: String = shown.replace('*', "");
                    assert!(!encoded.contains(&left) || left.len() <= around);
                }
            }
        }
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
