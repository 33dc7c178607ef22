//! Every bound on what a plugin may use, send or answer: its name, its default, its unit. The bounds of what is a URL or
//! a host at all are not about plugins: they are in `renewd_core::web::limits`. No bound lives anywhere else.

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Stack for guest code, bytes. One value for the whole engine.
pub const STACK_BYTES: usize = 512 * KIB;
/// Largest memory of one call where instances come from a pool, bytes: its slots are this large.
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

/// Bytes of a word for machines, such as a decline's code.
pub const WORD_BYTES_MAX: usize = 64;
/// Shortest secret: a shorter one could not be told from ordinary text when answers are searched for it.
pub const SECRET_BYTES_MIN: usize = 8;
/// Longest secret, bytes.
pub const SECRET_BYTES_MAX: usize = 4096;
/// Most addresses of one name that a connection is tried to.
pub const HTTP_ADDRESSES_MAX: usize = 8;

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
    /// Line keys that a found charge may name.
    pub line_keys: usize,
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
    /// Wall time of all HTTP requests of one call together.
    pub http_call_deadline: Duration,
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
            line_keys: 1000,
            log_bytes: 64 * KIB,
            log_line_bytes: 4 * KIB,
            component_bytes: 32 * MIB,
            http_calls: 64,
            http_deadline: Duration::from_secs(30),
            http_call_deadline: Duration::from_secs(300),
            http_connect: Duration::from_secs(10),
            http_request_bytes: 128 * KIB,
            http_response_bytes: MIB,
            http_headers: 64,
            http_header_bytes: 16 * KIB,
            http_redirects: 3,
        }
    }
}

impl Limits {
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
