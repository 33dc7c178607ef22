//! Single values against the shape that their field has, and how they must be written for every reader to agree.

use crate::fields::{Shape, Target};
use crate::finding::{Code, Problem, quoted};
use crate::tree::Scalar;
use crate::tree::scalar::Plain;
use crate::values;

/// Checks a scalar that is not null; gives the target back when it names another document.
pub(super) fn check_scalar(scalar: &Scalar, name: &str, shape: &'static Shape) -> Result<Option<Target>, Problem> {
    let text = scalar.text.as_str();
    match shape {
        Shape::Name => plain_text(scalar, name).and_then(|()| values::parse_name(text).map(drop)),
        Shape::Ref(target) => {
            plain_text(scalar, name)?;
            values::parse_name(text)?;
            return Ok(Some(*target));
        }
        Shape::Text | Shape::File | Shape::Pattern => plain_text(scalar, name),
        Shape::Words(words) => check_word(text, name, words),
        Shape::Money => values::parse_money(text).map(drop),
        Shape::Currency => values::parse_currency(text).map(drop),
        Shape::Zone => values::parse_zone(text).map(drop),
        Shape::Days(least) => check_days(text, *least),
        Shape::Time => values::parse_time(text).map(drop).and_then(|()| scalar.ambiguity().map_or(Ok(()), Err)),
        Shape::Term => values::parse_term(text).map(drop),
        Shape::Percent => values::parse_percent(text).map(drop),
        Shape::Bytes => values::parse_bytes(text).map(drop),
        Shape::Millis => values::parse_millis(text).map(drop),
        Shape::Date => values::parse_date(text).map(drop),
        Shape::Moment => values::parse_moment(text).map(drop),
        Shape::Decimal => match scalar.ambiguity() {
            Some(problem) => Err(problem.hint("write plain digits with an optional decimal point, like `0.50`")),
            None => values::parse_decimal(text).map(drop),
        },
        Shape::Integer(least, most) => {
            unquoted(scalar)?;
            values::parse_integer(text, (*least, *most)).map(drop)
        }
        Shape::Times if text == "unlimited" => Ok(()),
        Shape::Times => unquoted(scalar).and_then(|()| check_times(text)),
        Shape::RenewalDay if text == "last" => Ok(()),
        Shape::RenewalDay => unquoted(scalar).and_then(|()| values::parse_renewal_day(text).map(drop)),
        Shape::AlignAsked if text == "last" || matches!(scalar.reading(), Plain::Bool(_)) => Ok(()),
        Shape::AlignAsked => unquoted(scalar).and_then(|()| check_align(text)),
        Shape::Grant => plain_text(scalar, name).and_then(|()| values::parse_grant(text).map(drop)),
        Shape::WebUrl => plain_text(scalar, name).and_then(|()| values::parse_web_url(text).map(drop)),
        Shape::Variable => plain_text(scalar, name).and_then(|()| values::parse_variable(text).map(drop)),
        Shape::List(_) | Shape::Map(_) | Shape::Secrets(_) | Shape::SecretSource(_) | Shape::Labels | Shape::Config => {
            Ok(())
        }
    }
    .map(|()| None)
}

fn check_word(text: &str, name: &str, words: &[&str]) -> Result<(), Problem> {
    if words.contains(&text) {
        return Ok(());
    }
    let message = format!("{} is not a word for `{name}`", quoted(text));
    Err(Problem::new(Code::UnknownWord, message).hint(crate::suggest::did_you_mean(text, words)))
}

fn check_days(text: &str, least: u32) -> Result<(), Problem> {
    if values::parse_days(text)?.0 >= least {
        return Ok(());
    }
    Err(Problem::new(Code::BadDays, format!("{} is too few days", quoted(text)))
        .hint(format!("write at least `{least}d`")))
}

fn check_times(text: &str) -> Result<(), Problem> {
    let most = i64::from(u32::MAX);
    values::parse_integer(text, (1, most))
        .map(drop)
        .map_err(|problem| Problem { hint: Some("write `unlimited`, or a number from 1".to_owned()), ..problem })
}

fn check_align(text: &str) -> Result<(), Problem> {
    values::parse_renewal_day(text).map(drop).map_err(|problem| match text {
        "always" | "never" | "on-request" => Problem::new(Code::UnknownWord, format!("`{text}` is a word of policies"))
            .hint("in a request write `true`, `false`, or a day from 1 to 28 or `last`"),
        _ => problem,
    })
}

/// Numbers are written without quotes, so that both readers see the number.
fn unquoted(scalar: &Scalar) -> Result<(), Problem> {
    if let Some(problem) = scalar.ambiguity() {
        let numeric = scalar.text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
        return Err(if numeric { problem.hint("write a whole number in plain digits") } else { problem });
    }
    let number = matches!(crate::tree::scalar::read_plain(&scalar.text), Plain::Integer | Plain::Bool(_));
    if scalar.plain || !number {
        return Ok(());
    }
    let message = format!("{} is in quotes, which makes it text", quoted(&scalar.text));
    Err(Problem::new(Code::WrongType, message).hint(format!("write {} without quotes", quoted(&scalar.text))))
}

/// Text that is text to every reader, and not empty.
pub(super) fn plain_text(scalar: &Scalar, name: &str) -> Result<(), Problem> {
    let named = if name == "a key" { name.to_owned() } else { format!("`{name}`") };
    let what = match scalar.reading() {
        Plain::Text if scalar.text.is_empty() => {
            let problem = Problem::new(Code::EmptyValue, format!("{named} is an empty text"));
            return Err(problem.hint("write a text, or remove the key"));
        }
        Plain::Text => return Ok(()),
        Plain::Ambiguous => {
            let hint = format!("quote it: `\"{}\"`", quoted(&scalar.text).trim_matches('`'));
            return scalar.ambiguity().map_or(Ok(()), |problem| Err(problem.hint(hint)));
        }
        Plain::Null => "nothing",
        Plain::Bool(_) => "a switch",
        Plain::Integer | Plain::Decimal => "a number",
    };
    let message = format!("{} without quotes is {what}, and {named} is text", quoted(&scalar.text));
    Err(Problem::new(Code::WrongType, message).hint(format!("write `\"{}\"`", quoted(&scalar.text).trim_matches('`'))))
}
