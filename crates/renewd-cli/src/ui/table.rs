//! Tables without lines: aligned columns, amounts to the right, as wide as the terminal at most.

use super::Screen;
use super::clean;
use super::style::Tone;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, presets};
use std::fmt::Display;

/// Which side a column's text keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Words.
    Left,
    /// Amounts and counts.
    Right,
}

/// A table under construction.
pub(crate) struct Table {
    head: Vec<(String, Side)>,
    rows: Vec<Vec<(Tone, String)>>,
    indent: usize,
}

impl Table {
    /// A table with these columns; a name that ends in `>` is a column of amounts.
    pub(crate) fn new(columns: &[&str]) -> Self {
        let head = columns
            .iter()
            .map(|name| match name.strip_suffix('>') {
                Some(name) => (name.to_owned(), Side::Right),
                None => ((*name).to_owned(), Side::Left),
            })
            .collect();
        Self { head, rows: Vec::new(), indent: 0 }
    }

    /// The same table further to the right.
    pub(crate) fn indent(mut self, columns: usize) -> Self {
        self.indent = columns;
        self
    }

    /// Whether it has no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<(Tone, String)>) {
        self.rows.push(cells);
    }

    /// The table as text with tones.
    pub(crate) fn draw(&self, screen: Screen) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).enforce_styling();
        // Padding without codes, or the ends of lines could not be trimmed.
        table.style_text_only();
        match screen.width {
            Some(width) => {
                let indent = u16::try_from(self.indent).unwrap_or_default();
                table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.saturating_sub(indent));
            }
            None => {
                table.set_content_arrangement(ContentArrangement::Disabled);
            }
        }
        if self.head.iter().any(|(name, _)| !name.is_empty()) {
            table.set_header(self.head.iter().map(|(name, _)| cell(Tone::Faint, &name.to_uppercase())));
        }
        for row in &self.rows {
            table.add_row(row.iter().map(|(tone, text)| cell(*tone, text)));
        }
        for (column, (_, side)) in table.column_iter_mut().zip(&self.head) {
            column.set_padding((0, 2));
            if *side == Side::Right {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let indent = " ".repeat(self.indent);
        table.lines().map(|line| format!("{indent}{}\n", line.trim_end())).collect()
    }
}

/// A cell of plain text.
pub(crate) fn plain(text: impl Display) -> (Tone, String) {
    (Tone::Plain, text.to_string())
}

/// A cell in a tone.
pub(crate) fn toned(tone: Tone, text: impl Display) -> (Tone, String) {
    (tone, text.to_string())
}

fn cell(tone: Tone, text: &str) -> Cell {
    let cell = Cell::new(clean::line(text));
    if text.is_empty() {
        // Codes around nothing would keep the end of the line from being trimmed.
        return cell;
    }
    match tone {
        Tone::Plain => cell,
        Tone::Strong => cell.add_attribute(Attribute::Bold),
        Tone::Good => cell.fg(Color::DarkGreen),
        Tone::Warn => cell.fg(Color::DarkYellow),
        Tone::Bad => cell.fg(Color::DarkRed).add_attribute(Attribute::Bold),
        Tone::Faint => cell.add_attribute(Attribute::Dim),
        Tone::Command => cell.fg(Color::DarkCyan),
    }
}
