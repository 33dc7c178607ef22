//! Loading documents: what the checker says, and what only the plugin host can say about plugins and their
//! configurations. All findings together.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::shelf::{Blobs, Shelf};
use renewd_core::documents::{Document, Plugin, PluginLimits, PluginRole};
use renewd_core::ids::{Digest, PluginName};
use renewd_plugin_host::{Finding as PluginFinding, Manifest, Permission, PluginFailure, Severity as PluginSeverity};
use renewd_policy::{Code, DocumentSet, Finding, Placed, Problem, Severity, Sources, load_dir};
use std::collections::BTreeMap;
use std::path::Path;

/// Documents without errors.
pub(crate) struct Documents {
    pub(crate) set: DocumentSet,
    pub(crate) warnings: Vec<Finding>,
    pub(crate) sources: Sources,
    /// The world of each plugin, as inspected.
    pub(crate) worlds: BTreeMap<PluginName, String>,
}

/// The answer of `check`.
#[derive(Debug)]
pub struct CheckView {
    /// How many documents there are.
    pub documents: usize,
    /// Warnings.
    pub warnings: Vec<Finding>,
    /// The texts, for snippets.
    pub sources: Sources,
}

/// The bytes of what documents name.
pub(crate) struct SetBlobs<'a>(pub(crate) &'a DocumentSet);

impl Blobs for SetBlobs<'_> {
    fn blob(&self, digest: &Digest) -> Result<Vec<u8>, EngineError> {
        let bytes = self.0.attachments.get(digest).cloned();
        bytes.ok_or_else(|| EngineError::Bug(format!("the bytes of {digest} were not read")))
    }
}

impl Engine {
    /// Checks documents without changing anything. Overlapping policies are judged on the resources of the store;
    /// where there is none, by whether a resource could match both.
    ///
    /// # Errors
    /// The documents have errors.
    pub fn check(&self, path: &Path) -> Result<CheckView, EngineError> {
        let documents = self.load_documents(path)?;
        let mut warnings = documents.warnings;
        let policies: Vec<_> = documents.set.policies().collect();
        let overlaps = if self.has_store() {
            let snapshot = self.snapshot(self.now())?;
            overlaps(&documents.set, snapshot.state.resources.values(), &policies)
        } else {
            possible_overlaps(&documents.set, &policies)
        };
        warnings.extend(overlaps.into_iter().map(|finding| Finding { severity: Severity::Warning, ..finding }));
        sort(&mut warnings);
        Ok(CheckView { documents: documents.set.documents.len(), warnings, sources: documents.sources })
    }

    /// Loads documents and asks every plugin about its configurations.
    pub(crate) fn load_documents(&self, path: &Path) -> Result<Documents, EngineError> {
        let loaded = load_dir(path);
        let sources = loaded.sources;
        let (set, mut findings) = match loaded.documents {
            Ok(set) => (set, Vec::new()),
            Err(findings) => (loaded.partial, findings),
        };
        let mut worlds = BTreeMap::new();
        findings.extend(loaded.warnings);
        findings.extend(check_plugins(&self.shelf, &set, &mut worlds)?);
        findings.extend(check_configs(&self.shelf, &set)?);
        sort(&mut findings);
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            return Err(EngineError::Findings { findings, sources: Box::new(sources) });
        }
        let warnings = findings;
        Ok(Documents { set, warnings, sources, worlds })
    }
}

fn sort(findings: &mut [Finding]) {
    let key = |finding: &Finding| (finding.file.clone(), finding.place.line, finding.place.column);
    findings.sort_by_key(key);
}

/// Every declared plugin must load for its role.
fn check_plugins(
    shelf: &Shelf,
    set: &DocumentSet,
    worlds: &mut BTreeMap<PluginName, String>,
) -> Result<Vec<Finding>, EngineError> {
    let blobs = SetBlobs(set);
    let mut findings = Vec::new();
    for placed in set.documents.values() {
        let Document::Plugin(plugin) = &placed.value else { continue };
        let world = match plugin.role {
            PluginRole::Pricing => shelf.pricing(plugin, &blobs)?.map(|loaded| loaded.world()),
            PluginRole::Payment => {
                let loaded = shelf.payment_by_digest(&plugin.digest, &plugin.limits, &blobs)?;
                loaded.map(|loaded| {
                    findings.extend(unused_grants(placed, plugin, loaded.manifest()));
                    loaded.world()
                })
            }
        };
        match world {
            Ok(world) => {
                worlds.insert(plugin.name.clone(), world);
            }
            Err(message) => {
                let problem = Problem::new(Code::PluginRefused, message)
                    .hint(format!("`renewd plugin inspect {}` shows what it imports and exports", plugin.file));
                findings.push(placed.finding("/spec/file", problem));
            }
        }
    }
    Ok(findings)
}

