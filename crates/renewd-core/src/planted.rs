//! Faults on purpose: each takes away one sync, comparison, key, check or freeze, so that the simulator can show that it
//! would notice. Without the cargo feature `planted` every question here is answered no by the compiler.
//!
//! Must never be part of a build that is given to users.

/// Every fault: its name, and what it takes away.
pub const ALL: &[(&str, &str)] = &[
    ("no-compare-and-set", "a renewal extends whatever expiry stands there"),
    ("settle-extends-nothing", "a settled line extends nothing"),
    ("refund-undoes-nothing", "a refund leaves the expiry as it is"),
    ("refund-without-freeze", "a resource is not frozen while its renewal is given back"),
    ("balance-refund-lost", "what was paid from the balance is not put back"),
    ("balance-not-debited", "a payment from the balance takes nothing"),
    ("balance-unchecked", "the balance may be overdrawn"),
    ("request-not-used-up", "a request is not used up when its order settles"),
    ("request-unchecked", "a used-up request places orders again"),
    ("open-order-not-marked", "a resource does not know that it is in an open order"),
    ("final-not-final", "a success settles an order that is final"),
    ("unknown-is-payable", "an order of unknown outcome freezes nothing and is charged again"),
    ("pending-is-payable", "a pending order is charged again"),
    ("abandoned-is-declined", "an attempt whose process died counts as declined"),
    ("no-visibility-window", "not found is a decline at once"),
    ("no-follow-up", "a presumed decline is never looked after"),
    ("found-charge-unchecked", "a found charge is held neither against the order nor against its other attempts"),
    ("refund-without-cap", "a refund may exceed what was paid"),
    ("refund-of-any-renewal", "a renewal that is not the newest can be given back"),
    ("refund-under-open-order", "a renewal is given back while the next one is ordered"),
    ("expires-while-open", "an order expires while its payment is undecided"),
    ("cancel-while-open", "an order is canceled while its payment is undecided"),
    ("topup-twice", "the same top-up counts twice"),
    ("key-without-attempt", "the payment key leaves the attempt out"),
    ("key-without-expiry", "the renewal key leaves the expiry out"),
    ("line-key-without-expiry", "the line key leaves the expiry out"),
    ("refund-key-of-all", "all refunds of a charge share a key"),
    ("commit-without-sync", "a commit is acknowledged without its sync"),
    ("sync-failure-ignored", "a commit whose sync failed counts as durable"),
    ("watermark-before-sync", "the watermark moves before the commit is durable"),
    ("names-not-synced", "new files of a store are not made durable under their names"),
    ("create-without-sync", "a new journal is not synced before it gets its name"),
    ("reopen-without-sync", "a commit found beyond the watermark is believed without a sync"),
    ("reopen-trusts-cache", "a commit found beyond the watermark is not written again"),
    ("index-not-written", "a commit is not brought into the index"),
    ("index-not-caught-up", "an index that is behind stays behind"),
    ("index-not-compared", "an index that disagrees with the journal is used"),
    ("torn-tail-kept", "a torn tail is not cut"),
    ("amount-unchecked", "another amount than asked for counts as success"),
    ("timeout-is-declined", "no answer counts as a decline"),
    ("cannot-tell-is-not-found", "a gateway that cannot tell counts as one that says no"),
    ("cancel-is-believed", "a canceled charge is not looked for"),
    ("attempts-not-looked-after", "undecided attempts are never looked into"),
    ("refunds-not-looked-after", "undecided refunds are never looked into"),
    ("owners-never-die", "an attempt whose process died stays under way"),
    ("owners-look-dead", "an attempt under way counts as one whose process died"),
    ("outcome-not-written", "an outcome is shown and not written"),
    ("price-unchecked", "an attempt takes what was quoted, whatever it would cost now"),
    ("price-age-ignored", "an attempt begins although something has changed since it was priced"),
    ("held-is-payable", "an order that nobody approved is charged"),
    ("limits-unchecked", "no limit holds an order"),
    ("quote-never-stale", "a quote is accepted however old it is"),
    ("refund-keeps-auto", "what a person gave back is renewed by itself again"),
    ("earlier-not-sought", "a restored store does not ask for charges that it lost"),
    ("late-success-kept", "money that came too late is not given back"),
    (
        "generation-not-raised",
        "an expiry that is moved or given back counts as the same, what was tried there as nothing",
    ),
];

#[cfg(feature = "planted")]
static PLANTED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// Whether this fault is planted.
#[cfg(feature = "planted")]
pub fn is(name: &str) -> bool {
    let number = PLANTED.load(std::sync::atomic::Ordering::Relaxed);
    number.checked_sub(1).and_then(|index| ALL.get(index)).is_some_and(|(planted, _)| *planted == name)
}

/// Whether this fault is planted: not in this build.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub const fn is(_name: &str) -> bool {
    false
}

/// Plants a fault by its name in the whole process, in place of the one before; none, where there is no such fault.
#[cfg(feature = "planted")]
pub fn plant(name: &str) {
    let index = ALL.iter().position(|(known, _)| *known == name);
    let number = index.map_or(0, |index| index.saturating_add(1));
    PLANTED.store(number, std::sync::atomic::Ordering::Relaxed);
}
