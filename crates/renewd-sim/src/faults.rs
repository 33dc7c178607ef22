//! What can go wrong in a simulated world, and in how many seeds each must: a fault that no longer strikes proves nothing.

use crate::campaign::Report;

/// Every fault, and in how many of a thousand seeds it strikes at least. Some can only follow upon another.
const FAULTS: &[(&str, u64)] = &[
    ("begun-again", 100),
    ("cancel-cannot-tell", 5),
    ("charge-500-after", 40),
    ("charge-action-confirmed", 35),
    ("charge-action-expires", 35),
    ("charge-decline-later", 50),
    ("charge-decline-never", 30),
    ("charge-decline-not-before", 18),
    ("charge-decline-other", 30),
    ("charge-duplicate", 25),
    ("charge-garbage", 30),
    ("charge-late-success", 35),
    ("charge-meanwhile", 50),
    ("charge-pending-decline", 30),
    ("charge-pending-success", 40),
    ("charge-price-moved", 25),
    ("charge-replayed", 1),
    ("charge-reset-after", 30),
    ("charge-reset-before", 30),
    ("charge-slow", 25),
    ("charge-success", 200),
    ("charge-timeout-after", 50),
    ("charge-timeout-before", 45),
    ("clock-back", 130),
    ("clock-forward", 70),
    ("command-repeated", 350),
    ("crash-after-charge", 50),
    ("crash-after-refund", 20),
    ("crash-before-charge", 35),
    ("crash-kill", 280),
    ("crash-power", 200),
    ("crash-power-loses-all", 180),
    ("death-at-create", 35),
    ("death-at-rename", 30),
    ("death-at-sync-of-journal", 120),
    ("death-at-sync-of-names", 35),
    ("death-at-sync-of-new-file", 40),
    ("death-at-sync-of-watermark", 20),
    ("death-at-truncate", 8),
    ("death-at-write-of-journal", 200),
    ("death-at-write-of-new-file", 40),
    ("death-at-write-of-watermark", 200),
    ("disk-fault", 150),
    ("documents-edited", 400),
    ("find-cannot-tell", 130),
    ("find-denied", 40),
    ("find-late", 40),
    ("find-refund-cannot-tell", 8),
    ("mode-chosen", 300),
    ("person-errs", 10),
    ("power-cut-after-answer", 230),
    ("refund-asked", 290),
    ("refund-declined", 20),
    ("refund-pending-decline", 20),
    ("refund-pending-success", 20),
    ("refund-success", 80),
    ("refund-timeout-after", 20),
    ("refund-timeout-before", 30),
    ("request-guard", 340),
    ("restored-backup", 90),
];

impl Report {
    /// Faults that struck in too few seeds, never, or that nobody listed; in words.
    pub fn rare(&self) -> Vec<String> {
        let struck = |fault: &str| self.fired.get(fault).copied().unwrap_or_default();
        let share = |fault: &str| format!("{fault} strikes in {} of {} seeds", struck(fault), self.seeds);
        let is_rare = |(fault, least): &&(&str, u64)| struck(fault) * 1_000 < self.seeds * least;
        let rare = FAULTS.iter().filter(is_rare).map(|(fault, least)| format!("{}, not in {least} ‰", share(fault)));
        let is_listed = |fault: &str| FAULTS.iter().any(|(listed, _)| *listed == fault);
        let unlisted = self.fired.keys().filter(|fault| !is_listed(fault));
        rare.chain(unlisted.map(|fault| format!("{fault} is in no list"))).collect()
    }
}
