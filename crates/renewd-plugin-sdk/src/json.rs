//! A small JSON reader for configurations. A general one would more than double the size of a plugin.
//!
//! Bounded in depth, because a guest has 64 KiB of stack. Numbers stay texts: there are no floats.

use std::fmt;

/// Deepest accepted nesting.
const DEPTH_MAX: u32 = 32;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// An object, in its order, no key twice.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// The text of a text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// The entries of a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(entries) => Some(entries),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Object(_) => None,
        }
    }

    /// A whole number that fits.
    pub fn as_whole(&self) -> Option<u32> {
        match self {
            Self::Number(number) if number.bytes().all(|b| b.is_ascii_digit()) => number.parse().ok(),
            Self::Number(_) | Self::Null | Self::Bool(_) | Self::Text(_) | Self::List(_) | Self::Object(_) => None,
        }
    }
}

/// For messages: scalars as written, lists and objects by their kind.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
            Self::Number(text) | Self::Text(text) => text,
            Self::List(_) => "[…]",
            Self::Object(_) => "{…}",
        })
    }
}

/// Reads a whole text; `None` when it is not JSON, too deep, or has a key twice.
pub fn parse(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text };
    let value = reader.value(DEPTH_MAX)?;
    reader.skip_space();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn value(&mut self, depth: u32) -> Option<Value> {
        let deeper = depth.checked_sub(1)?;
        self.skip_space();
        match self.rest.bytes().next()? {
            b'{' => self.object(deeper),
            b'[' => self.list(deeper),
            b'"' => self.text().map(Value::Text),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: u32) -> Option<Value> {
        let mut pairs: Vec<(String, Value)> = Vec::new();
        self.take('{')?;
        if self.take('}').is_some() {
            return Some(Value::Object(pairs));
        }
        loop {
            self.skip_space();
            let key = self.text()?;
            self.take(':')?;
            let value = self.value(depth)?;
            if pairs.iter().any(|(known, _)| *known == key) {
                return None;
            }
            pairs.push((key, value));
            if self.take(',').is_none() {
                self.take('}')?;
                return Some(Value::Object(pairs));
            }
        }
    }

    fn list(&mut self, depth: u32) -> Option<Value> {
        let mut entries = Vec::new();
        self.take('[')?;
        if self.take(']').is_some() {
            return Some(Value::List(entries));
        }
        loop {
            entries.push(self.value(depth)?);
            if self.take(',').is_none() {
                self.take(']')?;
                return Some(Value::List(entries));
            }
        }
    }

    fn text(&mut self) -> Option<String> {
        self.rest = self.rest.strip_prefix('"')?;
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return Some(text),
                '\\' => text.push(self.escape()?),
                c if c < ' ' => return None,
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        match self.next()? {
            c @ ('"' | '\\' | '/') => Some(c),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' => self.unicode(),
            _ => None,
        }
    }

    fn unicode(&mut self) -> Option<char> {
        let first = self.hexadecimal()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        self.rest = self.rest.strip_prefix("\\u")?;
        let second = self.hexadecimal()?;
        let low = (0xdc00..0xe000).contains(&second).then_some(second & 0x3ff)?;
        char::from_u32(0x1_0000 + ((first & 0x3ff) << 10 | low))
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let (digits, rest) = self.rest.split_at_checked(4)?;
        self.rest = rest;
        let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
        plain.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    }

    fn number(&mut self) -> Option<Value> {
        let end =
            self.rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        is_number(number).then(|| Value::Number(number.to_owned()))
    }

    fn word(&mut self, word: &str, value: Value) -> Option<Value> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(value)
    }

    /// Takes `mark` after any space.
    fn take(&mut self, mark: char) -> Option<()> {
        self.skip_space();
        self.rest = self.rest.strip_prefix(mark)?;
        Some(())
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next()?;
        self.rest = characters.as_str();
        Some(character)
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }
}

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`
fn is_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) =
        text.split_once(['e', 'E']).map_or((text, None), |(mantissa, exponent)| (mantissa, Some(exponent)));
    let (whole, decimals) =
        mantissa.split_once('.').map_or((mantissa, None), |(whole, decimals)| (whole, Some(decimals)));
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    digits(whole) && !leading_zero && decimals.is_none_or(digits) && exponent.is_none_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        let text = r#" { "a" : [1, -2.5e3, true, null], "b\u00e9\ud83d\ude00\n" : "x" , "c":{} } "#;
        let number = |text: &str| Value::Number(text.to_owned());
        let list = Value::List(vec![number("1"), number("-2.5e3"), Value::Bool(true), Value::Null]);
        let wanted = vec![
            ("a".to_owned(), list),
            ("bé😀\n".to_owned(), Value::Text("x".to_owned())),
            ("c".to_owned(), Value::Object(vec![])),
        ];
        assert_eq!(parse(text), Some(Value::Object(wanted)));
        assert_eq!(parse("0"), Some(number("0")));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let bad = [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "01",
            "+1",
            "1.",
            ".5",
            "1e",
            "--1",
            "nul",
            "\"a",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\u12\"",
            "\"\n\"",
            "1 2",
            "[1 2]",
            "{\"a\":1,\"a\":2}",
            "{a:1}",
            "'a'",
            "\"\\u+123\"",
        ];
        for text in bad {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(32)).is_some());
        assert!(parse(&nested(33)).is_none());
        assert!(parse(&"[".repeat(1_000_000)).is_none());
    }
}
