//! Plugins: what they are and what they can reach.

use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::table::{Table, plain, toned};
use crate::ui::words;
use renewd_engine::view::{LockChange, PluginCheck, PluginRow, PluginTrialView};

/// What `plugin inspect` proves.
pub(crate) fn inspection(page: &mut Page, view: &PluginCheck) {
    page.say(Tone::Strong, &view.file);
    page.gap();
    page.field("sha256", &view.sha256);
    page.field("size", format!("{} bytes", words::grouped(usize::try_from(view.size).unwrap_or(usize::MAX))));
    page.field("world", view.world.as_deref().unwrap_or("none that renewd knows"));
    if let Some(interface) = &view.interface {
        page.field("interface", interface);
    }
    page.field("imports", if view.imports.is_empty() { "nothing".to_owned() } else { view.imports.join(", ") });
    page.field("exports", if view.exports.is_empty() { "nothing".to_owned() } else { view.exports.join(", ") });
    if let Some(manifest) = view.manifest.as_ref().and_then(|value| value.as_object()) {
        let shown = manifest.iter().filter(|(key, _)| *key != "permissions");
        shown.for_each(|(key, value)| page.field(key, words_of(value)));
        page.field("asks for", if view.asks.is_empty() { "no requests".to_owned() } else { view.asks.join(", ") });
    }
    page.gap();
    if view.problems.is_empty() {
        page.say(Tone::Good, &view.reach);
        return;
    }
    view.problems.iter().for_each(|problem| page.say(Tone::Bad, problem));
}

/// A value of a manifest as people read it.
fn words_of(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Array(items) if items.is_empty() => "none".to_owned(),
        serde_json::Value::Array(items) => items.iter().map(words_of).collect::<Vec<_>>().join(", "),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The plugins in force.
pub(crate) fn list(page: &mut Page, plugins: &[PluginRow]) {
    if plugins.is_empty() {
        page.say(Tone::Faint, "no plugins");
        return;
    }
    let mut table = Table::new(&["plugin", "role", "file", "sha256", "in the store", "used by"]);
    for plugin in plugins {
        table.row(vec![
            plain(&plugin.name),
            plain(&plugin.role),
            plain(&plugin.file),
            toned(
                Tone::Faint,
                if page.screen().verbose { &plugin.sha256 } else { plugin.sha256.get(..12).unwrap_or(&plugin.sha256) },
            ),
            plain(if plugin.stored { "yes" } else { "no" }),
            plain(plugin.used_by.join(", ")),
        ]);
    }
    page.table(table);
}

/// What changed in the lock.
pub(crate) fn lock(page: &mut Page, changes: &[LockChange]) {
    if changes.is_empty() {
        page.line("nothing changed: renewd.lock matches the plugins");
    }
    changes.iter().for_each(|change| lock_line(page, change));
}

/// One entry of the lock.
pub(crate) fn lock_line(page: &mut Page, change: &LockChange) {
    let (sign, tone) = super::plan_changes::sign(&change.change);
    page.spans(&[(tone, &format!("  {sign} ")), (Tone::Plain, &format!("{}  {}", change.plugin, change.detail))]);
}

/// What one call of a plugin gave.
pub(crate) fn trial(page: &mut Page, view: &PluginTrialView) {
    page.say(Tone::Strong, format!("{} {}", view.plugin, view.call));
    page.gap();
    let answer = serde_json::to_string_pretty(&view.answer).unwrap_or_default();
    answer.lines().for_each(|line| page.line(line));
    page.gap();
    page.field("fuel", words::grouped(usize::try_from(view.fuel).unwrap_or(usize::MAX)));
    page.field("requests", view.requests_sent);
    for line in &view.log.lines {
        page.field("log", &line.message);
    }
    if view.log.dropped_bytes > 0 {
        page.field("log", format!("{} more bytes that were not kept", view.log.dropped_bytes));
    }
}
