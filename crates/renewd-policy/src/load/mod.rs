//! From a directory or file to documents or findings: the one entry of this crate.
//!
//! Reads files, and nothing else of the world: no clock, no network, no environment. Writes nothing.

mod attach;
mod read;
mod walk;

pub(crate) use read::bounded;

use crate::agree::{Disagreement, agree};
use crate::assemble;
use crate::check::{Header, Outline, Reference, Report, check_document, check_references};
use crate::finding::{Code, Finding, Findings, Place, Problem, Severity};
use crate::limits::FINDINGS_PER_FILE_MAX;
use crate::raw::RawDocument;
use crate::set::{DocumentSet, Placed};
use crate::sources::Sources;
use crate::tree::{Node, decode, parse};
use attach::{Attached, attach};
use renewd_core::documents::{Document, DocumentKey, DocumentKind};
use serde::Deserialize as _;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What was read.
#[derive(Debug)]
pub struct Loaded {
    /// The documents, or the errors that stand in the way (warnings are only in `warnings`).
    pub documents: Result<DocumentSet, Vec<Finding>>,
    /// Where something stands in the way: the documents of those files that have no error, so that whoever knows
    /// more about them can report what is wrong there in the same breath.
    pub partial: DocumentSet,
    /// Findings that do not stand in the way.
    pub warnings: Vec<Finding>,
    /// The texts of the files, for snippets.
    pub sources: Sources,
}

impl Loaded {
    /// Errors and warnings together, sorted by file, line and column.
    pub fn findings(&self) -> Vec<Finding> {
        let mut all = Findings::default();
        let errors = self.documents.as_ref().err().into_iter().flatten();
        errors.chain(&self.warnings).for_each(|finding| all.push(finding.clone()));
        all.into_sorted()
    }
}

/// Reads and checks all documents below a directory, or of one file.
pub fn load_dir(path: &Path) -> Loaded {
    let mut findings = Findings::default();
    let files = walk::files_below(path, &mut findings);
    let mut loader = Loader { findings, ..Loader::default() };
    let mut total_bytes = 0_u64;
    for file in files {
        let name = walk::display(&file);
        match read::yaml_file(&file, &mut total_bytes) {
            Ok(bytes) => loader.add(name, file, &bytes),
            Err(problem) => loader.findings.error(&name, Place::START, problem),
        }
    }
    let has_documents = loader.files.iter().any(|file| !file.documents.is_empty());
    if !has_documents && !loader.findings.has_errors() {
        loader.findings.error(&walk::display(path), Place::START, walk::no_documents());
    }
    loader.finish()
}

/// Checks texts that are in memory, each with the path that findings name and that its own paths are relative to.
pub fn load_texts<'a>(files: impl IntoIterator<Item = (PathBuf, &'a [u8])>) -> Loaded {
    let mut loader = Loader::default();
    for (path, bytes) in files {
        loader.add(walk::display(&path), path, bytes);
    }
    loader.finish()
}

#[derive(Default)]
struct Loader {
    findings: Findings,
    sources: Sources,
    files: Vec<ReadFile>,
    references: Vec<Reference>,
    attached: Attached,
}

struct ReadFile {
    name: String,
    text: Arc<str>,
    documents: Vec<(Option<Header>, Arc<Node>)>,
}

impl Loader {
    fn add(&mut self, name: String, path: PathBuf, bytes: &[u8]) {
        let mut report = Report::new(&name);
        let decoded = match decode(bytes) {
            Ok(decoded) => decoded,
            Err((place, problem)) => {
                self.findings.error(&name, place, problem);
                return;
            }
        };
        let text: Arc<str> = Arc::from(decoded.text);
        self.sources.insert(name.clone(), Arc::clone(&text));
        let parsed = parse(&text);
        decoded.problems.into_iter().chain(parsed.problems).for_each(|(place, problem)| report.error(place, problem));
        if parsed.documents.is_empty() && report.findings.is_empty() {
            let problem =
                Problem::new(Code::EmptyFile, "the file has no documents").hint("remove it, or add documents");
            report.warning(Place::START, problem);
        }
        let mut api_version_said = false;
        let mut documents = Vec::new();
        for (_, node) in parsed.documents {
            let header = check_document(&node, &mut api_version_said, &mut report);
            if let Some(header) = &header {
                let mut attached = attach(header, &node, &path, &mut report, &mut self.attached);
                self.findings.append(std::mem::take(&mut attached.findings));
                attached.source.into_iter().for_each(|(file, text)| self.sources.insert(file, text));
            }
            documents.push((header, Arc::new(node)));
        }
        let Report { mut findings, references, .. } = report;
        findings.cap(&name, FINDINGS_PER_FILE_MAX);
        self.findings.append(findings);
        self.references.extend(references);
        self.files.push(ReadFile { name, text, documents });
    }

