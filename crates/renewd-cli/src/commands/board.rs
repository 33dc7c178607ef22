//! `renewd` without a command: the board.

use crate::context::Context;
use crate::error::CliError;
use crate::render;
use crate::ui::answer::{Answer, Rows};
use renewd_engine::Exit;
use renewd_engine::view::Notice;
use serde::Serialize;

/// The answer where there is no store yet.
#[derive(Serialize)]
struct Start {
    store: String,
    next: Vec<&'static str>,
}

const COLUMNS: &[&str] = &["kind", "subject", "when", "message", "command"];

/// Commands that get somebody started, in order.
pub(crate) const FIRST_STEPS: [&str; 3] =
    ["renewd check policies/", "renewd apply policies/ --resources inventory.csv", "renewd"];

pub(crate) fn board(context: &Context<'_>) -> Result<Exit, CliError> {
    let engine = context.engine()?;
    if !engine.has_store() {
        let start = Start { store: engine.store_dir().display().to_string(), next: FIRST_STEPS.to_vec() };
        context.ui.answer(&Answer::one("start", &start), |page| render::board::start(page, &start.store))?;
        return Ok(Exit::Done);
    }
    let view = engine.board()?;
    let rows = Rows { lines: &view.notices, columns: COLUMNS, cells, id: |notice| Some(notice.subject.clone()) };
    let answer = Answer { kind: "board", body: &view, rows: Some(rows) };
    context.ui.answer(&answer, |page| render::board::board(page, &view))?;
    Ok(Exit::Done)
}

fn cells(notice: &Notice) -> Vec<String> {
    vec![
        render::board::notice_word(notice.kind).to_owned(),
        notice.subject.clone(),
        notice.when.clone().unwrap_or_default(),
        notice.message.clone(),
        notice.command.clone().unwrap_or_default(),
    ]
}
