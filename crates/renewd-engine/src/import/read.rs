//! Reading inventories: CSV, JSON and NDJSON become the same rows of texts with places.

use super::{COLUMNS, INVENTORY_BYTES_MAX, INVENTORY_ROWS_MAX, REQUIRED};
use crate::error::EngineError;
use renewd_policy::{Code, Findings, Place, Problem, Sources, csv_field_place, did_you_mean};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// One row: texts by column, each with its place. Empty texts are absent.
pub(crate) struct Row {
    pub(crate) place: Place,
    pub(crate) fields: BTreeMap<&'static str, (String, Place)>,
}

/// A read inventory.
pub(crate) struct Inventory {
    pub(crate) file: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) findings: Findings,
    pub(crate) sources: Sources,
}

/// Reads an inventory; `-` is standard input.
///
/// # Errors
/// The file cannot be read, is too large, is no text, or its format cannot be told.
pub(crate) fn read_inventory(path: &Path, format: Option<&str>) -> Result<Inventory, EngineError> {
    let shown = path.display().to_string();
    let bytes = read_bytes(path, &shown)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        EngineError::input(
            "not-utf8",
            format!("`{shown}` is not UTF-8 at byte {}", error.utf8_error().valid_up_to()),
            "save it as UTF-8".to_owned(),
        )
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
    let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_lowercase);
    let mut inventory =
        Inventory { file: shown.clone(), rows: Vec::new(), findings: Findings::default(), sources: Sources::default() };
    match format.or(extension.as_deref()) {
        Some("csv") => inventory.read_csv(&text),
        Some("json") => inventory.read_json(&text),
        Some("ndjson" | "jsonl") => inventory.read_ndjson(&text),
        _ => {
            return Err(EngineError::input(
                "unknown-format",
                format!("the format of `{shown}` cannot be told from its name"),
                "use `--format csv`, `json` or `ndjson`".to_owned(),
            ));
        }
    }
    if INVENTORY_ROWS_MAX < inventory.rows.len() {
        return Err(EngineError::input(
            "too-large",
            format!("`{shown}` has more than {INVENTORY_ROWS_MAX} rows"),
            None,
        ));
    }
    inventory.sources.insert(shown, text.into());
    Ok(inventory)
}

fn read_bytes(path: &Path, shown: &str) -> Result<Vec<u8>, EngineError> {
    let failed = |error: std::io::Error| {
        EngineError::input(
            "unreadable-file",
            format!("cannot read `{shown}`: {error}"),
            "name an inventory file, or `-` for standard input".to_owned(),
        )
    };
    let mut bytes = Vec::new();
    let limit = INVENTORY_BYTES_MAX.saturating_add(1);
    if shown == "-" {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        std::fs::File::open(path).map_err(failed)?.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    }
    if INVENTORY_BYTES_MAX < bytes.len() as u64 {
        let message = format!("`{shown}` has more than {INVENTORY_BYTES_MAX} bytes");
        return Err(EngineError::input("too-large", message, "split it".to_owned()));
    }
    Ok(bytes)
}

fn column(name: &str) -> Option<&'static str> {
    COLUMNS.into_iter().find(|column| *column == name)
}

fn line_place(line: u64) -> Place {
    Place { line: u32::try_from(line).unwrap_or(u32::MAX), column: 1, len: 1 }
}

impl Inventory {
    fn error(&mut self, place: Place, problem: Problem) {
        let file = self.file.clone();
        self.findings.error(&file, place, problem);
    }

    fn read_csv(&mut self, text: &str) {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let header = match reader.headers() {
            Ok(header) => header.clone(),
            Err(error) => return self.error(Place::START, Problem::new(Code::BadCsv, error.to_string())),
        };
        let Some(columns) = self.csv_columns(&header, text) else { return };
        for record in reader.records() {
            match record {
                Ok(record) => self.csv_row(&record, &columns, text),
                Err(error) => {
                    let line = error.position().map_or(1, csv::Position::line);
                    self.error(line_place(line), Problem::new(Code::BadCsv, error.to_string()));
                }
            }
        }
    }

