//! Selectors on the command line: the same flag twice means or, different flags mean and.

use crate::error::CliError;
use crate::values::{self, quoted};
use clap::Args;
use renewd_core::documents::{Mode, Pattern};
use renewd_core::ids::ResourceId;
use renewd_core::resource::Phase;
use renewd_engine::Selector;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Largest file of ids that is read, in bytes.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Flags that select resources.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Selection (same flag: or; different flags: and; `*` spans any characters)")]
pub(crate) struct SelectorArgs {
    /// Ids or id globs, such as `phone-*`
    #[arg(value_name = "RESOURCE")]
    ids: Vec<String>,
    /// Only resources of this account
    #[arg(long, value_name = "NAME")]
    account: Vec<String>,
    /// Only resources of this kind
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Only resources of this sku
    #[arg(long, value_name = "SKU")]
    sku: Vec<String>,
    /// Only resources in this region
    #[arg(long, value_name = "REGION")]
    region: Vec<String>,
    /// Only resources with this label
    #[arg(long, value_name = "KEY=VALUE")]
    label: Vec<String>,
    /// Only resources on this tab: manual, auto, pay-per-use or expire
    #[arg(long, value_name = "TAB", value_parser = ["manual", "auto", "pay-per-use", "expire"], hide_possible_values = true)]
    tab: Vec<String>,
    /// Only resources in this phase: active, expiring, grace, retention or released
    #[arg(long, value_name = "PHASE", value_parser = ["active", "expiring", "grace", "retention", "released"], hide_possible_values = true)]
    phase: Vec<String>,
    /// Only resources that expire before this date or moment
    #[arg(long, value_name = "DATE")]
    expires_before: Option<String>,
    /// Only resources that expire within so many days, such as 30d
    #[arg(long, value_name = "DAYS")]
    expires_within: Option<String>,
    /// Only the ids in this file, one a line; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
    /// All resources
    #[arg(long)]
    all: bool,
}

impl SelectorArgs {
    /// The selector, possibly an empty one.
    pub(crate) fn read(&self) -> Result<Selector, CliError> {
        let patterns = |texts: &[String]| texts.iter().map(Pattern::new).collect::<Vec<Pattern>>();
        Ok(Selector {
            ids: patterns(&self.ids),
            accounts: patterns(&self.account),
            kinds: patterns(&self.kind),
            skus: patterns(&self.sku),
            regions: patterns(&self.region),
            labels: self.label.iter().map(|text| label(text)).collect::<Result<_, _>>()?,
            tabs: Mode::ALL.into_iter().filter(|mode| self.tab.iter().any(|tab| tab == mode.as_str())).collect(),
            phases: Phase::ALL.into_iter().filter(|it| self.phase.iter().any(|phase| phase == it.as_str())).collect(),
            expires_before: self.expires_before.as_deref().map(values::moment).transpose()?,
            expires_within: self.expires_within.as_deref().map(values::days).transpose()?,
            from_file: self.from_file.as_deref().map(ids_from).transpose()?,
            search: None,
            all: self.all,
        })
    }

    /// The selector of a command that changes or charges something: never everything by accident.
    pub(crate) fn require(&self) -> Result<Selector, CliError> {
        refuse_empty(self.read()?)
    }
}

/// Refuses a selector that says nothing.
pub(crate) fn refuse_empty(selector: Selector) -> Result<Selector, CliError> {
    if selector.is_empty() {
        let hint = "name resources, or narrow with flags such as `--tab` or `--expires-within`; `--all` means all";
        return Err(CliError::usage("nothing is selected", hint));
    }
    Ok(selector)
}

fn label(text: &str) -> Result<(String, Pattern), CliError> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), Pattern::new(value))),
        Some(_) | None => {
            let message = format!("{} is not a label", quoted(text));
            Err(CliError::input("bad-label", message, "write it like `--label env=prod`".to_owned()))
        }
    }
}

fn ids_from(file: &Path) -> Result<BTreeSet<ResourceId>, CliError> {
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().lock().take(FILE_BYTES_MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|opened| opened.take(FILE_BYTES_MAX).read_to_string(&mut text))
    };
    read.map_err(|error| CliError::unreadable(file, &error))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut ids = BTreeSet::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let id = ResourceId::new(line).map_err(|error| {
            let place = format!("{}:{}", file.display(), index.saturating_add(1));
            let hint = "write one id a line, as `renewd list -o ids` does".to_owned();
            CliError::input("bad-name", format!("{place}: {} cannot be an id: {error}", quoted(line)), hint)
        })?;
        ids.insert(id);
    }
    Ok(ids)
}
