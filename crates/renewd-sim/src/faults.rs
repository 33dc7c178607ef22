//! What can go wrong in a simulated world, and in how many seeds each must: a fault that no longer strikes proves nothing.

use crate::campaign::Report;

/// Every fault, and in how many of a thousand seeds it strikes at least. Some can only follow upon another.
const FAULTS: &[(&str, u64)] = &[
    ("begun-again", 152),
    ("cancel-cannot-tell", 4),
    ("cancel-meanwhile", 3),
    ("charge-500-after", 26),
    ("charge-action-confirmed", 27),
    ("charge-action-expires", 25),
    ("charge-decline-later", 40),
    ("charge-decline-never", 28),
    ("charge-decline-not-before", 18),
    ("charge-decline-other", 31),
    ("charge-duplicate", 29),
    ("charge-garbage", 36),
    ("charge-late-success", 32),
    ("charge-meanwhile", 61),
    ("charge-pending-decline", 28),
    ("charge-pending-success", 32),
    ("charge-price-moved", 21),
    ("charge-reset-after", 24),
    ("charge-reset-before", 27),
    ("charge-slow", 29),
    ("charge-success", 146),
    ("charge-timeout-after", 48),
    ("charge-timeout-before", 39),
    ("clock-back", 122),
    ("clock-forward", 69),
    ("command-repeated", 330),
    ("crash-after-charge", 41),
    ("crash-after-refund", 26),
    ("crash-before-charge", 33),
    ("crash-kill", 256),
    ("crash-power", 171),
    ("crash-power-loses-all", 163),
    ("death-at-create", 35),
    ("death-at-rename", 29),
    ("death-at-sync-of-journal", 115),
    ("death-at-sync-of-names", 32),
    ("death-at-sync-of-new-file", 35),
    ("death-at-sync-of-watermark", 24),
    ("death-at-truncate", 4),
    ("death-at-write-of-journal", 171),
    ("death-at-write-of-new-file", 32),
    ("death-at-write-of-watermark", 169),
    ("disk-fault", 130),
    ("documents-edited", 331),
    ("documents-edited-meanwhile", 41),
    ("find-cannot-tell", 122),
    ("find-denied", 38),
    ("find-late", 40),
    ("find-meanwhile", 88),
    ("find-refund-cannot-tell", 11),
    ("find-refund-meanwhile", 7),
    ("held-order-approved", 27),
    ("held-order-paid", 13),
    ("max-charge", 264),
    ("method-moved", 45),
    ("mode-chosen", 287),
    ("mode-chosen-meanwhile", 26),
    ("person-errs", 6),
    ("power-cut-after-answer", 210),
    ("price-missing-or-back", 76),
    ("quote-waits", 198),
    ("refund-asked", 253),
    ("refund-declined", 23),
    ("refund-meanwhile", 11),
    ("refund-of-several-lines", 39),
    ("refund-pending-decline", 22),
    ("refund-pending-success", 18),
    ("refund-success", 84),
    ("refund-timeout-after", 20),
    ("refund-timeout-before", 40),
    ("request-guard", 316),
    ("restored-backup", 109),
];

/// Every kind of record that lives must lead to, and in how many of a thousand seeds at least.
const EVENTS: &[(&str, u64)] = &[
    ("attempt-checked", 171),
    ("attempt-ended", 298),
    ("attempt-started", 359),
    ("auto-failed", 5),
    ("auto-finished", 19),
    ("balance-topped-up", 423),
    ("document-put", 1000),
    ("document-removed", 58),
    ("late-success", 31),
    ("mode-chosen", 274),
    ("mode-returned", 54),
    ("order-adopted", 39),
    ("order-approved", 18),
    ("order-canceled", 33),
    ("order-expired", 351),
    ("order-held", 9),
    ("order-placed", 427),
    ("order-settled", 346),
    ("phase-entered", 440),
    ("refund-checked", 29),
    ("refund-ended", 154),
    ("refund-started", 154),
    ("resolved-declined", 17),
    ("resource-added", 1000),
    ("resource-converted", 36),
    ("resource-ended", 68),
    ("resource-frozen", 34),
    ("resource-imported", 139),
    ("resource-thawed", 34),
    ("revision-applied", 1000),
    ("windows-captured", 1000),
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
        let written = |event: &str| self.events.get(event).copied().unwrap_or_default();
        let is_unwritten = |(event, least): &&(&str, u64)| written(event) * 1_000 < self.seeds * least;
        let unwritten = EVENTS.iter().filter(is_unwritten);
        let unwritten =
            unwritten.map(|(event, least)| format!("{event} is written in {} seeds, not in {least} ‰", written(event)));
        rare.chain(unlisted.map(|fault| format!("{fault} is in no list"))).chain(unwritten).collect()
    }
}
