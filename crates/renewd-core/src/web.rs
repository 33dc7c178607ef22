//! Web addresses as grants judge them: hosts, URLs and the requests that a plugin may send.
//!
//! Pure text: nothing here looks a name up or connects. Reading is strict on purpose: a URL has one spelling, and what
//! could be read in two ways (`..`, encoded slashes, user names, backslashes) is refused rather than repaired, so that
//! what was judged is what is sent.

mod grant;
mod host;
pub mod limits;
mod url;

pub use grant::{Grant, GrantError, METHODS, is_method};
pub use host::{HostError, HostName, is_loopback};
pub use url::{Endpoint, Scheme, UrlError, WebUrl, check_path};
