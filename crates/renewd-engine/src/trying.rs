//! One call of a plugin, outside of any order: for whoever writes a plugin or wonders what a gateway says.
//!
//! Nothing of it is journaled. What a plugin is given is what its document gives it; a component that is named by its file
//! is given nothing, so that it can only be tried on a recording.

use crate::engine::Engine;
use crate::error::{EngineError, Exit};
use crate::files::{read_json, write_json};
use crate::load::{SetBlobs, config_text};
use crate::locking::plan_lock;
use crate::options::{PluginCall, PluginTrial};
use crate::shelf::Blobs;
use crate::view::PluginTrialView;
use renewd_core::documents::{Document, Plugin, PluginLimits, PluginRole};
use renewd_core::ids::Digest;
use renewd_core::web::{Grant, WebUrl};
use renewd_plugin_host::{
    Access, Called, CancelOutcome, FindRefundResult, FindResult, GuestLog, ItemFailure, Network, Outcome,
    PaymentPlugin, PluginFailure, PricingPlugin, Quote, Recording, RefundOutcome, Role, Severity,
};
use renewd_policy::DocumentSet;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;

/// Largest file with a request, bytes.
const REQUEST_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The `kind` of a saved recording.
const RECORDING: &str = "plugin-recording";

/// A recording in a file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Saved {
    format_version: u8,
    kind: String,
    plugin: String,
    sha256: String,
    call: String,
    #[serde(flatten)]
    recording: Recording,
}

/// A plugin that is to be tried.
struct Tried {
    name: String,
    digest: Digest,
    loaded: Loaded,
    config: Option<String>,
}

enum Loaded {
    Pricing(PricingPlugin),
    Payment(PaymentPlugin),
}

/// The bytes of one file.
struct OneBlob(Vec<u8>);

impl Blobs for OneBlob {
    fn blob(&self, _: &Digest) -> Result<Vec<u8>, EngineError> {
        Ok(self.0.clone())
    }
}

/// What a call came to.
struct Told {
    answer: Value,
    exit: Exit,
    fuel: u64,
    requests_sent: u32,
    log: GuestLog,
    recording: Recording,
}

impl Engine {
    /// Calls one function of a plugin.
    ///
    /// # Errors
    /// The plugin, its configuration or its request cannot be used; nothing was called.
    pub fn plugin_test(&self, trial: &PluginTrial) -> Result<PluginTrialView, EngineError> {
        let playing = match &trial.play {
            Some(path) => {
                let hint = "record one with `renewd plugin test … --record FILE`";
                Some(read_json::<Saved>(path, RECORDING, hint)?.recording)
            }
            None => None,
        };
        let tried = match &trial.directory {
            Some(directory) => self.tried_document(trial, directory, playing)?,
            None => self.tried_file(Path::new(&trial.plugin), playing)?,
        };
        let config = trial.config.clone().or(tried.config.clone()).unwrap_or_else(|| "{}".to_owned());
        let saved = |recording| Saved {
            format_version: 1,
            kind: RECORDING.to_owned(),
            plugin: tried.name.clone(),
            sha256: tried.digest.to_string(),
            call: trial.call.as_str().to_owned(),
            recording,
        };
        let request = trial.request.as_deref();
        let call = prepare(&tried.loaded, trial.call, &config, request)?;
        // A file that cannot be written must not be found out after money was moved.
        if let Some(path) = &trial.record {
            write_json(path, &saved(Recording::default()))?;
        }
        let told = call()?;
        if let Some(path) = &trial.record {
            write_json(path, &saved(told.recording))?;
        }
        Ok(PluginTrialView {
            plugin: tried.name,
            sha256: tried.digest.to_string(),
            call: trial.call.as_str().to_owned(),
            answer: told.answer,
            fuel: told.fuel,
            requests_sent: told.requests_sent,
            log: told.log,
            exit: told.exit,
        })
    }

