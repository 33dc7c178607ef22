//! What the gateway did with money, one JSON line each, durable before it is answered. The truth that every audit is
//! held against: it is written by the gateway's process and read by the tests, and renewd never sees it.

use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// One movement of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Movement {
    /// Money was taken.
    Charged {
        /// The gateway's name for the payment.
        payment: String,
        /// The idempotency key that it was taken under.
        key: String,
        /// The order that it carries.
        order: String,
        /// The keys of its lines.
        lines: Vec<String>,
        /// In the currency's minor unit.
        amount: i64,
    },
    /// Money went back.
    Refunded {
        /// The gateway's name for the refund.
        refund: String,
        /// The payment that it is of.
        payment: String,
        /// The idempotency key that it was given under.
        key: String,
        /// The keys of the lines that it is for.
        lines: Vec<String>,
        /// In the currency's minor unit.
        amount: i64,
    },
}

impl Movement {
    fn to_json(&self) -> Value {
        match self {
            Self::Charged { payment, key, order, lines, amount } => {
                json!({ "charged": payment, "key": key, "order": order, "lines": lines, "amount": amount })
            }
            Self::Refunded { refund, payment, key, lines, amount } => {
                json!({ "refunded": refund, "payment": payment, "key": key, "lines": lines, "amount": amount })
            }
        }
    }

    fn from_json(value: &Value) -> Option<Self> {
        let text = |name: &str| Some(value[name].as_str()?.to_owned());
        let (key, amount) = (text("key")?, value["amount"].as_i64()?);
        let lines = value["lines"].as_array()?.iter().filter_map(|it| Some(it.as_str()?.to_owned())).collect();
        if let Some(payment) = text("charged") {
            return Some(Self::Charged { payment, key, order: text("order")?, lines, amount });
        }
        Some(Self::Refunded { refund: text("refunded")?, payment: text("payment")?, key, lines, amount })
    }
}

/// The file that movements are appended to.
#[derive(Debug)]
pub struct Writer(File);

impl Writer {
    /// Opens or makes a ledger.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().create(true).append(true).open(path).map(Self)
    }

    /// Appends a movement and makes it durable.
    ///
    /// # Errors
    /// The disk fails; the movement must then not be answered as done.
    pub fn append(&mut self, movement: &Movement) -> io::Result<()> {
        self.0.write_all(format!("{}\n", movement.to_json()).as_bytes())?;
        self.0.sync_data()
    }
}

/// A payment with what went back of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// The gateway's name for it.
    pub payment: String,
    /// The idempotency key that it was taken under.
    pub key: String,
    /// The order that it carries.
    pub order: String,
    /// The keys of its lines, without those for which money went back.
    pub lines: Vec<String>,
    /// In the currency's minor unit.
    pub amount: i64,
    /// What went back of it.
    pub refunded: i64,
}

impl Paid {
    /// What the gateway kept, in the currency's minor unit.
    pub fn net(&self) -> i64 {
        self.amount - self.refunded
    }
}

/// A ledger as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// All movements, oldest first.
    pub movements: Vec<Movement>,
}

impl Ledger {
    /// Reads a ledger; one that was never written is empty.
    ///
    /// # Panics
    /// A line is none that the gateway writes.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let read = |line: &str| {
            let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            Movement::from_json(&value).unwrap_or_else(|| panic!("no movement: {line}"))
        };
        Self { movements: text.lines().map(read).collect() }
    }

    /// All payments with what went back of them, oldest first.
    pub fn paid(&self) -> Vec<Paid> {
        let mut found: Vec<Paid> = Vec::new();
        for movement in &self.movements {
            match movement {
                Movement::Charged { payment, key, order, lines, amount } => found.push(Paid {
                    payment: payment.clone(),
                    key: key.clone(),
                    order: order.clone(),
                    lines: lines.clone(),
                    amount: *amount,
                    refunded: 0,
                }),
                Movement::Refunded { payment, lines, amount, .. } => {
                    let of = found.iter_mut().find(|paid| paid.payment == *payment).expect("a refund is of a payment");
                    of.refunded += amount;
                    of.lines.retain(|line| !lines.contains(line));
                }
            }
        }
        found
    }

    /// What the gateway holds of an order, oldest first.
    pub fn of_order(&self, order: &str) -> Vec<Paid> {
        self.paid().into_iter().filter(|paid| paid.order == order && 0 < paid.net()).collect()
    }
}
