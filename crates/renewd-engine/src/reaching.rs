//! What plugins are given when they are called: grants, secrets out of the environment, the way to the network.
//!
//! INVARIANT (secrets-late): a secret's value is read when an attempt is about to be made and goes straight to the plugin
//! host. It is in no document, event, view or message.

use crate::engine::Engine;
use renewd_core::documents::{Document, DocumentKey, DocumentKind, Plugin};
use renewd_core::refusal::{Reason, Refusal};
use renewd_core::state::State;
use renewd_plugin_host::{Access, Network, NetworkOptions, PaymentPlugin, Reach, Secrets};
use std::cell::OnceCell;
use std::path::PathBuf;

/// How far plugins reach, and what they trust.
#[derive(Default)]
pub(crate) struct Outside {
    reach: Reach,
    extra_ca: Option<PathBuf>,
    network: OnceCell<Network>,
}

impl Outside {
    fn network(&self) -> Network {
        let options =
            || NetworkOptions { reach: self.reach, extra_ca: self.extra_ca.clone(), proxy_from_environment: true };
        self.network.get_or_init(|| Network::new(options())).clone()
    }
}

impl Engine {
    /// Trusts the certificates of a file (PEM) beside the system's.
    #[must_use]
    pub fn with_extra_ca(mut self, file: Option<PathBuf>) -> Self {
        self.outside = Outside { extra_ca: file, reach: self.outside.reach, network: OnceCell::new() };
        self
    }

    /// Sends nothing beyond this machine.
    pub(crate) fn within_this_machine(mut self) -> Self {
        self.outside = Outside { reach: Reach::Loopback, ..self.outside };
        self
    }

    /// The plugin with everything that its document gives it, or why it cannot be called now.
    pub(crate) fn equipped(&self, document: &Plugin, loaded: &PaymentPlugin) -> Result<PaymentPlugin, Refusal> {
        let mut values = Vec::new();
        for (name, source) in &document.secrets {
            let value = std::env::var(&source.env).ok().filter(|value| !value.is_empty()).ok_or_else(|| {
                let message = format!(
                    "secret `{name}` of plugin {} comes from `{}`, which is not set",
                    document.name, source.env
                );
                Refusal::new(Reason::NoPaymentMethod, message)
                    .hint(format!("set the environment variable `{}` where renewd runs, and pay again", source.env))
            })?;
            values.push((name.as_str(), value));
        }
        let secrets = Secrets::new(values).map_err(|error| {
            Refusal::new(Reason::NoPaymentMethod, format!("plugin {}: {error}", document.name))
                .hint("correct the value of its environment variable, and pay again")
        })?;
        Ok(loaded.with_access(Access { grants: document.grants.clone(), secrets, network: self.outside.network() }))
    }
}

/// What plugins would be given beyond what was last applied, one sentence each.
pub(crate) fn widened(before: &State, after: &State) -> Vec<String> {
    let mut found = Vec::new();
    for document in after.documents.values() {
        let Document::Plugin(plugin) = document else { continue };
        let key = DocumentKey { kind: DocumentKind::Plugin, name: plugin.name.to_string() };
        let known = match before.documents.get(&key) {
            Some(Document::Plugin(known)) => Some(known),
            _ => None,
        };
        let had = |grant| known.is_some_and(|known| known.grants.iter().any(|had| had.includes(grant)));
        let grants = plugin.grants.iter().filter(|grant| !had(grant));
        found.extend(grants.map(|grant| format!("`{grant}` to plugin {}", plugin.name)));
        let had = |name, source| known.is_some_and(|known| known.secrets.get(name) == Some(source));
        let secrets = plugin.secrets.iter().filter(|(name, source)| !had(name, source));
        found.extend(
            secrets.map(|(name, source)| format!("secret `{name}` (from `{}`) to plugin {}", source.env, plugin.name)),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use renewd_core::documents::{PluginLimits, PluginRole, SecretSource};
    use renewd_core::ids::Digest;

    fn state(grants: &[&str], secrets: &[(&str, &str)]) -> State {
        let plugin = Plugin {
            name: "gateway".parse().unwrap(),
            file: "gateway.wasm".to_owned(),
            digest: Digest::of(b"gateway"),
            role: PluginRole::Payment,
            limits: PluginLimits::default(),
            grants: grants.iter().map(|grant| grant.parse().unwrap()).collect(),
            secrets: secrets
                .iter()
                .map(|(name, env)| (name.parse().unwrap(), SecretSource { env: (*env).to_owned() }))
                .collect(),
        };
        let document = Document::Plugin(plugin);
        let mut state = State::default();
        state.documents.insert(document.key(), document);
        state
    }

    const V1: &str = "POST https://api.example.com/v1/";
    const CHARGES: &str = "POST https://api.example.com/v1/charges/";

    #[test]
    fn only_what_is_more_than_before_is_named() {
        let none = State::default();
        assert_eq!(widened(&none, &state(&[V1], &[])), [format!("`{V1}` to plugin gateway")]);
        assert!(widened(&state(&[V1], &[]), &state(&[V1], &[])).is_empty());
        assert!(widened(&state(&[V1], &[]), &state(&[CHARGES], &[])).is_empty(), "narrower is not more");
        assert_eq!(widened(&state(&[CHARGES], &[]), &state(&[V1], &[])).len(), 1);
        assert!(widened(&state(&[V1], &[]), &state(&[], &[])).is_empty());
        assert_eq!(
            widened(&state(&[], &[("key", "A")]), &state(&[], &[("key", "B"), ("new", "C")])),
            ["secret `key` (from `B`) to plugin gateway", "secret `new` (from `C`) to plugin gateway"]
        );
    }

    #[test]
    fn old_journals_read_as_plugins_without_grants() {
        let old = serde_json::json!({
            "name": "gateway", "file": "gateway.wasm", "digest": Digest::of(b"x").to_string(), "role": "payment",
        });
        let plugin: Plugin = serde_json::from_value(old).unwrap();
        assert!(plugin.grants.is_empty() && plugin.secrets.is_empty());
        let written = serde_json::to_string(&plugin).unwrap();
        assert!(!written.contains("grants") && !written.contains("secrets"), "{written}");
    }
}