    /// A plugin of a directory, with its grants and secrets; on a recording it needs no secrets.
    fn tried_document(
        &self,
        trial: &PluginTrial,
        directory: &Path,
        playing: Option<Recording>,
    ) -> Result<Tried, EngineError> {
        let documents = self.load_documents(directory)?;
        let plugin = documents.set.plugin(&trial.plugin).ok_or_else(|| {
            EngineError::input(
                "unknown-plugin",
                format!("there is no plugin `{}` in `{}`", trial.plugin, directory.display()),
                "name one of its Plugin documents, or a `.wasm` file without a directory".to_owned(),
            )
        })?;
        let lock = plan_lock(Some(directory), Some(&documents))?;
        if lock.mismatch && playing.is_none() {
            let hint = format!("look at the change, then run `renewd plugin lock {}", directory.display());
            let hint = format!("{hint} --upgrade {}`", plugin.name);
            return Err(EngineError::Guard { code: "lock", message: lock.words(), hint });
        }
        let refused = |message: String| EngineError::input("plugin-refused", message, None);
        let blobs = SetBlobs(&documents.set);
        let loaded = match plugin.role {
            PluginRole::Pricing => Loaded::Pricing(self.shelf.pricing(plugin, &blobs)?.map_err(refused)?),
            PluginRole::Payment => {
                let loaded = self.shelf.payment_by_digest(&plugin.digest, &plugin.limits, &blobs)?.map_err(refused)?;
                Loaded::Payment(match playing {
                    Some(recording) => on_recording(&loaded, plugin.grants.clone(), recording),
                    None => self.equipped(plugin, &loaded)?,
                })
            }
        };
        let config = only_config(&documents.set, plugin);
        Ok(Tried { name: plugin.name.to_string(), digest: plugin.digest, loaded, config })
    }

    /// A component by its file. On a recording it is granted what was recorded, else nothing.
    fn tried_file(&self, path: &Path, playing: Option<Recording>) -> Result<Tried, EngineError> {
        let shown = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| {
            let hint = "name a `.wasm` component, or a plugin and the directory of its documents";
            EngineError::input("unreadable-file", format!("cannot read `{shown}`: {error}"), hint.to_owned())
        })?;
        let refused = |message: String| EngineError::input("plugin-refused", format!("`{shown}`: {message}"), None);
        let inspected = self.shelf.host()?.inspect(&bytes).map_err(|error| {
            EngineError::input("not-a-plugin", format!("`{shown}`: {error}"), error.hint().to_owned())
        })?;
        let (digest, limits, blob) = (Digest::of(&bytes), PluginLimits::default(), OneBlob(bytes));
        let loaded = match inspected.role {
            Some(Role::Pricing) => {
                Loaded::Pricing(self.shelf.pricing_by_digest(&digest, &limits, &blob)?.map_err(refused)?)
            }
            Some(Role::Payment) | None => {
                let loaded = self.shelf.payment_by_digest(&digest, &limits, &blob)?.map_err(refused)?;
                Loaded::Payment(match playing {
                    Some(recording) => on_recording(&loaded, recorded_grants(&recording), recording),
                    None => loaded,
                })
            }
        };
        Ok(Tried { name: shown.clone(), digest, loaded, config: None })
    }
}

/// The plugin with answers out of a recording in place of the network.
fn on_recording(loaded: &PaymentPlugin, grants: Vec<Grant>, recording: Recording) -> PaymentPlugin {
    loaded.with_access(Access { grants, network: Network::playing(recording), ..Access::default() })
}

fn recorded_grants(recording: &Recording) -> Vec<Grant> {
    let requests = recording.exchanges.iter().map(|exchange| &exchange.request);
    requests
        .filter_map(|request| WebUrl::parse(&request.url).ok().map(|url| Grant::needed_for(&request.method, &url)))
        .collect()
}

/// The configuration of the documents, where exactly one of them uses the plugin.
fn only_config(set: &DocumentSet, plugin: &Plugin) -> Option<String> {
    let mut configs = set.documents.values().filter_map(|placed| match &placed.value {
        Document::PaymentMethod(method) if method.plugin == plugin.name => Some(&method.config),
        Document::RenewalPolicy(policy) if policy.pricing.plugin == plugin.name => Some(&policy.pricing.config),
        _ => None,
    });
    let config = configs.next()?;
    if configs.next().is_some() { None } else { Some(config_text(config)) }
}

type Call<'a> = Box<dyn FnOnce() -> Result<Told, EngineError> + 'a>;

