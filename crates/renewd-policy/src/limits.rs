//! Every bound on what is read, in one place, each with a name.
//!
//! Nothing here decides what happens beyond a bound; the reader that meets it reports a finding and stops.

/// Largest YAML file, in bytes.
pub const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Most YAML files in one tree.
pub const FILES_MAX: usize = 10_000;
/// Most bytes of YAML in one tree.
pub const TOTAL_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Deepest directory below the given one.
pub const DIRECTORY_DEPTH_MAX: usize = 64;
/// Most entries of all directories of a tree together, of whatever kind.
pub const DIRECTORY_ENTRIES_MAX: usize = 200_000;
/// Deepest nesting of mappings and lists in a document.
pub const DEPTH_MAX: usize = 64;
/// Most scalars, lists and mappings in one file, aliases expanded.
pub const NODES_MAX: usize = 400_000;
/// Most scalars, lists and mappings of one file that come from aliases.
pub const ALIAS_NODES_MAX: usize = 20_000;
/// Most documents in one file.
pub const DOCUMENTS_MAX: usize = 10_000;
/// Most findings that are reported for one file.
pub const FINDINGS_PER_FILE_MAX: usize = 500;
/// Longest text for which a near match is looked up, in characters.
pub const SUGGESTION_CHARS_MAX: usize = 48;
/// Longest piece of the user's text that is repeated in a message, in characters.
pub const QUOTED_CHARS_MAX: usize = 60;
/// Largest price file, in bytes.
pub const PRICE_FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Most rows of one price list.
pub const PRICE_ROWS_MAX: usize = 1_000_000;
/// Largest plugin file, in bytes.
pub const PLUGIN_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Largest lock file, in bytes.
pub const LOCK_BYTES_MAX: u64 = 1024 * 1024;
/// Longest number of days that a document can say.
pub const DAYS_MAX: u32 = 3_660;
/// Most significant digits of a number that a plugin's configuration may have unquoted.
pub const CONFIG_DIGITS_MAX: usize = 15;