/// A grant that the plugin does not ask for gives it nothing.
fn unused_grants(placed: &Placed<Document>, plugin: &Plugin, manifest: &Manifest) -> Vec<Finding> {
    let unused = plugin.grants.iter().enumerate().filter(|(_, grant)| {
        let asks = |permission: &Permission| permission.meets(grant);
        !manifest.permissions.iter().any(asks)
    });
    unused
        .map(|(index, grant)| {
            let message = format!("plugin {} does not ask for `{grant}`, so this grant is of no use", plugin.name);
            let hint = match manifest.permissions.as_slice() {
                [] => "remove it: the plugin asks for no requests".to_owned(),
                asked => {
                    let asked: Vec<String> = asked.iter().map(|permission| format!("`{permission}`")).collect();
                    format!("it asks for {}", asked.join(", "))
                }
            };
            let problem = Problem::new(Code::UnusedGrant, message).hint(hint);
            Finding { severity: Severity::Warning, ..placed.finding(&format!("/spec/grants/{index}"), problem) }
        })
        .collect()
}

fn check_configs(shelf: &Shelf, set: &DocumentSet) -> Result<Vec<Finding>, EngineError> {
    let blobs = SetBlobs(set);
    let mut findings = Vec::new();
    for placed in set.documents.values() {
        match &placed.value {
            Document::RenewalPolicy(policy) => {
                let Some(plugin) = set.plugin(policy.pricing.plugin.as_str()) else { continue };
                let Ok(loaded) = shelf.pricing(plugin, &blobs)? else { continue };
                let answer = loaded.check_config(&config_text(&policy.pricing.config)).value;
                findings.extend(config_findings(placed, plugin, "/spec/pricing/config", answer));
            }
            Document::PaymentMethod(method) => {
                let Some(plugin) = set.plugin(method.plugin.as_str()) else { continue };
                let limits: &PluginLimits = &plugin.limits;
                let Ok(loaded) = shelf.payment_by_digest(&plugin.digest, limits, &blobs)? else { continue };
                let answer = loaded.check_config(&config_text(&method.config)).value;
                findings.extend(config_findings(placed, plugin, "/spec/config", answer));
            }
            Document::Account(_)
            | Document::PriceList(_)
            | Document::Plugin(_)
            | Document::RenewalRequest(_)
            | Document::EventSink(_) => {}
        }
    }
    Ok(findings)
}

/// A configuration as plugins read it.
pub(crate) fn config_text(config: &serde_json::Value) -> String {
    if config.is_null() { "{}".to_owned() } else { config.to_string() }
}

fn config_findings(
    placed: &Placed<Document>,
    plugin: &Plugin,
    prefix: &str,
    answer: Result<Vec<PluginFinding>, PluginFailure>,
) -> Vec<Finding> {
    match answer {
        Err(failure) => {
            let message = format!("plugin {} cannot judge its configuration: {failure}", plugin.name);
            vec![placed.finding(prefix, Problem::new(Code::PluginConfig, message).hint(failure.hint()))]
        }
        Ok(found) => found
            .into_iter()
            .map(|found| {
                let problem = Problem { code: Code::PluginConfig, message: found.message, hint: found.hint };
                let finding = placed.finding(&format!("{prefix}{}", found.pointer), problem);
                let severity = match found.severity {
                    PluginSeverity::Error => Severity::Error,
                    PluginSeverity::Warning => Severity::Warning,
                };
                Finding { severity, ..finding }
            })
            .collect(),
    }
}

/// Resources that several policies of the same priority match: one finding for each pair of policies, at the
/// second one's place, naming both and an example.
pub(crate) fn overlaps<'a>(
    set: &DocumentSet,
    resources: impl Iterator<Item = &'a renewd_core::resource::Resource>,
    policies: &[&renewd_core::documents::RenewalPolicy],
) -> Vec<Finding> {
    use renewd_core::cover::Cover;
    let mut examples: BTreeMap<Vec<String>, (String, usize)> = BTreeMap::new();
    for resource in resources {
        if let Cover::Conflict(names) = Cover::find(resource, policies.iter().copied()) {
            let names = names.iter().map(ToString::to_string).collect();
            examples.entry(names).or_insert_with(|| (resource.id.to_string(), 0)).1 += 1;
        }
    }
    examples
        .into_iter()
        .filter_map(|(names, (example, count))| {
            let last = names.last()?;
            let placed = set.get(renewd_core::documents::DocumentKind::RenewalPolicy, last)?;
            let others = if count == 1 { String::new() } else { format!(" and {} others", count - 1) };
            let problem = Problem::new(
                Code::PolicyOverlap,
                format!("policies {} match `{example}`{others} with the same priority", names.join(" and ")),
            )
            .hint("give one of them a higher `priority`, or narrow its `match`");
            Some(placed.finding("/metadata/name", problem))
        })
        .collect()
}

/// Policies of the same priority that one resource could match.
fn possible_overlaps(set: &DocumentSet, policies: &[&renewd_core::documents::RenewalPolicy]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, later) in policies.iter().enumerate() {
        for earlier in policies.iter().take(index) {
            if earlier.priority != later.priority || !earlier.matcher.may_overlap(&later.matcher) {
                continue;
            }
            let Some(placed) = set.get(renewd_core::documents::DocumentKind::RenewalPolicy, later.name.as_str()) else {
                continue;
            };
            let message = format!(
                "a resource could match both {} and {}, which have the same priority",
                earlier.name, later.name
            );
            let problem = Problem::new(Code::PolicyOverlap, message)
                .hint("give one of them a higher `priority`, or narrow its `match`");
            findings.push(placed.finding("/metadata/name", problem));
        }
    }
    findings
}
