//! Builds the spanned tree from the parser's events, within the limits of [`crate::limits`].
//!
//! Reports what is wrong with the YAML itself: syntax, duplicate keys, tags, merge keys, aliases, size. It never
//! looks at what keys mean. Aliases are expanded by copying, bounded by [`ALIAS_NODES_MAX`].

use super::{Entry, Node, Scalar, Value};
use crate::finding::{Code, Place, Problem, quoted};
use crate::limits::{ALIAS_NODES_MAX, DEPTH_MAX, DOCUMENTS_MAX, NODES_MAX};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use std::collections::{BTreeMap, HashMap};

/// The documents of a text, as far as it could be read.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Documents that are not empty, each with its position among all documents of the text.
    pub documents: Vec<(usize, Node)>,
    /// What is wrong with the YAML.
    pub problems: Vec<(Place, Problem)>,
}

/// Reads all documents of a text.
pub fn parse(text: &str) -> Parsed {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let step = match event {
            Ok((event, span)) => builder.event(event, span),
            Err(error) => Err(syntax(text, &error)),
        };
        if let Err(stop) = step {
            builder.parsed.problems.push(stop);
            break;
        }
    }
    builder.parsed
}

type Step = Result<(), (Place, Problem)>;

#[derive(Default)]
struct Builder {
    parsed: Parsed,
    seen_documents: usize,
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
    alias_nodes: usize,
}

/// A list or mapping that is not complete yet.
struct Frame {
    place: Place,
    anchor: usize,
    open: Open,
}

enum Open {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, keys: HashMap<String, Place>, pending: Option<(Scalar, Place)> },
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: Span) -> Step {
        let place = place_of(span);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd => Ok(()),
            Event::DocumentStart(_) => self.document_start(place),
            Event::DocumentEnd => {
                self.document_end();
                Ok(())
            }
            Event::Alias(id) => self.alias(id, place),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), place);
                let scalar = Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                self.complete(Node { place, value: Value::Scalar(scalar) }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), place);
                self.open(Frame { place, anchor, open: Open::List(Vec::new()) })
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), place);
                let open = Open::Map { entries: Vec::new(), keys: HashMap::new(), pending: None };
                self.open(Frame { place, anchor, open })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
        }
    }

    fn document_start(&mut self, place: Place) -> Step {
        self.anchors.clear();
        self.root = None;
        self.seen_documents = self.seen_documents.saturating_add(1);
        if self.seen_documents > DOCUMENTS_MAX {
            let message = format!("the file has more than {DOCUMENTS_MAX} documents");
            return Err((place, Problem::new(Code::TooLarge, message).hint("split it into several files")));
        }
        Ok(())
    }

    fn document_end(&mut self) {
        let Some(root) = self.root.take() else { return };
        let empty = matches!(&root.value, Value::Scalar(scalar) if scalar.plain && scalar.text.is_empty());
        if !empty {
            self.parsed.documents.push((self.seen_documents.saturating_sub(1), root));
        }
    }

    fn refuse_tag(&mut self, tagged: bool, place: Place) {
        if tagged {
            let problem = Problem::new(Code::TagNotSupported, "YAML tags are not supported")
                .hint("remove the tag; put text in quotes");
            self.parsed.problems.push((place, problem));
        }
    }

    fn open(&mut self, frame: Frame) -> Step {
        if self.stack.len() >= DEPTH_MAX {
            let message = format!("nested more than {DEPTH_MAX} levels deep");
            return Err((frame.place, Problem::new(Code::TooDeep, message).hint("flatten the document")));
        }
        self.count(1, frame.place)?;
        self.stack.push(frame);
        Ok(())
    }

    fn count(&mut self, more: usize, place: Place) -> Step {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes > NODES_MAX {
            let message = format!("the file has more than {NODES_MAX} values");
            return Err((place, Problem::new(Code::TooLarge, message).hint("split it into several files")));
        }
        Ok(())
    }

    fn close(&mut self) -> Step {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let value = match frame.open {
            Open::List(items) => Value::List(items),
            Open::Map { entries, .. } => Value::Map(entries),
        };
        let node = Node { place: frame.place, value };
        if frame.anchor > 0 {
            // The copy counts: nested anchors would otherwise copy a large tree once per level.
            self.count_alias(node.count(), node.place)?;
            self.anchors.insert(frame.anchor, node.clone());
        }
        self.attach(node);
        Ok(())
    }

    fn complete(&mut self, node: Node, anchor: usize) -> Step {
        self.count(1, node.place)?;
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.attach(node);
        Ok(())
    }

    fn count_alias(&mut self, more: usize, place: Place) -> Step {
        self.alias_nodes = self.alias_nodes.saturating_add(more);
        if self.alias_nodes > ALIAS_NODES_MAX {
            let message = format!("aliases expand to more than {ALIAS_NODES_MAX} values");
            return Err((place, Problem::new(Code::TooManyAliases, message).hint("write the values out")));
        }
        Ok(())
    }

    fn alias(&mut self, id: usize, place: Place) -> Step {
        let Some(node) = self.anchors.get(&id) else {
            let problem = Problem::new(Code::UnknownAlias, "the alias stands inside the value that it names")
                .hint("an alias can only repeat a value that is complete before it");
            return Err((place, problem));
        };
        let node = node.clone();
        let more = node.count();
        self.count_alias(more, place)?;
        self.count(more, place)?;
        if self.stack.len().saturating_add(node.depth()) > DEPTH_MAX {
            let message = format!("nested more than {DEPTH_MAX} levels deep");
            return Err((place, Problem::new(Code::TooDeep, message).hint("flatten the document")));
        }
        self.attach(node);
        Ok(())
    }

    /// Puts a complete value where it belongs.
    fn attach(&mut self, node: Node) {
        let problems = &mut self.parsed.problems;
        match self.stack.last_mut().map(|frame| &mut frame.open) {
            None => self.root = Some(node),
            Some(Open::List(items)) => items.push(node),
            Some(Open::Map { entries, keys, pending }) => match pending.take() {
                None => *pending = Some(key_of(node, problems)),
                Some((key, key_place)) => {
                    if let Some(first) = keys.get(&key.text) {
                        problems.push((key_place, duplicate(&key.text, *first)));
                    } else {
                        keys.insert(key.text.clone(), key_place);
                        entries.push(Entry { key, key_place, value: node });
                    }
                }
            },
        }
    }
}

