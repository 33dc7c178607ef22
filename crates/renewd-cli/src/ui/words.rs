//! Counts and sums in words.

use renewd_core::money::Money;
use renewd_engine::view::Totals;
use std::collections::BTreeMap;

/// `1 resource`, `17 resources`, `1,020 resources`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{} {}", grouped(number), plural(number, noun))
}

/// The noun alone, as that many take it.
pub(crate) fn plural(number: usize, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => noun.to_owned(),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        (_, _) => format!("{noun}s"),
    }
}

/// A number with thousands separators.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digits.len().saturating_sub(index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How often: `never`, `once`, `7 times`.
pub(crate) fn times(number: u32) -> String {
    match number {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        _ => format!("{number} times"),
    }
}

/// Sums of several currencies: `1,020.00 USD + 35,000 JPY`; none without any.
pub(crate) fn sums(totals: &Totals) -> Option<String> {
    let sums: Vec<String> = totals.values().map(ToString::to_string).collect();
    if sums.is_empty() { None } else { Some(sums.join(" + ")) }
}

/// Sums, or `nothing`.
pub(crate) fn sums_or_nothing(totals: &Totals) -> String {
    let any = totals.values().any(|total| !total.is_zero());
    sums(totals).filter(|_| any).unwrap_or_else(|| "nothing".to_owned())
}

/// An amount, or a dash.
pub(crate) fn money(amount: Option<Money>) -> String {
    amount.map_or_else(|| "-".to_owned(), |amount| amount.to_string())
}

/// `12 renewed, 1 held`, without what there is none of.
pub(crate) fn counts(counts: &BTreeMap<String, usize>) -> String {
    let parts: Vec<String> =
        counts.iter().filter(|(_, n)| **n > 0).map(|(word, n)| format!("{} {word}", grouped(*n))).collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

/// A text, or a dash for an empty one.
pub(crate) fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_follow_their_number() {
        assert_eq!(count(1, "resource"), "1 resource");
        assert_eq!(count(1020, "policy"), "1,020 policies");
        assert_eq!(count(0, "day"), "0 days");
    }
}
