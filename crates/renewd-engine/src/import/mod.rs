//! Inventories: reading them, checking every row, and merging them with what the store knows.
//!
//! One bad row changes nothing at all, unless bad rows are skipped; a real conflict freezes its resource and the
//! clean rows land.

mod check;
mod merge;
mod read;
#[cfg(test)]
mod tests;

pub(crate) use check::{capped, check_rows};
pub(crate) use merge::{Merged, merge_rows};
pub(crate) use read::read_inventory;

/// Most bytes of an inventory file.
pub(crate) const INVENTORY_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Most rows of an inventory.
pub(crate) const INVENTORY_ROWS_MAX: usize = 2_000_000;
/// Most labels of one resource.
pub(crate) const LABELS_MAX: usize = 64;
/// Most bytes of one text of an inventory.
pub(crate) const TEXT_BYTES_MAX: usize = 1_000;
/// Most findings that are reported of one inventory; more are counted.
pub(crate) const INVENTORY_FINDINGS_MAX: usize = 200;

/// Years that an imported expiry may lie in.
pub(crate) const EXPIRY_YEARS: std::ops::RangeInclusive<i32> = 1970..=9000;

/// The columns of an inventory, in the order of an export.
pub const COLUMNS: [&str; 14] = [
    "id",
    "name",
    "account",
    "kind",
    "sku",
    "quantity",
    "region",
    "labels",
    "expiry",
    "anchorDay",
    "mode",
    "price",
    "externalId",
    "renewable",
];

/// The columns that every inventory has.
pub(crate) const REQUIRED: [&str; 5] = ["id", "account", "kind", "sku", "expiry"];
