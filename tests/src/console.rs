//! Runs the console blocks of a document and compares what they show with what happens.
//!
//! In a block that is fenced as `console`, a line `$ …` is a command and the lines below it are its output, standard
//! error included. A line `...` stands for any lines, `[..]` for any text within a line, and a last line `? 7` says
//! that the command exits with 7 and not 0. `<!-- clock: 2026-11-24T09:00:00Z -->` between blocks moves the clock.
//! All blocks of one document share a fresh copy of the repository's policies, examples and plugins.
//!
//! `UPDATE_TOUR=1` writes what happened into the document instead of failing; a `...` stays where it was. A document
//! is never changed otherwise.

use crate::binary;
use crate::process::{NOW, bare};
use crate::repository::{copy_folder, root, text};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Anything within a line.
const ANY_TEXT: &str = "[..]";
/// Any lines.
const ANY_LINES: &str = "...";

/// A command of a document with the output that the document shows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    /// Index of the command's line.
    line: usize,
    command: String,
    /// Index of the first line of output.
    output_from: usize,
    /// Output as shown, an exit code line included.
    shown: Vec<String>,
    clock: String,
}

/// Runs every console block of a document and compares, or updates the document.
///
/// # Panics
/// Something else happens than the document shows.
pub fn check(document: &str) {
    let original = text(document);
    let lines: Vec<String> = original.lines().map(str::to_owned).collect();
    let steps = steps(&lines);
    assert!(!steps.is_empty(), "{document} has no console block with a command");
    let folder = workshop();
    let mut exports = Vec::new();
    let mut wrong = Vec::new();
    let mut updated = lines.clone();
    let mut shift: isize = 0;
    for step in &steps {
        let Some(happened) = run(step, folder.path(), &mut exports) else { continue };
        if matches(&step.shown, &happened) {
            continue;
        }
        wrong.push(format!(
            "{document}:{}: $ {}\n--- shown\n{}\n--- happened\n{}\n",
            step.line + 1,
            step.command,
            step.shown.join("\n"),
            happened.join("\n")
        ));
        let rewritten = abridged(&step.shown, &happened);
        let from = step.output_from.checked_add_signed(shift).unwrap();
        shift += isize::try_from(rewritten.len()).unwrap() - isize::try_from(step.shown.len()).unwrap();
        updated.splice(from..from + step.shown.len(), rewritten);
    }
    if wrong.is_empty() {
        return;
    }
    if std::env::var_os("UPDATE_TOUR").is_some() {
        fs::write(root().join(document), updated.join("\n") + "\n").unwrap();
        eprintln!("{document}: {} blocks updated", wrong.len());
    } else {
        panic!("{}\nwrite what happened into the document with UPDATE_TOUR=1", wrong.join("\n"));
    }
}

/// A copy of what a reader of the document has beside it.
fn workshop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for part in ["policies", "examples", "plugins/dist"] {
        copy_folder(&root().join(part), &folder.path().join(part));
    }
    folder
}

fn steps(lines: &[String]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    let mut open = false;
    let mut clock = NOW.to_owned();
    for (index, line) in lines.iter().enumerate() {
        if line.starts_with("```") {
            inside = line.trim_end() == "```console";
            open = false;
        } else if !inside {
            let moved = line.strip_prefix("<!-- clock: ").and_then(|rest| rest.strip_suffix(" -->"));
            clock = moved.map_or(clock, str::to_owned);
        } else if let Some(command) = line.strip_prefix("$ ") {
            let (command, clock) = (command.to_owned(), clock.clone());
            steps.push(Step { line: index, command, output_from: index + 1, shown: Vec::new(), clock });
            open = true;
        } else if let (true, Some(step)) = (open, steps.last_mut()) {
            match line.strip_prefix("> ") {
                Some(more) if step.shown.is_empty() && step.command.ends_with('\\') => {
                    step.command.truncate(step.command.len() - 1);
                    step.command.push_str(more);
                    step.output_from = index + 1;
                }
                Some(_) | None => step.shown.push(line.clone()),
            }
        }
    }
    steps
}

/// What a command writes, with a line for its exit code where that is not 0; none for what is not to be run here.
fn run(step: &Step, folder: &Path, exports: &mut Vec<(String, String)>) -> Option<Vec<String>> {
    if let Some((name, value)) = step.command.strip_prefix("export ").and_then(|rest| rest.split_once('=')) {
        // The path is ours already.
        if name != "PATH" {
            exports.push((name.to_owned(), value.trim_matches('"').to_owned()));
        }
        return None;
    }
    // The tests themselves, and what a reader types once to get here.
    if ["cargo test", "git clone", "cd "].iter().any(|skipped| step.command.starts_with(skipped)) {
        return None;
    }
    let line = step.command.replace("cargo run -- ", "renewd ").replace("cargo run --", "renewd");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{{ {line}\n}} 2>&1")]);
    bare(&mut command, folder, Some(&step.clock));
    let path = format!("{}:{}", binary::renewd().parent().unwrap().display(), std::env::var("PATH").unwrap());
    command.env("PATH", path).envs(exports.iter().cloned());
    let output = command.output().unwrap_or_else(|error| panic!("`{line}`: {error}"));
    let said = String::from_utf8_lossy(&output.stdout).replace(&*folder.to_string_lossy(), "[DIR]");
    let mut happened: Vec<String> = said.trim_end().lines().map(|line| line.trim_end().to_owned()).collect();
    match output.status.code() {
        Some(0) => {}
        Some(code) => happened.push(format!("? {code}")),
        None => happened.push("? killed".to_owned()),
    }
    Some(happened)
}

