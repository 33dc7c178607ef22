//! "Did you mean …?": the nearest known word to what somebody wrote.
//!
//! Only ever makes hints; nothing is accepted because it is near to something.

use crate::limits::SUGGESTION_CHARS_MAX;

/// The nearest of `known` to `text`, if one is near enough to be meant.
pub fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if text.chars().count() > SUGGESTION_CHARS_MAX {
        return None;
    }
    let wanted = folded(text);
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let distance = strsim::damerau_levenshtein(&wanted, &folded(candidate));
        if distance <= tolerance(&wanted) && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The hint for an unknown word among a few known ones: the nearest, else all of them.
pub fn did_you_mean(text: &str, known: &[&str]) -> String {
    match nearest(text, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use {}", listed(known)),
    }
}

/// Words in backticks: `` `a`, `b` or `c` ``.
pub(crate) fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|word| format!("`{word}`")).collect();
            format!("{} or `{last}`", first.join(", "))
        }
    }
}

/// `renewal_day`, `renewal-day` and `RenewalDay` are all meant as `renewalDay`.
fn folded(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

fn tolerance(wanted: &str) -> usize {
    match wanted.chars().count() {
        0 => 0,
        1..=3 => 1,
        4..=7 => 2,
        _ => 3,
    }
}
