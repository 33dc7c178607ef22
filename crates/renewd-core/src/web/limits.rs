//! How long what can be judged at all may be: URLs, hosts and their labels. What a plugin may send of it is bounded by the
//! plugin host.

/// Longest URL, bytes.
pub const URL_BYTES_MAX: usize = 8 * 1024;
/// Longest host name, bytes, as in DNS.
pub const HOST_BYTES_MAX: usize = 253;
/// Longest label between two dots of a host name, bytes, as in DNS.
pub const LABEL_BYTES_MAX: usize = 63;