/// Reads what a call needs, before anything is called.
fn prepare<'a>(
    loaded: &'a Loaded,
    call: PluginCall,
    config: &'a str,
    request: Option<&Path>,
) -> Result<Call<'a>, EngineError> {
    let other_role = || {
        let message = format!("`{}` is not a call of a plugin for the other role", call.as_str());
        Err(EngineError::input("other-role", message, "`renewd plugin inspect FILE` shows its exports".to_owned()))
    };
    Ok(match (loaded, call) {
        (Loaded::Pricing(plugin), PluginCall::Describe) => Box::new(|| described(plugin.manifest())),
        (Loaded::Payment(plugin), PluginCall::Describe) => Box::new(|| described(plugin.manifest())),
        (Loaded::Pricing(plugin), PluginCall::CheckConfig) => Box::new(|| findings(plugin.check_config(config))),
        (Loaded::Payment(plugin), PluginCall::CheckConfig) => Box::new(|| findings(plugin.check_config(config))),
        (Loaded::Pricing(plugin), PluginCall::Quote) => {
            let requests: Vec<_> = read_request(request, call)?;
            Box::new(move || quoted(plugin.quote(config, &requests)))
        }
        (Loaded::Payment(plugin), PluginCall::Charge) => {
            let request = read_request(request, call)?;
            Box::new(move || told(plugin.charge(config, &request), of_outcome))
        }
        (Loaded::Payment(plugin), PluginCall::FindCharge) => {
            let charge = read_request(request, call)?;
            Box::new(move || told(plugin.find_charge(config, &charge), of_found))
        }
        (Loaded::Payment(plugin), PluginCall::Refund) => {
            let request = read_request(request, call)?;
            Box::new(move || told(plugin.refund(config, &request), of_refund))
        }
        (Loaded::Payment(plugin), PluginCall::FindRefund) => {
            let refund = read_request(request, call)?;
            Box::new(move || told(plugin.find_refund(config, &refund), of_found_refund))
        }
        (Loaded::Payment(plugin), PluginCall::Cancel) => {
            let charge = read_request(request, call)?;
            Box::new(move || told(plugin.cancel(config, &charge), of_cancel))
        }
        (Loaded::Payment(_), PluginCall::Quote)
        | (
            Loaded::Pricing(_),
            PluginCall::Charge
            | PluginCall::FindCharge
            | PluginCall::Refund
            | PluginCall::FindRefund
            | PluginCall::Cancel,
        ) => return other_role(),
    })
}

fn described(manifest: &impl Serialize) -> Result<Told, EngineError> {
    let manifest = value(manifest)?;
    let (log, recording) = (GuestLog::default(), Recording::default());
    Ok(Told { answer: manifest, exit: Exit::Done, fuel: 0, requests_sent: 0, log, recording })
}

fn findings(called: Called<Result<Vec<renewd_plugin_host::Finding>, PluginFailure>>) -> Result<Told, EngineError> {
    let exit = match &called.value {
        Ok(findings) if findings.iter().any(|finding| finding.severity == Severity::Error) => Exit::Invalid,
        Ok(_) => Exit::Done,
        Err(_) => Exit::Refused,
    };
    let called = called.map(|answer| match answer {
        Ok(findings) => value(&findings),
        Err(failure) => value(&failure),
    });
    Ok(Told {
        answer: called.value?,
        exit,
        fuel: called.fuel,
        requests_sent: 0,
        log: called.log,
        recording: called.recording,
    })
}

fn quoted(called: Called<Vec<Result<Quote, ItemFailure>>>) -> Result<Told, EngineError> {
    let exit = if called.value.iter().all(Result::is_ok) { Exit::Done } else { Exit::Refused };
    let answer = called.value.iter().map(|verdict| match verdict {
        Ok(quote) => value(quote),
        Err(failure) => Ok(json!({ "error": { "code": failure.code(), "message": failure.to_string() } })),
    });
    let answer = Value::Array(answer.collect::<Result<_, _>>()?);
    Ok(Told { answer, exit, fuel: called.fuel, requests_sent: 0, log: called.log, recording: called.recording })
}

fn told<T: Serialize>(called: Called<T>, exit: impl FnOnce(&T) -> Exit) -> Result<Told, EngineError> {
    Ok(Told {
        answer: value(&called.value)?,
        exit: exit(&called.value),
        fuel: called.fuel,
        requests_sent: called.requests_sent,
        log: called.log,
        recording: called.recording,
    })
}