/// Whether lines are as shown. Blank lines at the end do not count.
fn matches(shown: &[String], happened: &[String]) -> bool {
    let shown = shown.iter().rposition(|line| !line.trim().is_empty()).map_or(&shown[..0], |last| &shown[..=last]);
    match shown.split_first() {
        None => happened.is_empty(),
        Some((first, rest)) if first == ANY_LINES => (0..=happened.len()).any(|skip| matches(rest, &happened[skip..])),
        Some((first, rest)) => match happened.split_first() {
            Some((line, left)) => line_matches(first.trim_end(), line) && matches(rest, left),
            None => false,
        },
    }
}

fn line_matches(shown: &str, line: &str) -> bool {
    match shown.split_once(ANY_TEXT) {
        None => shown == line,
        Some((head, tail)) => line.strip_prefix(head).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| line_matches(tail, &rest[at..]))
        }),
    }
}

/// What happened, abridged where the document was: as many lines as it showed before its first `...` and after its
/// last, and in between every passage whose first line can still be found. A line that is as shown stays as it is.
fn abridged(shown: &[String], happened: &[String]) -> Vec<String> {
    let blank = shown.last().is_some_and(|line| line.trim().is_empty());
    let shown = shown.iter().rposition(|line| !line.trim().is_empty()).map_or(&shown[..0], |last| &shown[..=last]);
    let passages: Vec<&[String]> = shown.split(|line| line == ANY_LINES).collect();
    let (first, last) = (passages[0], passages[passages.len() - 1]);
    let mut lines: Vec<String> = Vec::new();
    if passages.len() == 1 || first.len() + last.len() >= happened.len() {
        rewrite(first, happened, &mut lines);
    } else {
        let end = happened.len() - last.len();
        rewrite(first, &happened[..first.len()], &mut lines);
        let mut from = first.len();
        for passage in &passages[1..passages.len() - 1] {
            let Some(start) = passage.first() else { continue };
            let Some(found) = (from..end).find(|at| line_matches(start.trim_end(), &happened[*at])) else { continue };
            let until = end.min(found + passage.len());
            lines.push(ANY_LINES.to_owned());
            rewrite(passage, &happened[found..until], &mut lines);
            from = until;
        }
        lines.push(ANY_LINES.to_owned());
        rewrite(last, &happened[end..], &mut lines);
    }
    if blank {
        lines.push(String::new());
    }
    lines
}

/// Adds what happened, line by line; where a line is as it was shown, in the words of the document.
fn rewrite(shown: &[String], happened: &[String], lines: &mut Vec<String>) {
    for (index, line) in happened.iter().enumerate() {
        let same = shown.get(index).filter(|shown| line_matches(shown.trim_end(), line));
        lines.push(same.cloned().unwrap_or_else(|| without_hashes(line)));
    }
}

/// Long runs of hexadecimal digits say nothing to a reader and change with every build.
fn without_hashes(line: &str) -> String {
    let mut kept = String::new();
    let mut run = String::new();
    for character in line.chars().chain(['\n']) {
        if character.is_ascii_digit() || ('a'..='f').contains(&character) {
            run.push(character);
            continue;
        }
        let is_hash = run.len() >= 16 && run.contains(|c: char| c.is_ascii_alphabetic());
        kept.push_str(if is_hash { ANY_TEXT } else { &run });
        run.clear();
        if character != '\n' {
            kept.push(character);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn dots_stand_for_lines_and_brackets_for_text() {
        for (shown, happened, equal) in [
            ("a\nb", "a\nb", true),
            ("a\nb\n\n", "a\nb", true),
            ("a", "a\nb", false),
            ("...", "", true),
            ("a\n...\nz", "a\nz", true),
            ("a\n...\nz", "a\nb\nc\nz", true),
            ("a\n...\nz", "a\nb", false),
            ("at [..] sharp", "at 9:00 sharp", true),
            ("at [..]", "at ", true),
            ("at [..] sharp", "at 9:00", false),
            ("", "a", false),
        ] {
            assert_eq!(matches(&lines(shown), &lines(happened)), equal, "{shown:?} on {happened:?}");
        }
    }

    #[test]
    fn an_update_keeps_what_the_author_left_out() {
        let shown = lines("head\n...\nold tail\n");
        let happened = lines("new head\n1\n2\nnew tail");
        assert_eq!(abridged(&shown, &happened), lines("new head\n...\nnew tail"));
        assert_eq!(abridged(&lines("x"), &lines("0123456789abcdef0 ok")), lines("[..] ok"));
        let shown = lines("a\n...\nmiddle\nmore\n...\nz");
        let happened = lines("A\n1\nmiddle\nMORE\n2\nZ");
        assert_eq!(abridged(&shown, &happened), lines("A\n...\nmiddle\nMORE\n...\nZ"));
    }

    #[test]
    fn commands_output_codes_and_clocks_are_told_apart() {
        let document = "text\n```console\n$ renewd a \\\n> b\nout\n? 7\n\n$ renewd c\n```\n<!-- clock: X -->\n```sh\n$ no\n```\n```console\n$ d\n```";
        let found = steps(&lines(document));
        let shape: Vec<_> = found.iter().map(|it| (it.command.as_str(), it.shown.len(), it.clock.as_str())).collect();
        assert_eq!(shape, [("renewd a b", 3, NOW), ("renewd c", 0, NOW), ("d", 0, "X")]);
    }
}
