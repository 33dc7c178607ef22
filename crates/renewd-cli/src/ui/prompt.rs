//! Questions to a person. Callers must have made sure that somebody is there to answer.

use super::clean;
use crate::error::CliError;
use dialoguer::{Confirm, Select};

/// Asks for a yes; anything else, Escape and end of input included, is a no.
pub(crate) fn confirm(question: &str) -> Result<(), CliError> {
    let answer = Confirm::new().with_prompt(clean::line(question)).default(false).interact_opt();
    match answer {
        Ok(Some(true)) => Ok(()),
        Ok(Some(false) | None) | Err(_) => Err(CliError::NotConfirmed),
    }
}

/// Asks to choose one of several; the first is the default. Escape ends the command.
pub(crate) fn choose<T: Clone>(question: &str, choices: &[(String, T)]) -> Result<T, CliError> {
    let labels: Vec<String> = choices.iter().map(|(label, _)| clean::line(label)).collect();
    let answer = Select::new().with_prompt(clean::line(question)).items(&labels).default(0).interact_opt();
    let index = answer.ok().flatten().ok_or(CliError::NotConfirmed)?;
    choices.get(index).map(|(_, value)| value.clone()).ok_or(CliError::NotConfirmed)
}
