//! Text of users, inventories and plugins as it may reach a terminal: without anything that a terminal obeys.

/// The text on one line, every control or direction-changing character replaced.
pub(crate) fn line(text: &str) -> String {
    text.chars().map(|c| if obeyed(c) { '\u{fffd}' } else { c }).collect()
}

/// The text with its line breaks, everything else as in [`line`].
pub(crate) fn block(text: &str) -> String {
    text.chars().map(|c| if c != '\n' && obeyed(c) { '\u{fffd}' } else { c }).collect()
}

/// Control characters (C0, DEL, C1), line and paragraph separators, and what reorders or hides text.
fn obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::line;

    /// A resource named with an escape sequence could repaint the quote that a person confirms.
    #[test]
    fn terminals_obey_nothing_in_user_text() {
        assert_eq!(line("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
        assert_eq!(line("a\u{9b}31mb\r\n"), "a\u{fffd}31mb\u{fffd}\u{fffd}");
        assert_eq!(line("100\u{202e}001"), "100\u{fffd}001");
        assert_eq!(line("日本 phone-7 é"), "日本 phone-7 é");
    }
}
