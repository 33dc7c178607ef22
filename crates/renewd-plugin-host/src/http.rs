//! `http.send`: the only way out of a plugin, performed by the host.
//!
//! A request is checked ([`request`]), judged against grants and manifest ([`access`]), its secrets are filled in
//! ([`fill`]), it goes to an address that was checked ([`address`], [`network`], [`wire`]), redirects are judged anew
//! ([`redirect`]), and of the answer the guest sees what is left when every secret is overwritten ([`blank`]).
//! [`door`] is the order of all that.
//!
//! Must never: send what a grant does not cover, show a secret to a guest, a log, an error or a recording, or say that
//! nothing was sent when something may have been.

mod access;
mod address;
mod blank;
mod door;
#[cfg(test)]
mod door_tests;
mod fill;
mod network;
mod post;
mod proxy;
#[cfg(test)]
mod proxy_tests;
mod readings;
mod recording;
mod redirect;
mod request;
mod secret;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tls_tests;
mod wire;

pub use access::Access;
pub use address::Reach;
pub(crate) use door::Door;
pub use network::{Lookup, Network, NetworkOptions};
pub use recording::{Answered, Content, Exchange, Recording, SentRequest};
pub use secret::{SecretError, Secrets};
