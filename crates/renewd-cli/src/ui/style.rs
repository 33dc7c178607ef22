//! Tones instead of colours: what a piece of text means decides how it looks.
//!
//! Escape codes are always written; the stream takes them away where they are not wanted.

use anstyle::{AnsiColor, Style};

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// What the eye should find first.
    Strong,
    /// Done, added.
    Good,
    /// Wants a look, changed.
    Warn,
    /// Refused, removed, damaged.
    Bad,
    /// Beside the point.
    Faint,
    /// Something to type.
    Command,
}

impl Tone {
    pub(crate) fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Warn => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Command => AnsiColor::Cyan.on_default(),
        }
    }

    /// The text in this tone. The text must be clean already.
    pub(crate) fn paint(self, text: &str) -> String {
        if self == Self::Plain || text.is_empty() {
            return text.to_owned();
        }
        let style = self.style();
        format!("{style}{text}{style:#}")
    }
}