/// The key that a value is, with what is wrong with it as a key.
fn key_of(node: Node, problems: &mut Vec<(Place, Problem)>) -> (Scalar, Place) {
    let Node { place, value } = node;
    let Value::Scalar(key) = value else {
        let problem = Problem::new(Code::WrongType, "a list or mapping cannot be a key").hint("use a text as the key");
        problems.push((place, problem));
        return (Scalar { text: String::from("?"), plain: false }, place);
    };
    if key.plain && key.text == "<<" {
        let problem = Problem::new(Code::MergeKey, "merge keys (`<<`) are not supported").hint("write the fields out");
        problems.push((place, problem));
    }
    (key, place)
}

fn duplicate(key: &str, first: Place) -> Problem {
    let message = format!("{} is given twice: here and at {}:{}", quoted(key), first.line, first.column);
    Problem::new(Code::DuplicateKey, message).hint("remove one of the two")
}

fn place_of(span: Span) -> Place {
    let start = span.start;
    let len = if span.end.line() == start.line() { span.end.col().saturating_sub(start.col()).max(1) } else { 1 };
    Place { line: small(start.line().max(1)), column: small(start.col().saturating_add(1)), len: small(len) }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// How many lines of a scalar are searched for the tab that ends it.
const SCALAR_LINES_SEARCHED_MAX: usize = 50;

/// A syntax error; a tab in the indentation of its line is the likelier cause and is named instead.
fn syntax(text: &str, error: &ScanError) -> (Place, Problem) {
    let mark = error.marker();
    let place = Place { line: small(mark.line().max(1)), column: small(mark.col().saturating_add(1)), len: 1 };
    // A scalar that meets a tab is reported where it starts, lines before the tab.
    let after = if error.info().contains("tab") { SCALAR_LINES_SEARCHED_MAX } else { 0 };
    for line_number in mark.line().saturating_sub(1)..=mark.line().saturating_add(after) {
        let line = text.split('\n').nth(line_number.saturating_sub(1)).unwrap_or_default();
        let indent: String = line.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
        if let Some(column) = indent.chars().position(|c| c == '\t') {
            let place = Place { line: small(line_number), column: small(column.saturating_add(1)), len: 1 };
            let problem = Problem::new(Code::TabIndentation, "a tab is used as indentation")
                .hint("indent with spaces, two per level");
            return (place, problem);
        }
    }
    if error.info().contains("anchor") && error.info().contains("unknown") {
        let problem = Problem::new(Code::UnknownAlias, "the alias has no anchor before it in this document")
            .hint("define it with `&name`, or quote the text if `*` belongs to it");
        return (place, problem);
    }
    let problem = Problem::new(Code::YamlSyntax, format!("this is not YAML: {}", error.info()))
        .hint("check the indentation, the quotes and the brackets up to here");
    (place, problem)
}
