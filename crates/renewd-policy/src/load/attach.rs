//! The files that documents name: plugin components, price files, and the files of sinks.

use super::read::bounded;
use super::walk::display;
use crate::check::{Header, PlacedRow, Report, check_rows, inline_rows, price_file_rows};
use crate::finding::{Code, Findings, Place, Problem, quoted};
use crate::limits::{FINDINGS_PER_FILE_MAX, PLUGIN_BYTES_MAX, PRICE_FILE_BYTES_MAX};
use crate::tree::{Node, decode};
use renewd_core::documents::{DocumentKey, DocumentKind, PriceRow};
use renewd_core::ids::Digest;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// What was read beside the documents.
#[derive(Debug, Default)]
pub(super) struct Attached {
    pub(super) blobs: BTreeMap<Digest, Vec<u8>>,
    pub(super) plugins: BTreeMap<DocumentKey, Digest>,
    pub(super) rows: BTreeMap<DocumentKey, (Digest, usize)>,
    /// Absolute paths of files that are written to.
    pub(super) paths: BTreeMap<DocumentKey, String>,
}

/// What a price file adds to the findings and sources.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) findings: Findings,
    pub(super) source: Option<(String, Arc<str>)>,
}

/// Reads what a document names; `yaml` is the document's own file.
pub(super) fn attach(
    header: &Header,
    node: &Node,
    yaml: &Path,
    report: &mut Report<'_>,
    attached: &mut Attached,
) -> Beside {
    let mut beside = Beside::default();
    let (Some(spec), Some((name, _))) = (node.get("spec"), &header.name) else { return beside };
    let key = DocumentKey { kind: header.kind, name: name.clone() };
    match header.kind {
        DocumentKind::Plugin => {
            if let Some(bytes) = named_file(spec, yaml, PLUGIN_BYTES_MAX, report) {
                let digest = Digest::of(&bytes);
                attached.blobs.insert(digest, bytes);
                attached.plugins.insert(key, digest);
            }
        }
        DocumentKind::PriceList => {
            if let Some(rows) = price_rows(spec, yaml, report, &mut beside) {
                let count = rows.len();
                let json = canonical(rows);
                let digest = Digest::of(&json);
                attached.blobs.insert(digest, json);
                attached.rows.insert(key, (digest, count));
            }
        }
        DocumentKind::EventSink => {
            if let Some(path) = target_file(spec, yaml, report) {
                attached.paths.insert(key, path);
            }
        }
        DocumentKind::Account
        | DocumentKind::PaymentMethod
        | DocumentKind::RenewalPolicy
        | DocumentKind::RenewalRequest => {}
    }
    beside
}

/// The absolute path of a file that need not exist yet, or a finding.
fn target_file(spec: &Node, yaml: &Path, report: &mut Report<'_>) -> Option<String> {
    let node = spec.get("file")?;
    let text = node.text()?;
    let unfit = |message: String, hint: &str| Problem::new(Code::BadPath, message).hint(hint.to_owned());
    let path = match std::path::absolute(yaml.parent().unwrap_or(Path::new("")).join(text)) {
        Ok(path) => without_dots(&path),
        Err(error) => {
            let message = format!("{} cannot be made an absolute path: {error}", quoted(text));
            report.error(node.place, unfit(message, "write a path relative to the document's file"));
            return None;
        }
    };
    if text.ends_with('/') || path.is_dir() {
        let message = format!("{} is a directory", quoted(text));
        report.error(node.place, unfit(message, "name a file, for instance `events.ndjson`"));
        return None;
    }
    match path.to_str() {
        Some(path) => Some(path.to_owned()),
        None => {
            let message = format!("{} lies below a directory whose name is not UTF-8", quoted(text));
            report.error(node.place, unfit(message, "name a file elsewhere"));
            None
        }
    }
}

/// The path with `.` and `..` taken out, as text: what it leads through need not exist.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}

/// The bytes of the file that `spec.file` names, or a finding at that value.
fn named_file(spec: &Node, yaml: &Path, max: u64, report: &mut Report<'_>) -> Option<Vec<u8>> {
    let node = spec.get("file")?;
    let text = node.text()?;
    let path = yaml.parent().unwrap_or(Path::new("")).join(text);
    match bounded(&path, max) {
        Ok(bytes) => Some(bytes),
        Err(problem) => {
            let message = format!("{}: {}", quoted(text), problem.message);
            let hint = match problem.code {
                Code::UnreadableFile => {
                    format!("looked for `{}`; paths are relative to the document's file", display(&path))
                }
                _ => problem.hint.unwrap_or_default(),
            };
            report.error(node.place, Problem::new(problem.code, message).hint(hint));
            None
        }
    }
}

fn price_rows(spec: &Node, yaml: &Path, report: &mut Report<'_>, beside: &mut Beside) -> Option<Vec<PlacedRow>> {
    if spec.get("rows").is_some() {
        let rows = inline_rows(spec);
        check_rows(&rows, report);
        return Some(rows);
    }
    let bytes = named_file(spec, yaml, PRICE_FILE_BYTES_MAX, report)?;
    let csv = yaml.parent().unwrap_or(Path::new("")).join(spec.get("file")?.text()?);
    let csv_name = display(&csv);
    let mut csv_report = Report::new(&csv_name);
    let rows = match decode(&bytes) {
        Err((place, problem)) => {
            csv_report.error(place, problem);
            Vec::new()
        }
        Ok(decoded) => {
            beside.source = Some((csv_name.clone(), Arc::from(decoded.text)));
            // Lines that start with `%` are a matter of YAML only.
            let problems = decoded.problems.into_iter().filter(|(_, problem)| problem.code == Code::BadCharacter);
            problems.for_each(|(place, problem)| csv_report.error(place, problem));
            let rows = price_file_rows(decoded.text, &mut csv_report);
            if rows.is_empty() && csv_report.findings.is_empty() {
                let problem =
                    Problem::new(Code::BadCsv, "the price file has no rows").hint("add a row per sku and term");
                csv_report.error(Place::START, problem);
            }
            check_rows(&rows, &mut csv_report);
            rows
        }
    };
    let mut findings = csv_report.findings;
    findings.cap(&csv_name, FINDINGS_PER_FILE_MAX);
    beside.findings = findings;
    Some(rows)
}

/// Rows as JSON, sorted, so that the order of a file's lines changes nothing.
fn canonical(rows: Vec<PlacedRow>) -> Vec<u8> {
    let mut rows: Vec<PriceRow> = rows.into_iter().map(|placed| placed.row).collect();
    rows.sort_by(|a, b| (&a.sku, a.term, a.from).cmp(&(&b.sku, b.term, b.from)));
    // Texts, decimals and dates always serialise; an empty blob would fail its reader, never pass for rows.
    serde_json::to_vec(&rows).unwrap_or_default()
}