    fn csv_columns(&mut self, header: &csv::StringRecord, text: &str) -> Option<Vec<&'static str>> {
        let before = self.findings.len();
        let mut columns = Vec::new();
        for (index, name) in header.iter().enumerate() {
            let place = csv_field_place(header, index, text);
            match column(name.trim()) {
                Some(known) if columns.contains(&known) => {
                    self.error(place, Problem::new(Code::BadCsv, format!("column `{known}` is given twice")));
                }
                Some(known) => columns.push(known),
                None => {
                    let message = format!("unknown column `{name}`");
                    self.error(place, Problem::new(Code::UnknownKey, message).hint(did_you_mean(name, &COLUMNS)));
                }
            }
        }
        for required in REQUIRED.into_iter().filter(|required| !columns.contains(required)) {
            let message = format!("column `{required}` is missing");
            let hint = format!("the first line names the columns: {}", COLUMNS.join(","));
            self.error(Place::START, Problem::new(Code::MissingField, message).hint(hint));
        }
        (self.findings.len() == before).then_some(columns)
    }

    fn csv_row(&mut self, record: &csv::StringRecord, columns: &[&'static str], text: &str) {
        let place = line_place(record.position().map_or(1, csv::Position::line));
        if record.len() != columns.len() {
            let message = format!("the row has {} fields, and the first line names {}", record.len(), columns.len());
            let hint = "give each column a field, empty where there is none";
            return self.error(place, Problem::new(Code::BadCsv, message).hint(hint));
        }
        let fields = columns
            .iter()
            .enumerate()
            .filter_map(|(index, column)| {
                let value = record.get(index).unwrap_or_default().trim();
                (!value.is_empty()).then(|| (*column, (value.to_owned(), csv_field_place(record, index, text))))
            })
            .collect();
        self.rows.push(Row { place, fields });
    }

    fn read_ndjson(&mut self, text: &str) {
        for (index, line) in text.lines().enumerate() {
            let place = line_place(index as u64 + 1);
            if line.trim().is_empty() {
                continue;
            }
            match serde_json::from_str::<Value>(line) {
                // The header line of an NDJSON export.
                Ok(value) if value.get("formatVersion").is_some() => {}
                Ok(value) => self.json_row(&value, place),
                Err(error) => {
                    let place = Place { column: u32::try_from(error.column()).unwrap_or(1).max(1), ..place };
                    self.error(place, Problem::new(Code::WrongType, format!("the line is not JSON: {error}")));
                }
            }
        }
    }

    fn read_json(&mut self, text: &str) {
        let value: Value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(error) => {
                let place = Place {
                    line: u32::try_from(error.line()).unwrap_or(1).max(1),
                    column: u32::try_from(error.column()).unwrap_or(1).max(1),
                    len: 1,
                };
                return self.error(place, Problem::new(Code::WrongType, format!("the file is not JSON: {error}")));
            }
        };
        let items = value.get("resources").unwrap_or(&value);
        let Some(items) = items.as_array() else {
            let problem =
                Problem::new(Code::WrongType, "an inventory is a list of resources").hint("write `[{\"id\": …}, …]`");
            return self.error(Place::START, problem);
        };
        let places = object_places(text, if value.is_array() { 1 } else { 2 });
        for (index, item) in items.iter().enumerate() {
            self.json_row(item, places.get(index).copied().unwrap_or(Place::START));
        }
    }

    fn json_row(&mut self, item: &Value, place: Place) {
        let Some(object) = item.as_object() else {
            return self.error(place, Problem::new(Code::WrongType, "a resource is an object"));
        };
        let mut fields = BTreeMap::new();
        for (name, value) in object {
            let Some(known) = column(name) else {
                let message = format!("unknown key `{name}`");
                self.error(place, Problem::new(Code::UnknownKey, message).hint(did_you_mean(name, &COLUMNS)));
                continue;
            };
            match json_text(known, value) {
                Ok(text) if text.is_empty() => {}
                Ok(text) => {
                    fields.insert(known, (text, place));
                }
                Err(problem) => self.error(place, problem),
            }
        }
        self.rows.push(Row { place, fields });
    }
}

/// A JSON value as the text that the CSV column would have.
fn json_text(column: &str, value: &Value) -> Result<String, Problem> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.trim().to_owned()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Number(number) if number.is_f64() => Err(Problem::new(
            Code::BadNumber,
            format!("`{column}` is a binary fraction, which cannot hold {number} exactly"),
        )
        .hint(format!("write \"{number}\" in quotes"))),
        Value::Number(number) => Ok(number.to_string()),
        Value::Object(labels) if column == "labels" => {
            let pairs: Result<Vec<String>, Problem> = labels
                .iter()
                .map(|(key, value)| match value {
                    // Joined as in CSV, such a label would be read back as others.
                    Value::String(text) if key.contains(['=', ';']) || text.contains(';') => {
                        Err(Problem::new(Code::WrongType, format!("label `{key}` has a `=` or `;`"))
                            .hint("a key has neither, and a value has no `;`"))
                    }
                    Value::String(text) => Ok(format!("{key}={text}")),
                    _ => Err(Problem::new(Code::WrongType, format!("label `{key}` is not a text"))),
                })
                .collect();
            Ok(pairs?.join(";"))
        }
        Value::Array(_) | Value::Object(_) => {
            Err(Problem::new(Code::WrongType, format!("`{column}` is not a text, number or true/false")))
        }
    }
}

/// Places of the objects at a depth of a JSON text that was already found well-formed.
fn object_places(text: &str, depth_wanted: usize) -> Vec<Place> {
    let mut places = Vec::new();
    let (mut depth, mut line, mut column) = (0_usize, 1_u32, 0_u32);
    let (mut in_text, mut escaped) = (false, false);
    for character in text.chars() {
        column = column.saturating_add(1);
        if character == '\n' {
            line = line.saturating_add(1);
            column = 0;
        }
        if in_text {
            in_text = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        match character {
            '"' => in_text = true,
            '{' | '[' => {
                if character == '{' && depth == depth_wanted {
                    places.push(Place { line, column, len: 1 });
                }
                depth = depth.saturating_add(1);
            }
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    places
}
