//! What one character of a secret can look like in an answer: all readings of the start of some bytes.

/// Most backslashes in a row that are one escape: JSON in JSON has three before a quotation mark.
const SLASHES_MAX: usize = 7;
/// Most times that the `%` or `&` of an escape is itself escaped.
const NESTED_MAX: usize = 3;
/// Most line ends and blanks in a row: an answer of nothing but line ends must not be looked at from each of them anew.
const GAPS_MAX: usize = 32;
/// Most digits of a numeric entity; leading zeros are allowed.
const ENTITY_DIGITS_MAX: usize = 8;

/// The entities that have a name and stand for ASCII that a secret may have.
const NAMED: [(&[u8], u8); 5] = [(b"amp", b'&'), (b"lt", b'<'), (b"gt", b'>'), (b"quot", b'"'), (b"apos", b'\'')];

/// Whether a byte can begin an escape.
pub(super) fn starts_escape(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&' | b'=')
}

/// Tells every byte that the start of `rest` can stand for, with the width of it: the byte itself, percent-encoded (also
/// several times), behind backslashes, as `\u002f`, `\u{2f}`, `\x2f` or `\057`, as an entity of HTML, as `=2F` of mail.
pub(super) fn readings(rest: &[u8], mut tell: impl FnMut(u8, usize)) {
    let Some(first) = rest.first() else { return };
    tell(*first, 1);
    match first {
        b'%' => percent(rest, tell),
        b'\\' => slashes(rest, tell),
        b'&' => entity(rest, tell),
        b'=' => {
            if let Some(byte) = hex(rest, 1, 3) {
                tell(byte, 3);
            }
        }
        _ => {}
    }
}

/// Tells every place where a text may go on: right here, and after each line end, plain or escaped, with the blanks that
/// may begin a line. Long encoded texts are broken into lines; but what looks like an escaped line end may be the text.
pub(super) fn continuations(bytes: &[u8], at: usize, mut tell: impl FnMut(usize)) {
    let mut end = at;
    for _ in 0..=GAPS_MAX {
        tell(end);
        let rest = bytes.get(end..).unwrap_or_default();
        let width = match rest {
            [b'\r' | b'\n', ..] => 1,
            [b' ' | b'\t', ..] if end > at => 1,
            [b'=', b'\r' | b'\n', ..] | [b'\\', b'n' | b'r', ..] => 2,
            [b'%', b'0', b'a' | b'A' | b'd' | b'D', ..] => 3,
            _ => return,
        };
        end = end.saturating_add(width);
    }
}

/// `%2F`, `%252F` and so on.
fn percent(rest: &[u8], mut tell: impl FnMut(u8, usize)) {
    let mut at = 1;
    for _ in 0..NESTED_MAX {
        if let Some(byte) = hex(rest, at, at.saturating_add(2)) {
            tell(byte, at.saturating_add(2));
        }
        if rest.get(at..).is_none_or(|rest| !rest.starts_with(b"25")) {
            return;
        }
        at = at.saturating_add(2);
    }
}

/// A character behind backslashes, or its number.
fn slashes(rest: &[u8], mut tell: impl FnMut(u8, usize)) {
    for count in 1..=SLASHES_MAX {
        let Some([byte, after @ ..]) = rest.get(count..) else { return };
        tell(*byte, count.saturating_add(1));
        let number = match byte {
            b'x' => hex(after, 0, 2).map(|byte| (byte, 3)),
            b'u' if after.starts_with(b"00") => hex(after, 2, 4).map(|byte| (byte, 5)),
            b'u' if after.starts_with(b"{") => braced(after),
            b'0' | b'1' => octal(rest, count).map(|byte| (byte, 3)),
            _ => None,
        };
        if let Some((byte, width)) = number {
            tell(byte, count.saturating_add(width));
        }
        if *byte != b'\\' {
            return;
        }
    }
}

