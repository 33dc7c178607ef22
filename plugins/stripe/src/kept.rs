//! What the gateway still keeps of a paid payment: refunds count, whoever made them.

use crate::charges;
use crate::form::Form;
use crate::gateway::{Answer, Gateway, refused, unknown};
use crate::payment::{Payment, Returned};
use crate::refund::{GivenBack, given_back};
use crate::wire::Charge;
use renewd_plugin_sdk::payment::PaymentError;

/// What is left of a payment that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kept {
    /// All of it.
    All,
    /// An amount, and the keys of the lines that it was not given back for.
    Part(i64, Vec<String>),
    /// All of it went back.
    Nothing,
}

/// What of a payment's money went back: how much, and for which lines where that was already asked.
#[derive(Debug)]
enum WentBack {
    Amount(i64),
    Listed(GivenBack),
}

impl WentBack {
    fn amount(&self) -> i64 {
        match self {
            Self::Amount(amount) => *amount,
            Self::Listed(all) => all.amount,
        }
    }
}

/// Whether any money of a payment went back.
pub(crate) fn is_touched<P: Payment>(gateway: &mut Gateway<'_>, payment: &P) -> Result<bool, PaymentError> {
    Ok(went_back(gateway, payment)?.amount() != 0)
}

/// What is left of a payment. Its refunds are only looked at where there are any.
pub(crate) fn kept<P: Payment>(gateway: &mut Gateway<'_>, payment: &P) -> Result<Kept, PaymentError> {
    let (taken, _) = payment.money();
    let went_back = went_back(gateway, payment)?;
    match went_back.amount() {
        0 => return Ok(Kept::All),
        amount if amount >= taken => return Ok(Kept::Nothing),
        amount if amount < 0 => {
            return Err(unknown("strange-refund", "the gateway says that less than nothing went back".to_owned()));
        }
        _ => {}
    }
    let left = taken.saturating_sub(went_back.amount());
    let undone = match went_back {
        WentBack::Listed(all) => all.lines,
        WentBack::Amount(_) => given_back(gateway, payment.id())?.lines,
    };
    let lines = payment.metadata().lines().filter(|line| !undone.iter().any(|gone| gone == line));
    Ok(Kept::Part(left, lines.map(str::to_owned).collect()))
}

fn went_back<P: Payment>(gateway: &mut Gateway<'_>, payment: &P) -> Result<WentBack, PaymentError> {
    let name = match payment.returned() {
        Returned::Amount(amount) => return Ok(WentBack::Amount(amount)),
        Returned::OfRefunds => return given_back(gateway, payment.id()).map(WentBack::Listed),
        Returned::OfCharge(name) => name.to_owned(),
    };
    let charge = match gateway.get::<Charge>(&charges::path_of(&name), &Form::default())? {
        Answer::Done(charge) => charge,
        Answer::Refused(refusal) => return Err(refused(&refusal)),
    };
    if charge.id != name {
        return Err(unknown("foreign-reply", "the gateway's reply is that of another charge".to_owned()));
    }
    match charge.returned() {
        Returned::Amount(amount) => Ok(WentBack::Amount(amount)),
        Returned::OfCharge(_) | Returned::OfRefunds => given_back(gateway, payment.id()).map(WentBack::Listed),
    }
}
