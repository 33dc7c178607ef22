//! Selecting resources: keys are and-ed, values or-ed, `*` spans any characters.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A text in which `*` stands for any characters, also none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// Makes a pattern of any text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text of the pattern.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern has a `*`.
    pub fn is_glob(&self) -> bool {
        self.0.contains('*')
    }

    /// Whether some text matches both patterns.
    pub fn meets(&self, other: &Self) -> bool {
        let (left, right): (Vec<char>, Vec<char>) = (self.0.chars().collect(), other.0.chars().collect());
        // reachable[j]: the patterns read so far, of `left` up to the row and of `right` up to j, can match one text.
        let mut reachable = vec![false; right.len().saturating_add(1)];
        for row in 0..=left.len() {
            let mut diagonal = false;
            for column in 0..=right.len() {
                let above = row > 0 && reachable.get(column).copied().unwrap_or(false);
                let l = row.checked_sub(1).and_then(|index| left.get(index));
                let r = column.checked_sub(1).and_then(|index| right.get(index));
                let before = column.checked_sub(1).and_then(|index| reachable.get(index)).copied().unwrap_or(false);
                let start = row == 0 && column == 0;
                let here = start
                    || (l == Some(&'*') && (above || before))
                    || (r == Some(&'*') && (before || above))
                    || (diagonal && l.is_some() && l == r);
                diagonal = above;
                if let Some(cell) = reachable.get_mut(column) {
                    *cell = here;
                }
            }
        }
        reachable.last().copied().unwrap_or(false)
    }

    /// Whether a text matches, in time linear in pattern × text (no backtracking explosion).
    pub fn matches(&self, text: &str) -> bool {
        let Some((head, rest)) = self.0.split_once('*') else {
            return self.0 == text;
        };
        let Some(mut left) = text.strip_prefix(head) else {
            return false;
        };
        let mut pieces = rest.split('*').peekable();
        while let Some(piece) = pieces.next() {
            if pieces.peek().is_none() {
                return left.ends_with(piece);
            }
            let Some((_, after)) = left.split_once(piece) else {
                return false;
            };
            left = after;
        }
        true
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Which resources a policy or request is for. Empty lists do not restrict; `match: {}` is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Matcher {
    /// Resource ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<Pattern>,
    /// Account names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<Pattern>,
    /// Kinds of resource.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<Pattern>,
    /// Skus.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skus: Vec<Pattern>,
    /// Regions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<Pattern>,
    /// Labels: each key must be present with one of its values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Vec<Pattern>>,
    /// What is left out again, by the same rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude: Option<Box<Matcher>>,
}

/// The fields of a resource that a matcher looks at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The resource's id.
    pub id: &'a str,
    /// Its account's name.
    pub account: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// Its sku.
    pub sku: &'a str,
    /// Its region, empty where it has none.
    pub region: &'a str,
    /// Its labels.
    pub labels: &'a BTreeMap<String, String>,
}

impl Matcher {
    /// Whether a resource is selected.
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        let one_of = |patterns: &[Pattern], text: &str| patterns.is_empty() || patterns.iter().any(|p| p.matches(text));
        one_of(&self.ids, subject.id)
            && one_of(&self.accounts, subject.account)
            && one_of(&self.kinds, subject.kind)
            && one_of(&self.skus, subject.sku)
            && one_of(&self.regions, subject.region)
            && self.labels.iter().all(|(key, values)| subject.labels.get(key).is_some_and(|text| one_of(values, text)))
            && !self.exclude.as_ref().is_some_and(|exclude| exclude.matches(subject))
    }

    /// Whether some resource could match both. What is left out is only looked at where it is plain: a matcher that
    /// leaves out, by one key, everything that the other selects.
    pub fn may_overlap(&self, other: &Self) -> bool {
        let meet = |left: &[Pattern], right: &[Pattern]| {
            left.is_empty() || right.is_empty() || left.iter().any(|l| right.iter().any(|r| l.meets(r)))
        };
        let labels_meet =
            self.labels.iter().all(|(key, values)| other.labels.get(key).is_none_or(|others| meet(values, others)));
        meet(&self.ids, &other.ids)
            && meet(&self.accounts, &other.accounts)
            && meet(&self.kinds, &other.kinds)
            && meet(&self.skus, &other.skus)
            && meet(&self.regions, &other.regions)
            && labels_meet
            && !self.leaves_out(other)
            && !other.leaves_out(self)
    }

    fn leaves_out(&self, other: &Self) -> bool {
        let Some(exclude) = &self.exclude else { return false };
        let covers = |outer: &[Pattern], inner: &[Pattern]| {
            outer.is_empty()
                || !inner.is_empty()
                    && inner.iter().all(|text| outer.iter().any(|pattern| pattern.matches(text.as_str())))
        };
        covers(&exclude.ids, &other.ids)
            && covers(&exclude.accounts, &other.accounts)
            && covers(&exclude.kinds, &other.kinds)
            && covers(&exclude.skus, &other.skus)
            && covers(&exclude.regions, &other.regions)
            && exclude.labels.iter().all(|(key, values)| other.labels.get(key).is_some_and(|o| covers(values, o)))
    }

    /// Whether the matcher restricts nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_meet_where_one_text_matches_both() {
        for (left, right, expected) in [
            ("a", "a", true),
            ("a", "b", false),
            ("a*", "*b", true),
            ("a*", "b*", false),
            ("*", "", true),
            ("ap-*", "ap-southeast-1", true),
            ("ap-*-1", "*-2", false),
            ("a*c*e", "ab*de", true),
            ("x*y", "xy", true),
            ("", "a*", false),
        ] {
            assert_eq!(Pattern::new(left).meets(&Pattern::new(right)), expected, "{left} and {right}");
            assert_eq!(Pattern::new(right).meets(&Pattern::new(left)), expected, "{right} and {left}");
        }
    }

    #[test]
    fn matchers_overlap_unless_a_key_keeps_them_apart() {
        let by_kind = |kind: &str| Matcher { kinds: vec![Pattern::new(kind)], ..Matcher::default() };
        let labelled = |value: &str| Matcher {
            labels: BTreeMap::from([("env".to_owned(), vec![Pattern::new(value)])]),
            ..Matcher::default()
        };
        assert!(Matcher::default().may_overlap(&by_kind("vm")));
        assert!(by_kind("vm").may_overlap(&labelled("prod")));
        assert!(!by_kind("vm").may_overlap(&by_kind("disk")));
        assert!(!labelled("prod").may_overlap(&labelled("dev")));
        let all_but_vm = Matcher { exclude: Some(Box::new(by_kind("vm"))), ..Matcher::default() };
        assert!(!all_but_vm.may_overlap(&by_kind("vm")));
        assert!(all_but_vm.may_overlap(&by_kind("disk")));
    }

    #[test]
    fn star_spans_any_characters() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*a", "ba", true),
            ("*a", "ab", false),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("**", "x", true),
            ("ap-*-1", "ap-southeast-1", true),
            ("*aaa*", "aabaab", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} on {text}");
        }
    }
}