/// `&amp;`, `&#47;`, `&#x2F;`, with or without `;`, and the same where the `&` is `&amp;` itself.
fn entity(rest: &[u8], mut tell: impl FnMut(u8, usize)) {
    let mut at = 1;
    for _ in 0..NESTED_MAX {
        let name = rest.get(at..).unwrap_or_default();
        let found = match name {
            [b'#', b'x' | b'X', digits @ ..] => number(digits, 16).map(|(byte, width)| (byte, width.saturating_add(2))),
            [b'#', digits @ ..] => number(digits, 10).map(|(byte, width)| (byte, width.saturating_add(1))),
            _ => NAMED
                .iter()
                .find(|(word, _)| name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
                .map(|(word, byte)| (*byte, word.len())),
        };
        if let Some((byte, width)) = found {
            let end = at.saturating_add(width);
            tell(byte, end);
            if rest.get(end) == Some(&b';') {
                tell(byte, end.saturating_add(1));
            }
        }
        if !name.starts_with(b"amp;") {
            return;
        }
        at = at.saturating_add(4);
    }
}

fn number(digits: &[u8], radix: u32) -> Option<(u8, usize)> {
    let count = digits.iter().take(ENTITY_DIGITS_MAX).take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let text = std::str::from_utf8(digits.get(..count)?).ok()?;
    u8::from_str_radix(text, radix).ok().map(|byte| (byte, count))
}

fn braced(after: &[u8]) -> Option<(u8, usize)> {
    let (byte, width) = number(after.get(1..)?, 16)?;
    (after.get(width.saturating_add(1)) == Some(&b'}')).then_some((byte, width.saturating_add(3)))
}

fn octal(rest: &[u8], from: usize) -> Option<u8> {
    let digits = std::str::from_utf8(rest.get(from..from.saturating_add(3))?).ok()?;
    if digits.bytes().all(|byte| matches!(byte, b'0'..=b'7')) { u8::from_str_radix(digits, 8).ok() } else { None }
}

fn hex(rest: &[u8], from: usize, to: usize) -> Option<u8> {
    let digits = std::str::from_utf8(rest.get(from..to)?).ok()?;
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) { u8::from_str_radix(digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(char, usize)> {
        let mut found = Vec::new();
        readings(text.as_bytes(), |byte, width| found.push((char::from(byte), width)));
        found
    }

    #[test]
    fn every_reading_is_told() {
        for (text, wanted) in [
            ("a", vec![('a', 1)]),
            ("%2F", vec![('%', 1), ('/', 3)]),
            ("%252F", vec![('%', 1), ('%', 3), ('/', 5)]),
            ("%25252f", vec![('%', 1), ('%', 3), ('%', 5), ('/', 7)]),
            ("%zz", vec![('%', 1)]),
            ("\\/", vec![('\\', 1), ('/', 2)]),
            ("\\\\", vec![('\\', 1), ('\\', 2)]),
            ("\\\\/", vec![('\\', 1), ('\\', 2), ('/', 3)]),
            ("\\u002f", vec![('\\', 1), ('u', 2), ('/', 6)]),
            ("\\\\u002F", vec![('\\', 1), ('\\', 2), ('u', 3), ('/', 7)]),
            ("\\u{2f}", vec![('\\', 1), ('u', 2), ('/', 6)]),
            ("\\x2f", vec![('\\', 1), ('x', 2), ('/', 4)]),
            ("\\057", vec![('\\', 1), ('0', 2), ('/', 4)]),
            ("&amp;", vec![('&', 1), ('&', 4), ('&', 5)]),
            ("&#x2F;", vec![('&', 1), ('/', 5), ('/', 6)]),
            ("&#047 ", vec![('&', 1), ('/', 5)]),
            ("&amp;#47;", vec![('&', 1), ('&', 4), ('&', 5), ('/', 8), ('/', 9)]),
            ("&QUOT;", vec![('&', 1), ('"', 5), ('"', 6)]),
            ("=2F", vec![('=', 1), ('/', 3)]),
            ("", vec![]),
        ] {
            assert_eq!(all(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_text_goes_on_here_or_after_line_ends_and_the_blanks_after_them() {
        for (text, wanted) in [
            ("a", vec![0]),
            (" a", vec![0]),
            ("\r\na", vec![0, 1, 2]),
            ("\n \ta", vec![0, 1, 2, 3]),
            ("\\r\\na", vec![0, 2, 4]),
            ("=\r\na", vec![0, 2, 3]),
            ("%0D%0aa", vec![0, 3, 6]),
            ("\n", vec![0, 1]),
        ] {
            let mut places = Vec::new();
            continuations(text.as_bytes(), 0, |place| places.push(place));
            assert_eq!(places, wanted, "{text:?}");
        }
    }
}
