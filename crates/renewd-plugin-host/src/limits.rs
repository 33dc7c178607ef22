//! Every bound on what a plugin may use or answer: its name, its default, its unit. No bound lives anywhere else.

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Stack for guest code, bytes. One value for the whole engine.
pub const STACK_BYTES: usize = 512 * KIB;
/// Largest memory that a `Plugin` document may ask for, bytes; the pool's slots are this large.
pub const MEMORY_BYTES_CEILING: usize = 256 * MIB;
/// Most instances, memories or tables that any plugin may ask for; the pool is sized for it.
pub const INSTANCES_CEILING: usize = 64;
/// Most table elements of one table; the pool's slots are this large.
pub const TABLE_ELEMENTS_CEILING: usize = 50_000;
/// How often the wall clock is looked at, milliseconds.
pub const TICK_MS: u64 = 10;
/// Fuel for a host call, whatever it does.
pub const HOST_CALL_FUEL: u64 = 1_000;
/// Fuel for each byte that the host copies, parses or logs for a plugin.
pub const HOST_BYTE_FUEL: u64 = 4;
/// Fuel that a call is given for each byte of an answer's body that it has to read: reading JSON takes about 34, and
/// [`HOST_BYTE_FUEL`] is taken back at once. Bounded by the calls and bytes that are allowed.
pub const ANSWER_BYTE_FUEL: u64 = 48;

/// The bounds for one plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Fuel for a call, about one unit for each WebAssembly operation.
    pub fuel_base: u64,
    /// Fuel on top for each item of a batch.
    pub fuel_per_item: u64,
    /// Wall time of one call's guest code.
    pub wall: Duration,
    /// Total of all memories of a call, bytes.
    pub memory_bytes: usize,
    /// Memories of a call.
    pub memories: usize,
    /// Tables of a call.
    pub tables: usize,
    /// Total elements of all tables of a call.
    pub table_elements: usize,
    /// Core instances of a call.
    pub instances: usize,
    /// Bytes that one crossing from guest to host may copy.
    pub hostcall_bytes_base: usize,
    /// Bytes on top for each item of a batch.
    pub hostcall_bytes_per_item: usize,
    /// Bytes of an answer, as JSON.
    pub output_bytes_base: usize,
    /// Bytes on top for each item of a batch.
    pub output_bytes_per_item: usize,
    /// Items of one call; a longer batch becomes several calls.
    pub items_per_call: usize,
    /// Lines of a quote.
    pub lines_per_quote: usize,
    /// Bytes of one text in an answer.
    pub text_bytes: usize,
    /// Pairs of one record's metadata.
    pub metadata_pairs: usize,
    /// Findings of `check-config`, and entries of a manifest's lists.
    pub list_entries: usize,
    /// Bytes of log kept from one call.
    pub log_bytes: usize,
    /// Bytes of one log line.
    pub log_line_bytes: usize,
    /// Bytes of the component itself.
    pub component_bytes: usize,
    /// HTTP requests of one call.
    pub http_calls: usize,
    /// Wall time of one HTTP request: name, connection, redirects and answer together.
    pub http_deadline: Duration,
    /// Wall time of making one connection.
    pub http_connect: Duration,
    /// Bytes of a request's body.
    pub http_request_bytes: usize,
    /// Bytes of an answer's body.
    pub http_response_bytes: usize,
    /// Headers of a request or an answer.
    pub http_headers: usize,
    /// Bytes of all headers of a request or an answer.
    pub http_header_bytes: usize,
    /// Redirects of one request.
    pub http_redirects: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel_base: 10_000_000,
            fuel_per_item: 1_000_000,
            wall: Duration::from_secs(2),
            memory_bytes: 64 * MIB,
            memories: 8,
            tables: 32,
            table_elements: 20_000,
            instances: 32,
            hostcall_bytes_base: 256 * KIB,
            hostcall_bytes_per_item: 64 * KIB,
            output_bytes_base: 64 * KIB,
            output_bytes_per_item: 32 * KIB,
            items_per_call: 100,
            lines_per_quote: 64,
            text_bytes: 1000,
            metadata_pairs: 32,
            list_entries: 100,
            log_bytes: 64 * KIB,
            log_line_bytes: 4 * KIB,
            component_bytes: 32 * MIB,
            http_calls: 64,
            http_deadline: Duration::from_secs(30),
            http_connect: Duration::from_secs(10),
            http_request_bytes: 128 * KIB,
            http_response_bytes: 256 * KIB,
            http_headers: 64,
            http_header_bytes: 16 * KIB,
            http_redirects: 3,
        }
    }
}

