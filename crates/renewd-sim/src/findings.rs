//! What a finding means: every violation begins with a name, and every name is listed here.

/// What is wrong where a finding is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Something acknowledged is gone, or what was paid for was not given.
    Lost,
    /// Money was taken twice, or without right, or a term was given twice or for nothing.
    Doubled,
    /// Nobody but the auditor would have noticed.
    Silent,
}

use Meaning::{Doubled, Lost, Silent};

const FINDINGS: &[(&str, Meaning)] = &[
    ("answered-untruly", Silent),
    ("attempt-elsewhere", Doubled),
    ("attempt-on-closed", Doubled),
    ("attempt-unknown", Silent),
    ("attempt-while-open", Doubled),
    ("attempt-while-shown", Doubled),
    ("balance", Silent),
    ("books", Silent),
    ("broken", Silent),
    ("bug", Silent),
    ("charge-without-end", Lost),
    ("charged-early", Doubled),
    ("charged-old-price", Doubled),
    ("charged-while-held", Doubled),
    ("closed-when-paid", Lost),
    ("closed-while-open", Lost),
    ("double-charge", Doubled),
    ("double-charge-after-restore", Doubled),
    ("expiry", Silent),
    ("extended-from-elsewhere", Doubled),
    ("extension-without-money", Doubled),
    ("frozen", Doubled),
    ("given-back-and-auto", Doubled),
    ("key-regenerated", Doubled),
    ("key-reused", Doubled),
    ("late-success-of-another", Lost),
    ("late-success-of-nothing", Silent),
    ("left-behind", Silent),
    ("limit-unheld", Doubled),
    ("lost", Lost),
    ("money-read-as-decline", Doubled),
    ("moved-while-open", Silent),
    ("not-deterministic", Silent),
    ("not-durable", Lost),
    ("odd-term", Silent),
    ("order-twice", Doubled),
    ("over-max-charge", Doubled),
    ("overdrawn", Doubled),
    ("paid-by-nothing", Doubled),
    ("paid-by-one-charge", Doubled),
    ("panic", Silent),
    ("paying-charge-given-back", Doubled),
    ("placed-elsewhere", Doubled),
    ("refund-elsewhere", Lost),
    ("refund-number-twice", Doubled),
    ("refund-of-no-attempt", Doubled),
    ("refund-of-no-line", Doubled),
    ("refund-of-nothing", Lost),
    ("refund-of-older", Doubled),
    ("refund-of-unpaid", Doubled),
    ("refund-under-open-order", Doubled),
    ("refund-unknown", Silent),
    ("refunded-too-much", Doubled),
    ("refunded-twice", Doubled),
    ("refunds", Silent),
    ("released-early", Lost),
    ("renewed-unasked", Doubled),
    ("request-twice", Doubled),
    ("settled", Silent),
    ("settled-twice", Doubled),
    ("skipped", Lost),
    ("stale-quote", Doubled),
    ("sums", Silent),
    ("topup-once", Doubled),
    ("two-open-orders", Doubled),
    ("unknown-order", Silent),
    ("unreadable", Lost),
    ("unsettled", Silent),
    ("word-of-nobody", Silent),
];

/// The name of the finding that a violation begins with.
pub(crate) fn name_of(violation: &str) -> &str {
    violation.split(':').next().unwrap_or_default()
}

/// What a finding means. One that nobody listed is silent.
pub(crate) fn meaning(finding: &str) -> Meaning {
    FINDINGS.iter().find(|(name, _)| *name == finding).map_or(Silent, |(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::FINDINGS;
    use std::collections::BTreeSet;

    /// Texts that begin like a finding and are none.
    const OTHERS: [&str; 4] = ["bank", "meanwhile", "run", "pay"];

    fn names(source: &str) -> BTreeSet<String> {
        let texts = source.split('"').skip(1).step_by(2);
        let named = texts.filter_map(|text| text.split_once(": ").map(|(name, _)| name).or(Some(text)));
        let is_name = |name: &&str| {
            let kebab = name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
            kebab && !name.is_empty() && !name.starts_with('-') && !name.ends_with('-')
        };
        named.filter(is_name).map(str::to_owned).collect()
    }

    /// The list of the page once missed double charges: a new name was counted as silent.
    #[test]
    fn every_finding_is_listed_once_and_can_be_made() {
        let sources = [
            include_str!("auditor.rs"),
            include_str!("bank.rs"),
            include_str!("campaign.rs"),
            include_str!("commands.rs"),
            include_str!("gateway.rs"),
            include_str!("liveness.rs"),
            include_str!("model.rs"),
            include_str!("rules.rs"),
            include_str!("simulation.rs"),
            include_str!("world.rs"),
        ];
        let listed: BTreeSet<&str> = FINDINGS.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed.len(), FINDINGS.len());
        let mut made = BTreeSet::new();
        for source in sources {
            made.extend(names(source));
            for text in source.split('"').skip(1).step_by(2) {
                let Some((name, rest)) = text.split_once(':') else { continue };
                let is_finding = rest.starts_with(' ') && names(&format!("\"{text}\"")).contains(name);
                assert!(!is_finding || listed.contains(name) || OTHERS.contains(&name), "`{name}` is in no list");
            }
        }
        let never: Vec<_> = listed.iter().filter(|name| !made.contains(**name)).collect();
        assert!(never.is_empty(), "nobody makes {never:?}");
    }
}
