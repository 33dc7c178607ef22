//! What is known to be wrong in the product and not mended yet. Each constant goes with its mending, and must be false.

/// An order that names its method is not looked for at the account's other methods, so that after a restore a charge of
/// the lost history there is made again.
pub(crate) const ONLY_OWN_METHODS_ARE_SOUGHT: bool = false;

/// After a restore a resource is looked for once, not for every term, so that a charge of the lost history for a later
/// term is made again.
pub(crate) const SOUGHT_ONCE_FOR_ALL_TERMS: bool = false;

/// A charge that a restored store took for an order, and that an older attempt of this or another order had made, is given
/// back as that attempt's late success.
pub(crate) const TAKEN_CHARGE_IS_GIVEN_BACK: bool = false;

/// After a restore charges are sought for 45 days back from now, however old the backup is.
pub(crate) const SOUGHT_FOR_45_DAYS: bool = false;

/// The key of a refund leaves the amount out, so that after a restore a gateway answers with a refund of the lost history
/// over another amount.
pub(crate) const REFUND_KEYS_WITHOUT_AMOUNT: bool = false;
