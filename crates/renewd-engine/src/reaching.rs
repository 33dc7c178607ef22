//! What plugins and sinks are given: grants, secrets out of the environment, the way to the network.
//!
//! INVARIANT (secrets-late): a secret's value is read when an attempt is about to be made and goes straight to the plugin
//! host. It is in no document, event, view or message.

use crate::engine::Engine;
use renewd_core::documents::{Document, DocumentKey, DocumentKind, EventSink, Plugin, SinkTarget};
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
    /// Whether nothing may leave this machine.
    pub(crate) fn is_rehearsal(&self) -> bool {
        self.reach == Reach::Loopback
    }

    pub(crate) fn network(&self) -> Network {
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

/// What plugins and webhooks would be given beyond what was last applied, one sentence each.
pub(crate) fn widened(before: &State, after: &State) -> Vec<String> {
    let mut found = Vec::new();
    for document in after.documents.values() {
        if let Document::EventSink(sink) = document {
            found.extend(widened_sink(before, sink));
        }
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

/// A webhook carries what happened out of this machine, so a new one is judged like a grant.
fn widened_sink(before: &State, sink: &EventSink) -> Vec<String> {
    let SinkTarget::Webhook { url, secret } = &sink.target else { return Vec::new() };
    let key = DocumentKey { kind: DocumentKind::EventSink, name: sink.name.to_string() };
    let known = match before.documents.get(&key) {
        Some(Document::EventSink(EventSink { target: SinkTarget::Webhook { url, secret }, .. })) => Some((url, secret)),
        _ => None,
    };
    let mut found = Vec::new();
    if known.is_none_or(|(known, _)| known != url) {
        found.push(format!("events to `{url}` by sink {}", sink.name));
    }
    if known.is_none_or(|(_, known)| known != secret) {
        found.push(format!("the secret from `{}` to sink {}", secret.env, sink.name));
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

    fn told(target: SinkTarget) -> State {
        let sink = EventSink { name: "hook".parse().unwrap(), target, events: Vec::new() };
        let document = Document::EventSink(sink);
        let mut state = State::default();
        state.documents.insert(document.key(), document);
        state
    }

    fn webhook(url: &str, env: &str) -> State {
        told(SinkTarget::Webhook { url: url.to_owned(), secret: SecretSource { env: env.to_owned() } })
    }

    #[test]
    fn a_webhook_that_is_new_or_goes_elsewhere_is_named() {
        const HERE: &str = "https://hooks.example.com/a";
        const THERE: &str = "https://hooks.example.com/b";
        let none = State::default();
        assert_eq!(widened(&none, &webhook(HERE, "A")).len(), 2);
        assert!(widened(&webhook(HERE, "A"), &webhook(HERE, "A")).is_empty());
        assert_eq!(widened(&webhook(HERE, "A"), &webhook(THERE, "A")), [format!("events to `{THERE}` by sink hook")]);
        assert_eq!(widened(&webhook(HERE, "A"), &webhook(HERE, "B")), ["the secret from `B` to sink hook"]);
        let file = told(SinkTarget::File { path: "/srv/events.ndjson".to_owned() });
        assert!(widened(&none, &file).is_empty());
        assert_eq!(widened(&file, &webhook(HERE, "A")).len(), 2);
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
