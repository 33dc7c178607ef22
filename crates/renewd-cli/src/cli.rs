//! The shape of the command line: global flags and the list of commands.
//!
//! At most 13 visible commands; a command that does not work yet is not on the list.

use crate::commands;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Color, Output, Ui};
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use renewd_engine::Exit;
use std::ffi::OsString;
use std::path::PathBuf;

/// Renew prepaid resources: policies in git, prices before anyone pays, every payment exactly once
///
/// Without a command, shows the board: the four tabs with their counts, and what needs a person.
#[derive(Debug, Parser)]
#[command(name = "renewd", version, max_term_width = 100, disable_help_subcommand = true, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "\
Examples:
  renewd apply policies/ --resources inventory.csv
  renewd renew --tab manual --expires-within 30d
  renewd

Exit codes:
  0 done   1 refused or declined   2 changes pending (plan --detailed-exitcode)   3 invalid input
  4 held, unknown, pending or needs action   5 store busy   6 store damaged   7 partly done
  64 usage   70 bug";

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Write the answer in this format
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    #[arg(help = "Write the answer as table, json, ndjson, yaml, csv or ids")]
    pub(crate) output: Option<Output>,
    /// Use the store in this directory
    #[arg(long, global = true, value_name = "DIR", env = "RENEWD_STORE", default_value = ".renewd")]
    pub(crate) store: PathBuf,
    /// Wait this long for another process that has the store
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 5)]
    pub(crate) wait: u32,
    /// Colour the output: auto, always or never
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub(crate) color: Color,
    /// Show everything, also what is usually summed up
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Write only answers and failures
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Work on a copy of the store with a clock of its own, which starts at TIME
    #[arg(long, global = true, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) rehearse: Option<String>,
    /// Move the clock of the rehearsal forward first, for instance by 30d
    #[arg(long, global = true, value_name = "DAYS")]
    pub(crate) advance: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Plan(commands::plan::PlanArgs),
    Apply(commands::apply::ApplyArgs),
    Check(commands::check::CheckArgs),
    Import(commands::import::ImportArgs),
    List(commands::list::ListArgs),
    Show(commands::show::ShowArgs),
    Renew(Box<commands::renew::RenewArgs>),
    Run(commands::run::RunArgs),
    Mode(commands::mode::ModeArgs),
    Align(commands::align::AlignArgs),
    Orders(commands::orders::OrdersArgs),
    Plugin(commands::plugin::PluginArgs),
    Store(commands::store::StoreArgs),
    #[command(hide = true)]
    Completions(commands::completions::CompletionsArgs),
    #[command(hide = true)]
    Man,
    #[command(hide = true)]
    Help(commands::help::HelpArgs),
}

/// The command line as clap knows it, for completions, the manual and tests.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the chosen command.
pub(crate) fn dispatch(cli: Cli, ui: &Ui, args: &[OsString]) -> Result<Exit, CliError> {
    let context = Context::new(ui, cli.global, args);
    let context = &context;
    match cli.command {
        None => commands::board::board(context),
        Some(Command::Plan(args)) => commands::plan::plan(context, &args),
        Some(Command::Apply(args)) => commands::apply::apply(context, &args),
        Some(Command::Check(args)) => commands::check::check(context, &args),
        Some(Command::Import(args)) => commands::import::import(context, &args),
        Some(Command::List(args)) => commands::list::list(context, &args),
        Some(Command::Show(args)) => commands::show::show(context, &args),
        Some(Command::Renew(args)) => commands::renew::renew(context, &args),
        Some(Command::Run(args)) => commands::run::run(context, &args),
        Some(Command::Mode(args)) => commands::mode::mode(context, &args),
        Some(Command::Align(args)) => commands::align::align(context, &args),
        Some(Command::Orders(args)) => commands::orders::orders(context, &args),
        Some(Command::Plugin(args)) => commands::plugin::plugin(context, &args),
        Some(Command::Store(args)) => commands::store::store(context, &args),
        Some(Command::Completions(args)) => commands::completions::completions(&args),
        Some(Command::Man) => commands::man::man(),
        Some(Command::Help(args)) => commands::help::help(&args),
    }
}

/// Whether a command line that could not be parsed asks for JSON, so that scripts can read what is wrong with it.
pub(crate) fn wants_json(args: &[OsString]) -> bool {
    let texts: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    let joined = texts.iter().any(|arg| matches!(*arg, "-ojson" | "-o=json" | "--output=json" | "--output=ndjson"));
    let apart = texts.windows(2).any(|pair| matches!(pair, ["-o" | "--output", "json" | "ndjson"]));
    joined || apart
}
