//! A plugin's configuration: a JSON text becomes values, or findings that say where and what, all at once.

use crate::exact::Exact;
use crate::json::{self, Value};
use crate::types::{Finding, Severity};

/// Collects what is wrong with a configuration.
#[derive(Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Adds an error at a JSON Pointer.
    #[inline(never)]
    pub fn error(&mut self, pointer: &str, code: &str, message: String, hint: &str) {
        self.0.push(Finding {
            severity: Severity::Error,
            pointer: pointer.to_owned(),
            code: code.to_owned(),
            message,
            hint: Some(hint.to_owned()),
        });
    }

    /// Everything collected.
    pub fn into_vec(self) -> Vec<Finding> {
        self.0
    }

    /// Whether nothing was collected.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[inline(never)]
    fn wrong(&mut self, pointer: &str, value: &Value, wanted: &str) {
        let shown: String = value.to_string().chars().take(60).collect();
        self.error(pointer, "bad-value", format!("`{shown}` is not {wanted}"), &format!("write {wanted}"));
    }
}

/// An amount of money in a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// The number.
    pub value: Exact,
    /// The currency's code.
    pub currency: String,
}

/// One object of the configuration, with its place.
pub struct Object<'a> {
    pointer: String,
    pairs: &'a [(String, Value)],
}

/// Parses the text and checks that it is an object.
pub fn parse(text: &str, findings: &mut Findings) -> Option<Value> {
    match json::parse(text) {
        Some(value @ Value::Object(_)) => Some(value),
        Some(value) => {
            findings.wrong("", &value, "an object of settings");
            None
        }
        None => {
            findings.error(
                "",
                "bad-json",
                "the configuration is not JSON, or has a key twice".to_owned(),
                "write an object of settings",
            );
            None
        }
    }
}

impl<'a> Object<'a> {
    /// The object at `pointer`, all of whose keys must be `known`; anything else becomes a finding.
    pub fn new(value: &'a Value, pointer: &str, known: &[&str], findings: &mut Findings) -> Option<Self> {
        let Value::Object(pairs) = value else {
            findings.wrong(pointer, value, "an object of settings");
            return None;
        };
        for (key, _) in pairs.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            let hint = format!("the known settings here are {}", listed(known));
            findings.error(&join(pointer, key), "unknown-key", format!("`{key}` is not a known setting"), &hint);
        }
        Some(Self { pointer: pointer.to_owned(), pairs })
    }

    /// Where this object is.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Whether the key is given.
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// A percentage such as `5%`, above 0 and at most 100, as a share of one.
    pub fn percent(&self, key: &str, findings: &mut Findings) -> Option<Exact> {
        self.read(key, "a percentage above 0% and up to 100%, such as `5%`", findings, percent)
    }

    /// An amount such as `10.00 USD`, not below zero.
    pub fn amount(&self, key: &str, findings: &mut Findings) -> Option<Amount> {
        self.read(key, "an amount of money such as `10.00 USD`", findings, amount)
    }

    /// A date such as `2026-11-30`, as its text.
    pub fn date(&self, key: &str, findings: &mut Findings) -> Option<&'a str> {
        self.read(key, "a date such as `2026-11-30`", findings, |value| {
            let text = value.as_text()?;
            crate::date::parse(text).map(|_| text)
        })
    }

    /// A whole number between `least` and `most`.
    pub fn whole(&self, key: &str, least: u32, most: u32, findings: &mut Findings) -> Option<u32> {
        let wanted = format!("a whole number from {least} to {most}");
        self.read(key, &wanted, findings, |value| {
            let number = value.as_whole()?;
            (least..=most).contains(&number).then_some(number)
        })
    }

    /// A text, not empty.
    pub fn text(&self, key: &str, findings: &mut Findings) -> Option<&'a str> {
        self.read(key, "a text", findings, |value| value.as_text().filter(|text| !text.is_empty()))
    }

    /// A list of texts.
    pub fn texts(&self, key: &str, findings: &mut Findings) -> Option<Vec<&'a str>> {
        self.read(key, "a list of texts", findings, |value| value.as_list()?.iter().map(Value::as_text).collect())
    }

    /// A list, each entry with its pointer; empty when the key is missing.
    pub fn list(&self, key: &str, findings: &mut Findings) -> Vec<(String, &'a Value)> {
        let entries = self.read(key, "a list", findings, Value::as_list);
        let place = join(&self.pointer, key);
        entries.into_iter().flatten().enumerate().map(|(index, value)| (format!("{place}/{index}"), value)).collect()
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        self.pairs.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    fn read<T>(
        &self,
        key: &str,
        wanted: &str,
        findings: &mut Findings,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(key)?;
        let read = read(value);
        if read.is_none() {
            findings.wrong(&join(&self.pointer, key), value, wanted);
        }
        read
    }
}

fn percent(value: &Value) -> Option<Exact> {
    let number = Exact::parse(value.as_text()?.strip_suffix('%')?)?;
    let share = number.over(Exact::whole(100))?;
    let fits = !share.is_zero() && !share.is_negative() && !Exact::whole(1).minus(share)?.is_negative();
    fits.then_some(share)
}

fn amount(value: &Value) -> Option<Amount> {
    let (number, currency) = value.as_text()?.split_once(' ')?;
    let value = Exact::parse(number)?;
    let code = currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase());
    (code && !value.is_negative()).then(|| Amount { value, currency: currency.to_owned() })
}

/// A JSON Pointer one step further in.
fn join(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_findings_come_at_once_with_their_places() {
        let mut findings = Findings::default();
        let value = parse(r#"{"discount": 5, "a/b": 1, "netDays": 900}"#, &mut findings).unwrap();
        let object = Object::new(&value, "", &["discount", "netDays"], &mut findings).unwrap();
        assert_eq!(object.percent("discount", &mut findings), None);
        assert_eq!(object.whole("netDays", 0, 365, &mut findings), None);
        let places: Vec<_> = findings.into_vec().into_iter().map(|finding| (finding.pointer, finding.code)).collect();
        let wanted = [("/a~1b", "unknown-key"), ("/discount", "bad-value"), ("/netDays", "bad-value")];
        assert_eq!(places, wanted.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
    }

    #[test]
    fn percentages_are_shares() {
        let read = |text: &str| percent(&Value::Text(text.to_owned()));
        assert_eq!(read("12.5%"), Exact::fraction(1, 8));
        assert_eq!(read("100%"), Some(Exact::whole(1)));
        for bad in ["0%", "-1%", "101%", "5", "5 %", "%"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
