//! The terminal: formats, tables, colour, timelines, questions, progress and failures.
//!
//! Results go to standard output, everything else to standard error. Nothing here knows a command.

pub(crate) mod answer;
pub(crate) mod clean;
pub(crate) mod dates;
pub(crate) mod failure;
pub(crate) mod findings;
pub(crate) mod page;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod stream;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod timeline;
pub(crate) mod words;

use crate::cli::GlobalArgs;
use crate::error::CliError;
use page::Page;
use std::io::IsTerminal as _;

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Output {
    /// Tables and sentences for people
    Table,
    /// One JSON document
    Json,
    /// One JSON document a line: a header, then one line an item
    Ndjson,
    /// The JSON document as YAML
    Yaml,
    /// Comma-separated values, where the answer is a table
    Csv,
    /// One id a line, for `--from-file -`
    Ids,
}

impl Output {
    /// The word on the command line.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Yaml => "yaml",
            Self::Csv => "csv",
            Self::Ids => "ids",
        }
    }
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The least width of a terminal that is believed, in columns.
const WIDTH_MIN: u16 = 20;

/// What text answers are drawn on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// Columns, where the output is a terminal.
    pub(crate) width: Option<u16>,
    /// Whether only ASCII can be shown.
    pub(crate) ascii: bool,
    /// Whether everything is to be shown.
    pub(crate) verbose: bool,
}

/// The terminal as the global flags want it.
pub(crate) struct Ui {
    /// The format of answers.
    pub(crate) output: Output,
    /// Whether only answers and failures are written.
    pub(crate) quiet: bool,
    /// What text is drawn on.
    pub(crate) screen: Screen,
}

impl Ui {
    /// Looks at the flags and at the terminal, and chooses colour for the whole process.
    pub(crate) fn new(global: &GlobalArgs) -> Self {
        match global.color {
            Color::Auto => {}
            Color::Always => anstream::ColorChoice::Always.write_global(),
            Color::Never => anstream::ColorChoice::Never.write_global(),
        }
        let terminal = std::io::stdout().is_terminal();
        // A terminal that says it has hardly any columns does not know how many it has.
        let told = if terminal { comfy_table::Table::new().width() } else { None };
        let width = told.filter(|columns| WIDTH_MIN <= *columns);
        let ascii = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let screen = Screen { width, ascii, verbose: global.verbose > 0 };
        Self { output: global.output.unwrap_or(Output::Table), quiet: global.quiet, screen }
    }

    /// Whether somebody is there to be asked.
    pub(crate) fn interactive(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Writes a page that is part of a dialogue: with the answer where that is text too, else beside it.
    pub(crate) fn show_page(&self, page: &Page) -> Result<(), CliError> {
        if self.output == Output::Table {
            return Ok(stream::stdout_text(page.as_str())?);
        }
        stream::stderr_text(page.as_str());
        Ok(())
    }

    /// What writes down that something was repaired: a line beside the answer, where no script reads standard error.
    pub(crate) fn notice(&self) -> Option<fn(&str)> {
        let text = match self.output {
            Output::Table | Output::Csv | Output::Ids => true,
            Output::Json | Output::Ndjson | Output::Yaml => false,
        };
        let notice: fn(&str) = |repaired| {
            stream::stderr_text(&format!("{} {}\n", style::Tone::Warn.paint("repaired:"), clean::line(repaired)));
        };
        (text && !self.quiet).then_some(notice)
    }

    /// Writes a sentence about what is going on to standard error.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            stream::stderr_text(&format!("{}\n", clean::line(text)));
        }
    }
}
