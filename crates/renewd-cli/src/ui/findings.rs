//! Findings with the line they are about, cut from the texts that were read.

use super::clean;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, renderer::DecorStyle};
use renewd_policy::{Finding, Severity, Sources};

/// All findings, each with its place, its line, and what to write instead.
pub(crate) fn drawn(findings: &[Finding], sources: Option<&Sources>, ascii: bool) -> String {
    let decor = if ascii { DecorStyle::Ascii } else { DecorStyle::Unicode };
    let renderer = Renderer::styled().decor_style(decor);
    let mut text = String::new();
    for finding in findings {
        let line = sources.and_then(|sources| sources.line(&finding.file, finding.place.line));
        text.push_str(&renderer.render(&[group(finding, line)]));
        text.push_str("\n\n");
    }
    text
}

fn group<'a>(finding: &'a Finding, line: Option<&'a str>) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(clean::line(&finding.message)).id(finding.code.as_str());
    let file = clean::line(&finding.file);
    let group = match line {
        Some(line) => {
            let start = usize::try_from(finding.place.line).unwrap_or(1);
            let annotation = AnnotationKind::Primary.span(span(line, finding));
            title.element(Snippet::source(line).path(file).line_start(start).annotation(annotation))
        }
        None => {
            let origin = annotate_snippets::Origin::path(file)
                .line(usize::try_from(finding.place.line).unwrap_or(1))
                .char_column(usize::try_from(finding.place.column).unwrap_or(1));
            title.element(origin)
        }
    };
    match &finding.hint {
        Some(hint) => group.element(Level::HELP.with_name("hint").message(clean::line(hint))),
        None => group,
    }
}

/// The place as bytes of its line; places count characters.
fn span(line: &str, finding: &Finding) -> std::ops::Range<usize> {
    let at = |character: usize| line.char_indices().nth(character).map_or(line.len(), |(byte, _)| byte);
    let start = usize::try_from(finding.place.column).unwrap_or(1).saturating_sub(1);
    let length = usize::try_from(finding.place.len).unwrap_or(1);
    at(start)..at(start.saturating_add(length))
}
