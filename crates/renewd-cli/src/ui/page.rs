//! A text answer under construction. Everything that is put on it is cleaned here, so that no caller can forget.

use super::Screen;
use super::clean;
use super::style::Tone;
use super::table::Table;
use std::fmt::Display;

/// Lines of text.
pub(crate) struct Page {
    screen: Screen,
    text: String,
}

impl Page {
    /// An empty page.
    pub(crate) fn new(screen: Screen) -> Self {
        Self { screen, text: String::new() }
    }

    /// What it is drawn on.
    pub(crate) fn screen(&self) -> Screen {
        self.screen
    }

    /// The text with its tones.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// A plain line.
    pub(crate) fn line(&mut self, text: impl Display) {
        self.say(Tone::Plain, text);
    }

    /// A line in one tone.
    pub(crate) fn say(&mut self, tone: Tone, text: impl Display) {
        self.spans(&[(tone, &text.to_string())]);
    }

    /// A line of pieces in their own tones.
    pub(crate) fn spans(&mut self, pieces: &[(Tone, &str)]) {
        for (tone, text) in pieces {
            self.text.push_str(&tone.paint(&clean::line(text)));
        }
        self.text.push('\n');
    }

    /// A line with a name in front: `  due      2026-12-08 03:00`.
    pub(crate) fn field(&mut self, name: &str, text: impl Display) {
        self.spans(&[(Tone::Faint, &format!("{name:<15} ")), (Tone::Plain, &text.to_string())]);
    }

    /// A heading with an empty line before it, unless it is the first line.
    pub(crate) fn heading(&mut self, text: impl Display) {
        self.gap();
        self.say(Tone::Strong, text);
    }

    /// An empty line, unless there is one already or nothing before it.
    pub(crate) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Something that a person can type.
    pub(crate) fn command(&mut self, text: impl Display) {
        self.spans(&[(Tone::Plain, "  "), (Tone::Command, &text.to_string())]);
    }

    /// A table; nothing at all without rows.
    pub(crate) fn table(&mut self, table: Table) {
        if !table.is_empty() {
            self.text.push_str(&table.draw(self.screen));
        }
    }

    /// Text that is drawn already: snippets with their own tones, from cleaned parts only.
    pub(crate) fn drawn(&mut self, text: &str) {
        self.text.push_str(text);
        if !text.ends_with('\n') {
            self.text.push('\n');
        }
    }
}