fn value(of: &impl Serialize) -> Result<Value, EngineError> {
    serde_json::to_value(of).map_err(|error| EngineError::Bug(error.to_string()))
}

fn of_outcome(outcome: &Outcome) -> Exit {
    match outcome {
        Outcome::Succeeded { .. } => Exit::Done,
        Outcome::Declined { .. } => Exit::Refused,
        Outcome::Pending { .. }
        | Outcome::RequiresAction { .. }
        | Outcome::PriceMoved { .. }
        | Outcome::Unknown { .. } => Exit::Waiting,
    }
}

fn of_found(found: &FindResult) -> Exit {
    match found {
        FindResult::Found(_) | FindResult::NotFound => Exit::Done,
        FindResult::Unknown { .. } => Exit::Waiting,
    }
}

fn of_refund(outcome: &RefundOutcome) -> Exit {
    match outcome {
        RefundOutcome::Refunded { .. } => Exit::Done,
        RefundOutcome::Declined { .. } => Exit::Refused,
        RefundOutcome::Pending { .. } | RefundOutcome::Unknown { .. } => Exit::Waiting,
    }
}

fn of_found_refund(found: &FindRefundResult) -> Exit {
    match found {
        FindRefundResult::Found { .. } | FindRefundResult::NotFound => Exit::Done,
        FindRefundResult::Unknown { .. } => Exit::Waiting,
    }
}

fn of_cancel(outcome: &CancelOutcome) -> Exit {
    match outcome {
        CancelOutcome::Canceled => Exit::Done,
        CancelOutcome::Charged { .. } | CancelOutcome::NotFound => Exit::Refused,
        CancelOutcome::Pending { .. } | CancelOutcome::Unknown { .. } => Exit::Waiting,
    }
}

/// Reads a request as `plugins/wit` has it, with its names written as in JSON.
fn read_request<T: DeserializeOwned>(path: Option<&Path>, call: PluginCall) -> Result<T, EngineError> {
    let hint = || "docs/plugins.md has an example of each".to_owned();
    let Some(path) = path else {
        let message = format!("`{}` needs a request: name its file with `--request`", call.as_str());
        return Err(EngineError::input("no-request", message, hint()));
    };
    let shown = path.display();
    let bad = |what: String| EngineError::input("bad-request", what, hint());
    let size = std::fs::metadata(path).map_err(|error| bad(format!("cannot read `{shown}`: {error}")))?.len();
    if size > REQUEST_BYTES_MAX {
        return Err(bad(format!("`{shown}` has {size} bytes, more than {REQUEST_BYTES_MAX}")));
    }
    let text = std::fs::read(path).map_err(|error| bad(format!("cannot read `{shown}`: {error}")))?;
    let tree: Value = serde_json::from_slice(&text).map_err(|error| bad(format!("`{shown}` is no JSON: {error}")))?;
    let tree = match (call, tree) {
        (PluginCall::Quote, Value::Object(one)) => Value::Array(vec![Value::Object(one)]),
        (_, tree) => tree,
    };
    serde_json::from_value(in_wit_words(tree))
        .map_err(|error| bad(format!("`{shown}` is no request of `{}`: {error}", call.as_str())))
}

/// `idempotencyKey` and `idempotency-key` as the generated types call it. A request without metadata has none.
fn in_wit_words(tree: Value) -> Value {
    match tree {
        Value::Array(items) => Value::Array(items.into_iter().map(in_wit_words).collect()),
        Value::Object(fields) => {
            let mut renamed: serde_json::Map<String, Value> =
                fields.into_iter().map(|(name, value)| (snake(&name), in_wit_words(value))).collect();
            for word in ["rounding", "extra_of"] {
                if let Some(Value::String(text)) = renamed.get_mut(word) {
                    *text = pascal(text);
                }
            }
            renamed.entry("metadata").or_insert_with(|| json!([]));
            Value::Object(renamed)
        }
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
    }
}

fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(if c == '-' { '_' } else { c.to_ascii_lowercase() });
    }
    text
}

fn pascal(text: &str) -> String {
    let words = text.split('-').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_ascii_uppercase() + rest
    });
    words.collect()
}
