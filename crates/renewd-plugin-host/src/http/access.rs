//! What one plugin may send: the grants of its `Plugin` document and the permissions that its manifest asks for, its
//! secrets, and the way to the network.

use super::network::Network;
use super::secret::Secrets;
use crate::manifest::Permission;
use renewd_core::web::{Grant, Scheme, WebUrl};

/// What a plugin is given. Without grants it can send nothing.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The requests that its document grants.
    pub grants: Vec<Grant>,
    /// The secrets that it may name.
    pub secrets: Secrets,
    /// How requests leave.
    pub network: Network,
}

impl Access {
    /// Whether a request is granted and asked for.
    ///
    /// # Errors
    /// One sentence that names the grant which would be needed.
    pub(super) fn permit(&self, asked: &[Permission], method: &str, url: &WebUrl) -> Result<(), String> {
        let needed = Grant::needed_for(method, url);
        if url.endpoint.scheme == Scheme::Http && !url.endpoint.host.is_loopback() {
            return Err(format!(
                "`{needed}` cannot be granted: `http` can be granted for this machine only, so use `https` for other hosts"
            ));
        }
        if !self.grants.iter().any(|grant| grant.covers(method, url)) {
            return Err(format!(
                "`{needed}` is not granted: add it to `grants` of the `Plugin` document if it is meant"
            ));
        }
        if !asked.iter().any(|permission| permission.covers(method, url)) {
            return Err(format!("`{needed}` is granted, but the plugin's own manifest does not ask for it"));
        }
        Ok(())
    }
}
