//! `renewd mode`: moves resources between the tabs, after saying what that does to coming charges.

use crate::context::Context;
use crate::error::CliError;
use crate::render;
use crate::selector::SelectorArgs;
use crate::ui::answer::{ALL, Answer, Rows};
use crate::ui::page::Page;
use crate::ui::{prompt, words};
use crate::values;
use clap::{Args, ValueEnum};
use renewd_core::documents::Mode;
use renewd_engine::view::{ModeChangeView, ModeRow};
use renewd_engine::{Exit, ModeChoice};

/// Choose what happens to resources at their expiry
///
/// A choice stands against the policy until it ends or is given back with `mode policy`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  renewd mode auto --account acme-asia --kind cloud-phone
  renewd mode expire phone-7 --reason 'project ends' --until 2027-01-01
  renewd mode policy --all")]
pub(crate) struct ModeArgs {
    /// What happens at expiry: manual, auto, pay-per-use or expire; `policy` gives it back to the policy
    #[arg(value_enum, value_name = "MODE", hide_possible_values = true)]
    mode: Choice,
    #[command(flatten)]
    selector: SelectorArgs,
    /// Why, for the journal and for whoever asks later
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// End the choice by itself at this date or moment
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// Nothing by itself
    Manual,
    /// Charged before the expiry
    Auto,
    /// Billed by use afterwards
    PayPerUse,
    /// The renewal is canceled
    Expire,
    /// As the policy says
    Policy,
}

const COLUMNS: &[&str] = &["id", "before", "after", "nextChargeBefore", "nextChargeAfter", "changed", "refused"];

pub(crate) fn mode(context: &Context<'_>, args: &ModeArgs) -> Result<Exit, CliError> {
    let ui = context.ui;
    ui.require(ALL)?;
    let selector = args.selector.require()?;
    let choice = args.choice()?;
    let engine = context.engine()?;
    if ui.interactive() && !args.yes {
        let preview = engine.mode_preview(&selector, &choice)?;
        if preview.changed > 0 {
            let mut page = Page::new(ui.screen);
            render::mode::change(&mut page, &preview);
            ui.show_page(&page)?;
            prompt::confirm(&format!("change {}?", words::count(preview.changed, "resource")))?;
        }
    }
    let view = engine.mode(&selector, &choice)?;
    let rows = Rows { lines: &view.rows, columns: COLUMNS, cells, id: |row| Some(row.resource.to_string()) };
    let answer = Answer { kind: "mode-change", body: &view, rows: Some(rows) };
    ui.answer(&answer, |page| render::mode::change(page, &view))?;
    Ok(exit_of(&view))
}

impl ModeArgs {
    fn choice(&self) -> Result<ModeChoice, CliError> {
        let mode = match self.mode {
            Choice::Manual => Some(Mode::Manual),
            Choice::Auto => Some(Mode::Auto),
            Choice::PayPerUse => Some(Mode::PayPerUse),
            Choice::Expire => Some(Mode::Expire),
            Choice::Policy => None,
        };
        if mode.is_none() && self.until.is_some() {
            return Err(CliError::usage("`mode policy` has no end", "leave `--until` out"));
        }
        let until = self.until.as_deref().map(values::moment).transpose()?;
        Ok(ModeChoice { mode, reason: self.reason.clone(), until })
    }
}

fn exit_of(view: &ModeChangeView) -> Exit {
    let refused = view.rows.iter().filter(|row| row.refused.is_some()).count();
    match refused {
        0 => Exit::Done,
        all if all == view.rows.len() => Exit::Refused,
        _ => Exit::Partly,
    }
}

fn cells(row: &ModeRow) -> Vec<String> {
    vec![
        row.resource.to_string(),
        row.before.to_string(),
        row.after.to_string(),
        row.next_charge_before.clone().unwrap_or_default(),
        row.next_charge_after.clone().unwrap_or_default(),
        row.changed.to_string(),
        row.refused.clone().unwrap_or_default(),
    ]
}
