//! What happens to a request, and to which ones: rules such as `charge#2=reset-after`, `find#1-3=blind`,
//! `refund#*=error-after`, `charge#%5=busy` (each fifth), and `seed=7:30` (30 % of all requests, drawn from a seed).

use crate::dice::Dice;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What kind of request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// A payment is made.
    Charge,
    /// A payment is confirmed by its cardholder.
    Confirm,
    /// A payment is canceled.
    Cancel,
    /// A payment is looked for.
    Find,
    /// Money goes back.
    Refund,
    /// A refund is looked for.
    FindRefund,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Charge, Self::Confirm, Self::Cancel, Self::Find, Self::Refund, Self::FindRefund];

    /// The word in rules.
    pub fn word(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Confirm => "confirm",
            Self::Cancel => "cancel",
            Self::Find => "find",
            Self::Refund => "refund",
            Self::FindRefund => "find-refund",
        }
    }

    fn changes_something(self) -> bool {
        match self {
            Self::Charge | Self::Confirm | Self::Cancel | Self::Refund => true,
            Self::Find | Self::FindRefund => false,
        }
    }
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing bad.
    Well,
    /// Done, and answered late.
    Slow(Duration),
    /// Declined for lack of funds.
    Decline,
    /// Declined for good.
    DeclineForGood,
    /// Nothing is done, and no answer comes: the connection closes after a while.
    TimeoutBefore(Duration),
    /// It is done, and no answer comes.
    TimeoutAfter(Duration),
    /// No answer comes, and only after a while it is done.
    Stall(Duration),
    /// The connection is reset, nothing is done.
    ResetBefore,
    /// It is done, and the connection is reset.
    ResetAfter,
    /// 500, nothing is done.
    ErrorBefore,
    /// It is done, and the answer is 500.
    ErrorAfter,
    /// It is done, and the answer is 200 with a text that nobody can read.
    Garbage,
    /// It is done, and only so many bytes of the answer arrive.
    Cut(usize),
    /// It is done, and the answer arrives twice.
    Twice,
    /// 429, nothing is done.
    Busy,
    /// The payment is under way; it succeeds when it is looked at for the n-th time.
    Processing(usize),
    /// A search sees nothing, though there may be something.
    Blind,
}

impl Fate {
    /// What a seed may draw for a request that changes something.
    pub const OF_CHANGES: [Self; 13] = [
        Self::Decline,
        Self::DeclineForGood,
        Self::TimeoutBefore(Duration::from_millis(20)),
        Self::TimeoutAfter(Duration::from_millis(20)),
        Self::ResetBefore,
        Self::ResetAfter,
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::Garbage,
        Self::Cut(60),
        Self::Twice,
        Self::Busy,
        Self::Slow(Duration::from_millis(30)),
    ];
    /// What a seed may draw for a request that only looks.
    pub const OF_LOOKS: [Self; 8] = [
        Self::TimeoutBefore(Duration::from_millis(20)),
        Self::ResetBefore,
        Self::ErrorBefore,
        Self::Garbage,
        Self::Cut(60),
        Self::Twice,
        Self::Busy,
        Self::Blind,
    ];
}

impl FromStr for Fate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, argument) = text.split_once(':').unwrap_or((text, ""));
        let number = |default: usize| argument.parse::<usize>().unwrap_or(default);
        let time = |default: usize| Duration::from_millis(number(default) as u64);
        match word {
            "well" => Ok(Self::Well),
            "slow" => Ok(Self::Slow(time(800))),
            "decline" => Ok(Self::Decline),
            "decline-for-good" => Ok(Self::DeclineForGood),
            "timeout-before" => Ok(Self::TimeoutBefore(time(50))),
            "timeout-after" => Ok(Self::TimeoutAfter(time(50))),
            "stall" => Ok(Self::Stall(time(200))),
            "reset-before" => Ok(Self::ResetBefore),
            "reset-after" => Ok(Self::ResetAfter),
            "error-before" => Ok(Self::ErrorBefore),
            "error-after" => Ok(Self::ErrorAfter),
            "garbage" => Ok(Self::Garbage),
            "cut" => Ok(Self::Cut(number(60))),
            "twice" => Ok(Self::Twice),
            "busy" => Ok(Self::Busy),
            "processing" => Ok(Self::Processing(number(1))),
            "blind" => Ok(Self::Blind),
            _ => Err(format!("`{text}` is no fate")),
        }
    }
}

