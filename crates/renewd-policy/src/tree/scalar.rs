//! What a scalar means, and which plain scalars mean different things to different YAML readers.
//!
//! INVARIANT (readers): a plain scalar that is not [`Plain::Ambiguous`] is read alike by this module and by
//! serde_yaml. Versions of YAML differ about `yes`, `012`, `03:00` and many more; all of those are findings, so
//! nobody has to know which version is read here.

use super::Scalar;
use crate::finding::{Code, Problem, quoted};

/// What a plain scalar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// Nothing: no text or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number in plain decimal digits.
    Integer,
    /// A number with a decimal point in plain decimal digits.
    Decimal,
    /// Text.
    Text,
    /// Read differently by different readers.
    Ambiguous,
}

/// Words that some version of YAML reads as a boolean or null.
const AMBIGUOUS_WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

impl Scalar {
    /// Whether it is null: nothing at all, or `null`, or `~`.
    pub fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "null" | "~" | "Null" | "NULL")
    }

    /// What it is; quoted and block scalars are text.
    pub fn reading(&self) -> Plain {
        if self.plain { read_plain(&self.text) } else { Plain::Text }
    }

    /// The problem with a scalar that readers read differently.
    pub fn ambiguity(&self) -> Option<Problem> {
        (self.reading() == Plain::Ambiguous).then(|| ambiguous(&self.text))
    }
}

/// The problem of an ambiguous plain scalar.
fn ambiguous(text: &str) -> Problem {
    let message = format!("{} without quotes is read differently by different YAML readers", quoted(text));
    let hint = match text {
        "~" | "Null" | "NULL" => "write `null`, or quote it if it is text".to_owned(),
        _ => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" => format!("quote it if it is text: `\"{text}\"`; for a switch write `true`"),
            "false" | "no" | "off" | "n" => format!("quote it if it is text: `\"{text}\"`; for a switch write `false`"),
            _ => format!("quote it: `\"{}\"`", quoted(text).trim_matches('`')),
        },
    };
    Problem::new(Code::AmbiguousScalar, message).hint(hint)
}

/// What a plain scalar is.
pub fn read_plain(text: &str) -> Plain {
    match text {
        "" | "null" => return Plain::Null,
        "true" => return Plain::Bool(true),
        "false" => return Plain::Bool(false),
        "~" | "=" | "<<" => return Plain::Ambiguous,
        _ => {}
    }
    if AMBIGUOUS_WORDS.iter().any(|word| word.eq_ignore_ascii_case(text)) {
        return Plain::Ambiguous;
    }
    read_number(text)
}

/// Tells plain decimal numbers from what only some readers take for a number.
fn read_number(text: &str) -> Plain {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Plain::Text;
    }
    let (whole, decimals) = unsigned.split_once('.').map_or((unsigned, None), |(w, d)| (w, Some(d)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = digits(whole) && (whole == "0" || !whole.starts_with('0')) && !text.starts_with('+');
    match decimals {
        None if canonical && text != "-0" => Plain::Integer,
        Some(decimals) if canonical && digits(decimals) => Plain::Decimal,
        None | Some(_) if looks_numeric(unsigned) => Plain::Ambiguous,
        None | Some(_) => Plain::Text,
    }
}

/// Whether some reader of YAML could take this for a number: other bases, underscores, base 60, exponents.
fn looks_numeric(unsigned: &str) -> bool {
    let lower = unsigned.to_ascii_lowercase();
    if matches!(lower.as_str(), ".inf" | ".nan" | ".infinity") {
        return true;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(rest) = lower.strip_prefix(prefix) {
            return !rest.is_empty() && rest.chars().all(|c| c == '_' || c.is_digit(radix));
        }
    }
    let known = |c: char| c.is_ascii_digit() || matches!(c, '_' | ':' | '.' | 'e' | '+' | '-');
    let has_digit = lower.bytes().any(|byte| byte.is_ascii_digit());
    has_digit && lower.chars().all(known) && !looks_like_date(&lower)
}

/// Dates are text to both readers used here, so `2027-01-01` needs no quotes.
fn looks_like_date(text: &str) -> bool {
    let mut signs = text.chars().filter(|c| matches!(c, '-' | '+'));
    signs.next().is_some() && !text.contains(['e', '_', ':']) && !text.contains("+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_are_told_apart() {
        use Plain::{Ambiguous, Bool, Decimal, Integer, Null, Text};
        for (text, expected) in [
            ("", Null),
            ("null", Null),
            ("~", Ambiguous),
            ("NULL", Ambiguous),
            ("true", Bool(true)),
            ("True", Ambiguous),
            ("yes", Ambiguous),
            ("No", Ambiguous),
            ("on", Ambiguous),
            ("0", Integer),
            ("15", Integer),
            ("-15", Integer),
            ("-0", Ambiguous),
            ("+15", Ambiguous),
            ("012", Ambiguous),
            ("08", Ambiguous),
            ("0o14", Ambiguous),
            ("0x1F", Ambiguous),
            ("0b11", Ambiguous),
            ("1_000", Ambiguous),
            ("20.50", Decimal),
            ("0.5", Decimal),
            (".5", Ambiguous),
            ("5.", Ambiguous),
            ("1e3", Ambiguous),
            ("1.5e-3", Ambiguous),
            (".inf", Ambiguous),
            (".nan", Ambiguous),
            ("03:00", Ambiguous),
            ("1:20:30", Ambiguous),
            ("2027-01-01", Text),
            ("2027-01-01T00:00:00Z", Text),
            ("20000 USD", Text),
            ("5%", Text),
            ("7d", Text),
            ("64MiB", Text),
            ("P1M", Text),
            ("1.2.3.4", Ambiguous),
            ("=", Ambiguous),
            ("<<", Ambiguous),
            ("-", Text),
            ("Asia/Shanghai", Text),
            ("ap-*", Text),
        ] {
            assert_eq!(read_plain(text), expected, "{text}");
        }
    }
}