    fn finish(mut self) -> Loaded {
        let outlines: Vec<Outline<'_>> = self
            .files
            .iter()
            .flat_map(|file| file.documents.iter().map(move |(header, node)| (file, header, node)))
            .filter_map(|(file, header, node)| Some(Outline { file: &file.name, header: header.as_ref()?, node }))
            .collect();
        check_references(&outlines, &self.references, &mut self.findings);
        let set = self.assemble();
        let findings = std::mem::take(&mut self.findings).into_sorted();
        let (errors, warnings) = findings.into_iter().partition::<Vec<_>, _>(|f| f.severity == Severity::Error);
        let (documents, partial) =
            if errors.is_empty() { (Ok(set), DocumentSet::default()) } else { (Err(errors), set) };
        Loaded { documents, partial, warnings, sources: self.sources }
    }

    /// Deserialises clean files; what still goes wrong here is a finding.
    fn assemble(&mut self) -> DocumentSet {
        let mut documents = BTreeMap::new();
        let broken = self.findings.files_with_errors();
        for file in self.files.iter().filter(|file| !broken.contains(&file.name)) {
            let nodes: Vec<&Node> = file.documents.iter().map(|(_, node)| node.as_ref()).collect();
            let positions = match agree(&file.text, &nodes) {
                Ok(positions) => positions,
                Err(disagreement) => {
                    self.findings.push(disagreement_finding(file, &disagreement));
                    continue;
                }
            };
            let wanted: BTreeMap<usize, &(Option<Header>, Arc<Node>)> =
                positions.into_iter().zip(&file.documents).collect();
            for (position, yaml) in serde_yaml::Deserializer::from_str(&file.text).enumerate() {
                let Some((Some(header), node)) = wanted.get(&position).copied() else { continue };
                match self.attached.document(header, yaml) {
                    Ok(value) => {
                        let placed =
                            Placed { file: file.name.clone(), place: header.place, node: Arc::clone(node), value };
                        documents.insert(placed.value.key(), placed);
                    }
                    Err(problem) => self.findings.error(&file.name, header.place, problem),
                }
            }
        }
        DocumentSet { documents, attachments: std::mem::take(&mut self.attached.blobs) }
    }
}

fn disagreement_finding(file: &ReadFile, disagreement: &Disagreement) -> Finding {
    let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).max(1);
    let pointed = disagreement
        .at
        .as_ref()
        .and_then(|(number, pointer)| file.documents.get(*number).map(|(_, node)| node.place_of(pointer)));
    let told =
        disagreement.line_column.map(|(line, column)| Place { line: small(line), column: small(column), len: 1 });
    let problem = Problem::new(Code::ReadersDisagree, "YAML readers disagree about what is written here")
        .hint("write it in the plain block style, with text in quotes");
    problem.at(&file.name, pointed.or(told).unwrap_or(Place::START))
}

impl Attached {
    /// Deserialises and assembles one document of a clean file.
    fn document(&self, header: &Header, yaml: serde_yaml::Deserializer<'_>) -> Result<Document, Problem> {
        let key =
            || DocumentKey { kind: header.kind, name: header.name.clone().unwrap_or((String::new(), Place::START)).0 };
        match header.kind {
            DocumentKind::Account => assemble::account(raw(yaml)?),
            DocumentKind::PriceList => {
                let rows = self.rows.get(&key()).ok_or_else(|| unread("price list"))?;
                assemble::price_list(raw(yaml)?, *rows)
            }
            DocumentKind::Plugin => {
                let digest = self.plugins.get(&key()).ok_or_else(|| unread("plugin"))?;
                assemble::plugin(raw(yaml)?, *digest)
            }
            DocumentKind::PaymentMethod => assemble::payment_method(raw(yaml)?),
            DocumentKind::RenewalPolicy => assemble::policy(raw(yaml)?),
            DocumentKind::RenewalRequest => assemble::request(raw(yaml)?),
            DocumentKind::EventSink => assemble::event_sink(raw(yaml)?, self.paths.get(&key()).map(String::as_str)),
        }
    }
}

fn raw<'de, S: serde::Deserialize<'de>>(yaml: serde_yaml::Deserializer<'de>) -> Result<RawDocument<S>, Problem> {
    RawDocument::deserialize(yaml).map_err(|error| {
        let place = error.location().map_or(String::new(), |at| format!(" (near {}:{})", at.line(), at.column()));
        Problem::new(Code::ReadersDisagree, format!("YAML readers disagree about this document{place}"))
            .hint("write it in the plain block style, with text in quotes")
    })
}

fn unread(what: &str) -> Problem {
    Problem::new(Code::UnreadableFile, format!("the file of the {what} was not read")).hint("check again")
}
