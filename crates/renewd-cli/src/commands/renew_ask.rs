//! What `renew` asks a person: term, day and method; and the date that `latest` stands for.

use crate::error::CliError;
use crate::ui::prompt;
use crate::values;
use chrono::NaiveDate;
use renewd_core::calendar::Term;
use renewd_core::documents::AlignAsked;
use renewd_core::ids::MethodName;
use renewd_engine::{Engine, RenewAsk, Selector};

/// What flags have answered already.
pub(crate) struct Asked {
    pub(crate) term: bool,
    pub(crate) day: bool,
    pub(crate) method: bool,
}

impl Asked {
    pub(crate) fn everything(&self) -> bool {
        self.term && self.day && self.method
    }
}

/// What a person chose.
pub(crate) struct Chosen {
    pub(crate) ask: RenewAsk,
    pub(crate) pay_later: bool,
}

/// How to pay.
#[derive(Clone)]
enum Payment {
    Methods,
    One(MethodName),
    Later,
}

/// Asks for what no flag has said.
pub(crate) fn choose(engine: &Engine, selector: &Selector, ask: &RenewAsk, asked: &Asked) -> Result<Chosen, CliError> {
    let mut chosen = Chosen { ask: ask.clone(), pay_later: false };
    if !asked.term {
        let terms = engine.terms(selector)?;
        if terms.len() > 1 {
            chosen.ask.wish.term = prompt::choose("term", &term_choices(&terms))?;
        }
    }
    if !asked.day {
        chosen.ask.wish.align = prompt::choose("renewal day", &day_choices())?;
    }
    if !asked.method {
        match prompt::choose("payment", &payment_choices(&engine.methods(selector)?))? {
            Payment::Methods => {}
            Payment::One(method) => chosen.ask.pay_with = Some(method),
            Payment::Later => chosen.pay_later = true,
        }
    }
    Ok(chosen)
}

fn term_choices(terms: &[Term]) -> Vec<(String, Option<Term>)> {
    let default = ("as the policy says".to_owned(), None);
    std::iter::once(default).chain(terms.iter().map(|term| (in_words(*term), Some(*term)))).collect()
}

fn in_words(term: Term) -> String {
    let months = usize::from(term.months());
    let words = if months > 0 && months.is_multiple_of(12) {
        crate::ui::words::count(months / 12, "year")
    } else {
        crate::ui::words::count(months, "month")
    };
    format!("{words} ({term})")
}

fn day_choices() -> Vec<(String, AlignAsked)> {
    vec![
        ("as the policy says".to_owned(), AlignAsked::Unsaid),
        ("align to the renewal day".to_owned(), AlignAsked::Yes),
        ("do not align".to_owned(), AlignAsked::No),
    ]
}

fn payment_choices(methods: &[MethodName]) -> Vec<(String, Payment)> {
    let mut choices = vec![("the methods in their order".to_owned(), Payment::Methods)];
    choices.extend(methods.iter().map(|method| (format!("{method} only"), Payment::One(method.clone()))));
    choices.push(("later: place the orders only".to_owned(), Payment::Later));
    choices
}

/// The date of `--same-date`; `latest` is the latest local expiry date of the selection.
pub(crate) fn same_date(engine: &Engine, selector: &Selector, text: &str) -> Result<NaiveDate, CliError> {
    if text != "latest" {
        return values::date(text);
    }
    let list = engine.list(selector)?;
    let dates = list.resources.iter().filter_map(|row| crate::ui::dates::date(&row.expiry).parse::<NaiveDate>().ok());
    dates.max().ok_or_else(|| {
        let hint = "`renewd list` with the same selection shows what it selects".to_owned();
        CliError::input("nothing-selected", "the selection is empty, so it has no latest date", hint)
    })
}