/// A limit cannot be set to that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// No limit of that name can be set by a document.
    #[error("`{0}` is not a limit of a plugin")]
    UnknownName(String),
    /// The value is not of the limit's unit.
    #[error("`{value}` is not {unit}")]
    BadValue {
        /// The value as given.
        value: String,
        /// What was expected.
        unit: &'static str,
    },
    /// The value is zero or above the ceiling.
    #[error("`{value}` is outside of what `{name}` may be: at most {most}")]
    OutOfRange {
        /// The limit's name.
        name: &'static str,
        /// The value as given.
        value: String,
        /// The largest allowed value.
        most: String,
    },
}

impl Limits {
    /// The names that a `Plugin` document may set, with the unit of each.
    pub const NAMES: [(&'static str, &'static str); 4] = [
        ("fuel", "a count such as `10000000`"),
        ("itemFuel", "a count"),
        ("memory", "a size such as `64MiB`"),
        ("wall", "a time such as `2s`"),
    ];

    /// Sets the limit `name` from a document's text: `memory` from `64MiB`, `fuel` and `itemFuel` from a count, `wall` from `2s` or `500ms`.
    ///
    /// # Errors
    /// An unknown name, a value of another unit, or one that is zero or above the ceiling.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), LimitError> {
        match name {
            "fuel" => self.fuel_base = count(value, "fuel", 10_000_000_000)?,
            "itemFuel" => self.fuel_per_item = count(value, "itemFuel", 1_000_000_000)?,
            "memory" => self.memory_bytes = bytes(value)?,
            "wall" => self.wall = wall(value)?,
            other => return Err(LimitError::UnknownName(other.to_owned())),
        }
        Ok(())
    }

    /// Fuel for a call with `items` items.
    pub fn fuel(&self, items: usize) -> u64 {
        self.fuel_base.saturating_add(self.fuel_per_item.saturating_mul(items as u64))
    }

    /// Bytes that one crossing may copy in a call with `items` items.
    pub fn hostcall_bytes(&self, items: usize) -> usize {
        self.hostcall_bytes_base.saturating_add(self.hostcall_bytes_per_item.saturating_mul(items))
    }

    /// Bytes of the answer to a call with `items` items.
    pub fn output_bytes(&self, items: usize) -> usize {
        self.output_bytes_base.saturating_add(self.output_bytes_per_item.saturating_mul(items))
    }

    /// What is left of the wall time after `used`, in ticks of the epoch, with two ticks of slack.
    pub(crate) fn ticks_after(&self, used: Duration) -> u64 {
        let whole = self.wall.saturating_sub(used).as_millis().div_ceil(u128::from(TICK_MS));
        u64::try_from(whole).unwrap_or(u64::MAX / 2).saturating_add(2)
    }
}

fn number(value: &str, unit: &'static str) -> Result<u64, LimitError> {
    let plain = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    let bad = || LimitError::BadValue { value: value.to_owned(), unit };
    if plain { value.parse().map_err(|_| bad()) } else { Err(bad()) }
}

fn in_range(number: u64, most: u64, name: &'static str, value: &str, shown: String) -> Result<u64, LimitError> {
    if (1..=most).contains(&number) {
        return Ok(number);
    }
    Err(LimitError::OutOfRange { name, value: value.to_owned(), most: shown })
}

fn count(value: &str, name: &'static str, most: u64) -> Result<u64, LimitError> {
    in_range(number(value, "a count such as `10000000`")?, most, name, value, most.to_string())
}

fn bytes(value: &str) -> Result<usize, LimitError> {
    const UNIT: &str = "a size such as `64MiB`";
    let bad = || LimitError::BadValue { value: value.to_owned(), unit: UNIT };
    let (digits, factor) = match (value.strip_suffix("MiB"), value.strip_suffix("KiB")) {
        (Some(digits), _) => (digits, MIB),
        (None, Some(digits)) => (digits, KIB),
        (None, None) => return Err(bad()),
    };
    let size = number(digits, UNIT)?.saturating_mul(factor as u64);
    let size =
        in_range(size, MEMORY_BYTES_CEILING as u64, "memory", value, format!("{}MiB", MEMORY_BYTES_CEILING / MIB))?;
    usize::try_from(size).map_err(|_| bad())
}

fn wall(value: &str) -> Result<Duration, LimitError> {
    const UNIT: &str = "a time such as `2s` or `500ms`";
    let (digits, factor) = match (value.strip_suffix("ms"), value.strip_suffix('s')) {
        (Some(digits), _) => (digits, 1),
        (None, Some(digits)) => (digits, 1000),
        (None, None) => return Err(LimitError::BadValue { value: value.to_owned(), unit: UNIT }),
    };
    let ms = number(digits, UNIT)?.saturating_mul(factor);
    in_range(ms, 60_000, "wall", value, "60s".to_owned()).map(Duration::from_millis)
}