/// Which requests of a kind, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Between(u64, u64),
    Each(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rule {
    op: Op,
    which: Which,
    fate: Fate,
}

/// All that is to go wrong in one till.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    seeded: Option<(Dice, u64)>,
    counts: [u64; Op::ALL.len()],
}

impl Rules {
    /// The fate of the next request of a kind: the first rule that fits, else what the seed says.
    pub fn next(&mut self, op: Op) -> Fate {
        let count = &mut self.counts[op as usize];
        *count += 1;
        let number = *count;
        let fits = |rule: &&Rule| {
            rule.op == op
                && match rule.which {
                    Which::Between(first, last) => (first..=last).contains(&number),
                    Which::Each(step) => number.is_multiple_of(step),
                }
        };
        if let Some(rule) = self.rules.iter().find(fits) {
            return rule.fate;
        }
        let Some((dice, percent)) = &mut self.seeded else { return Fate::Well };
        if dice.below(100) >= *percent {
            return Fate::Well;
        }
        let list: &[Fate] = if op.changes_something() { &Fate::OF_CHANGES } else { &Fate::OF_LOOKS };
        list[dice.below(list.len() as u64) as usize]
    }
}

impl FromStr for Rules {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut rules = Self::default();
        for part in text.split([',', ' ', '\n']).filter(|part| !part.is_empty()) {
            if let Some(seeded) = part.strip_prefix("seed=") {
                let (seed, percent) = seeded.split_once(':').unwrap_or((seeded, "20"));
                let bad = |_| format!("`{part}` is no seed with a percentage");
                rules.seeded = Some((Dice::seeded(seed.parse().map_err(bad)?), percent.parse().map_err(bad)?));
                continue;
            }
            rules.rules.push(part.parse()?);
        }
        Ok(rules)
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no rule such as `charge#2=reset-after`");
        let (head, fate) = text.split_once('=').ok_or_else(bad)?;
        let (word, which) = head.split_once('#').ok_or_else(bad)?;
        let op = Op::ALL.into_iter().find(|op| op.word() == word).ok_or_else(bad)?;
        let number = |digits: &str| digits.parse::<u64>().ok().filter(|number| 0 < *number).ok_or_else(bad);
        let which = match (which.strip_prefix('%'), which.split_once('-')) {
            (Some(step), _) => Which::Each(number(step)?),
            (None, Some((first, ""))) => Which::Between(number(first)?, u64::MAX),
            (None, Some((first, last))) => Which::Between(number(first)?, number(last)?),
            (None, None) if which == "*" => Which::Between(1, u64::MAX),
            (None, None) => Which::Between(number(which)?, number(which)?),
        };
        Ok(Self { op, which, fate: fate.parse()? })
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_pick_their_requests() {
        let mut rules: Rules =
            "charge#2=reset-after, find#1-2=blind charge#%3=busy refund#2-=error-after".parse().unwrap();
        let mut drawn = |op: Op, times: usize| (0..times).map(|_| rules.next(op)).collect::<Vec<_>>();
        assert_eq!(drawn(Op::Charge, 4), [Fate::Well, Fate::ResetAfter, Fate::Busy, Fate::Well]);
        assert_eq!(drawn(Op::Find, 3), [Fate::Blind, Fate::Blind, Fate::Well]);
        assert_eq!(drawn(Op::Refund, 3), [Fate::Well, Fate::ErrorAfter, Fate::ErrorAfter]);
    }

    #[test]
    fn a_seed_draws_the_same_fates_again() {
        let drawn = || {
            let mut rules: Rules = "seed=7:50".parse().unwrap();
            (0..200).map(|_| rules.next(Op::Charge)).collect::<Vec<_>>()
        };
        let bad = drawn().iter().filter(|fate| **fate != Fate::Well).count();
        assert!((60..140).contains(&bad), "{bad}");
        assert_eq!(drawn(), drawn());
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in ["charge", "charge#0=busy", "steal#1=busy", "charge#1=explode", "seed=x", "charge#1"] {
            assert!(text.parse::<Rules>().is_err(), "{text}");
        }
    }
}
