//! Plugins as their keeper sees them: what a component is, which ones are in force, and what the lock pins.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::files::write_whole;
use crate::locking::upgrade;
use crate::view::{LockChange, PluginCheck, PluginRow};
use renewd_core::documents::Document;
use renewd_core::state::State;
use renewd_plugin_host::Role;
use std::path::Path;

impl Engine {
    /// Says everything about a component without granting it anything.
    ///
    /// # Errors
    /// The file cannot be read, or is no component.
    pub fn plugin_inspect(&self, path: &Path) -> Result<PluginCheck, EngineError> {
        let shown = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| {
            let hint = "name a `.wasm` component".to_owned();
            EngineError::input("unreadable-file", format!("cannot read `{shown}`: {error}"), hint)
        })?;
        let inspection = self.shelf.host()?.inspect(&bytes).map_err(|error| {
            EngineError::input("not-a-plugin", format!("`{shown}`: {error}"), error.hint().to_owned())
        })?;
        let mut problems: Vec<String> = inspection.refused.iter().cloned().collect();
        problems.extend(inspection.hint.iter().map(|hint| format!("hint: {hint}")));
        let world = inspection.world.as_deref();
        Ok(PluginCheck {
            file: shown,
            sha256: inspection.digest.to_string(),
            size: inspection.bytes,
            world: world.map(|world| world.split(['/', '@']).nth(1).unwrap_or(world).to_owned()),
            interface: world.and_then(|world| world.split_once('@')).map(|(_, version)| version.to_owned()),
            reach: reach(&inspection.imports, inspection.role),
            asks: inspection.manifest.iter().flat_map(|it| it.permissions.iter().map(ToString::to_string)).collect(),
            imports: inspection.imports,
            exports: inspection.exports,
            manifest: inspection
                .manifest
                .map(serde_json::to_value)
                .transpose()
                .map_err(|error| EngineError::Bug(error.to_string()))?,
            problems,
        })
    }

    /// Lists the plugins in force.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn plugin_list(&self) -> Result<Vec<PluginRow>, EngineError> {
        let desk = self.reading_desk(self.now())?;
        let rows = desk.state.documents.values().filter_map(|document| match document {
            Document::Plugin(plugin) => Some(PluginRow {
                name: plugin.name.to_string(),
                role: plugin.role.as_str().to_owned(),
                file: plugin.file.clone(),
                sha256: plugin.digest.to_string(),
                stored: desk.store().has_blob(&plugin.digest),
                used_by: users(&desk.state, plugin.name.as_str()),
            }),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Writes missing lock entries, and with `upgrade` also one plugin's that differ.
    ///
    /// # Errors
    /// The documents have findings, an entry differs that was not named, or the lock cannot be written.
    pub fn plugin_lock(&self, directory: &Path, only: Option<&str>) -> Result<Vec<LockChange>, EngineError> {
        let documents = self.load_documents(directory)?;
        let (path, text, changes) = upgrade(directory, &documents, only)?;
        if !changes.is_empty() {
            write_whole(&path, text.as_bytes())?;
        }
        Ok(changes)
    }
}

/// What a component can reach, as its imports prove.
fn reach(imports: &[String], role: Option<Role>) -> String {
    let foreign: Vec<&str> =
        imports.iter().map(String::as_str).filter(|import| !import.starts_with("renewd:plugin/")).collect();
    if !foreign.is_empty() {
        return format!("it asks for {}, which is never linked, so it cannot be loaded", foreign.join(", "));
    }
    let http = imports.iter().any(|import| import.starts_with("renewd:plugin/http"));
    match (role, http) {
        (None, _) => "it exports nothing that renewd calls".to_owned(),
        (Some(_), false) => {
            "it can reach nothing: no files, no network, no clock, no randomness; it may write log lines".to_owned()
        }
        (Some(_), true) => {
            "it can ask for HTTP requests, sent only where a Plugin document grants them; no files, no clock, no randomness"
                .to_owned()
        }
    }
}

fn users(state: &State, plugin: &str) -> Vec<String> {
    state
        .documents
        .values()
        .filter_map(|document| match document {
            Document::RenewalPolicy(policy) if policy.pricing.plugin.as_str() == plugin => {
                Some(format!("policy {}", policy.name))
            }
            Document::PaymentMethod(method) if method.plugin.as_str() == plugin => {
                Some(format!("method {}", method.name))
            }
            _ => None,
        })
        .collect()
}
