//! `renewd plugin test`: one call of a plugin, outside of any order.

use crate::context::Context;
use crate::error::CliError;
use crate::render;
use crate::ui::answer::{Answer, SINGLE};
use clap::{Args, ValueEnum};
use renewd_engine::{Exit, PluginCall, PluginTrial};
use std::path::{Path, PathBuf};

/// Call a plugin once, outside of any order, and show what it says
///
/// With DIR the plugin has the grants, secrets and configuration of its documents; a FILE alone is granted nothing.
/// Nothing is journaled: renewd does not learn of a payment that is made this way. `charge`, `refund` and `cancel` really
/// move money, so they need `--yes`, or `--play` with a recording, which sends nothing and needs no secret. Recordings have
/// no secret in them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  renewd plugin test price-list policies/ --call quote --request quote.json
  renewd plugin test stripe policies/ --call find-charge --request ask.json --record found.json
  renewd plugin test stripe policies/ --call find-charge --request ask.json --play found.json
  renewd plugin test stripe policies/ --call charge --request charge.json --yes
  renewd plugin test plugins/dist/invoice.wasm --call check-config --config '{\"netDays\": 30}'")]
pub(crate) struct TestArgs {
    /// The plugin's name in DIR, or its file
    #[arg(value_name = "NAME|FILE")]
    plugin: String,
    /// The directory of documents
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Call describe, check-config, quote, charge, find-charge, refund, find-refund or cancel
    #[arg(long, value_enum, value_name = "FUNCTION", hide_possible_values = true)]
    call: Function,
    /// Read the request from this JSON file
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// Use this configuration: JSON, or a file of it
    #[arg(long, value_name = "JSON|FILE")]
    config: Option<String>,
    /// Write what was sent and answered to this file
    #[arg(long, value_name = "FILE", conflicts_with = "play")]
    record: Option<PathBuf>,
    /// Answer out of this recording, without any network
    #[arg(long, value_name = "FILE")]
    play: Option<PathBuf>,
    /// Really move money
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Function {
    Describe,
    CheckConfig,
    Quote,
    Charge,
    FindCharge,
    Refund,
    FindRefund,
    Cancel,
}

impl From<Function> for PluginCall {
    fn from(function: Function) -> Self {
        match function {
            Function::Describe => Self::Describe,
            Function::CheckConfig => Self::CheckConfig,
            Function::Quote => Self::Quote,
            Function::Charge => Self::Charge,
            Function::FindCharge => Self::FindCharge,
            Function::Refund => Self::Refund,
            Function::FindRefund => Self::FindRefund,
            Function::Cancel => Self::Cancel,
        }
    }
}

pub(crate) fn test(context: &Context<'_>, args: &TestArgs) -> Result<Exit, CliError> {
    let ui = context.ui;
    ui.require(SINGLE)?;
    let call = PluginCall::from(args.call);
    if call.moves_money() && args.play.is_none() && !args.yes {
        let message = format!("`{}` really moves money, and no order will know of it", call.as_str());
        return Err(CliError::usage(
            message,
            "add `--yes` if that is meant, or answer out of a recording with `--play`",
        ));
    }
    let trial = PluginTrial {
        plugin: args.plugin.clone(),
        directory: args.directory.clone(),
        call,
        config: args.config.as_deref().map(config).transpose()?,
        request: args.request.clone(),
        record: args.record.clone(),
        play: args.play.clone(),
    };
    let view = context.engine()?.plugin_test(&trial)?;
    ui.answer(&Answer::one("plugin-test", &view), |page| render::plugin::trial(page, &view))?;
    Ok(view.exit)
}

/// A configuration that begins like JSON is one; anything else names a file. The plugin judges what it says.
fn config(text: &str) -> Result<String, CliError> {
    let json = match text.trim_start().starts_with(['{', '[']) {
        true => text.to_owned(),
        false => std::fs::read_to_string(text).map_err(|error| CliError::unreadable(Path::new(text), &error))?,
    };
    match serde_json::from_str::<serde_json::Value>(&json) {
        Ok(_) => Ok(json),
        Err(error) => {
            let hint = "write it like `{\"netDays\": 30}`, or name a file of it".to_owned();
            Err(CliError::input("bad-config", format!("the configuration is no JSON: {error}"), hint))
        }
    }
}
