//! The payments of one till: what is made, found, canceled and given back, and which key was used for what.

use super::fate::{Fate, Op, Rules};
use super::form::{self, Form};
use super::ledger::{Movement, Writer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A cardholder's card that is always declined.
pub const CARD_DECLINED: &str = "pm_card_chargeDeclined";
/// A card whose bank wants the cardholder to confirm.
pub const CARD_TO_CONFIRM: &str = "pm_card_authenticationRequired";
const PER_PAGE: usize = 10;

/// A request as the gateway looks at it.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// `POST`.
    pub method: String,
    /// Without its query.
    pub path: String,
    /// The body or the query.
    pub form: Form,
    /// The idempotency key.
    pub key: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// HTTP's.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl Reply {
    pub(super) fn ok(body: Value) -> Self {
        Self { status: 200, body }
    }

    pub(super) fn refusal(status: u16, kind: &str, code: &str) -> Self {
        Self { status, body: json!({ "error": { "type": kind, "code": code, "message": code } }) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Succeeded,
    /// How many more looks until it succeeds.
    Processing(usize),
    RequiresAction,
    Failed,
    Canceled,
}

#[derive(Debug, Clone)]
struct Payment {
    id: String,
    key: String,
    amount: i64,
    currency: String,
    customer: Option<String>,
    metadata: Form,
    created: i64,
    status: Status,
    /// Why its card was refused last.
    refused: Option<&'static str>,
    refunded: i64,
}

#[derive(Debug, Clone)]
struct Refund {
    id: String,
    payment: String,
    amount: i64,
    currency: String,
    metadata: Form,
}

#[derive(Debug, Clone)]
struct Kept {
    asked: String,
    reply: Reply,
}

/// A till: everything that belongs to one secret key.
#[derive(Debug)]
pub struct Books {
    writer: Writer,
    payments: Vec<Payment>,
    refunds: Vec<Refund>,
    keys: BTreeMap<String, Kept>,
    under_way: BTreeSet<String>,
    /// Unix seconds that new payments carry.
    pub created: i64,
    /// What goes wrong.
    pub rules: Rules,
    /// How many requests of each kind came, by its word.
    pub seen: BTreeMap<&'static str, u64>,
}

impl Books {
    /// A till with an empty past.
    pub fn new(writer: Writer, created: i64) -> Self {
        Self {
            writer,
            payments: Vec::new(),
            refunds: Vec::new(),
            keys: BTreeMap::new(),
            under_way: BTreeSet::new(),
            created,
            rules: Rules::default(),
            seen: BTreeMap::new(),
        }
    }

    /// Which kind of request it is; `None` for one that the gateway does not know.
    pub fn op(asked: &Asked) -> Option<Op> {
        let rest = asked.path.strip_prefix("/v1/")?;
        let posts = asked.method == "POST";
        match rest.split('/').collect::<Vec<_>>().as_slice() {
            ["payment_intents"] if posts => Some(Op::Charge),
            ["payment_intents", _, "confirm"] if posts => Some(Op::Confirm),
            ["payment_intents", _, "cancel"] if posts => Some(Op::Cancel),
            ["payment_intents" | "charges", ..] if !posts => Some(Op::Find),
            ["refunds"] if posts => Some(Op::Refund),
            ["refunds", ..] if !posts => Some(Op::FindRefund),
            _ => None,
        }
    }

    /// Counts a request and tells what is to happen to it.
    pub fn fate(&mut self, op: Op) -> Fate {
        *self.seen.entry(op.word()).or_default() += 1;
        self.rules.next(op)
    }

    /// What was answered under a key before, or that somebody is at it. Otherwise the key is taken until
    /// [`Books::keep`].
    pub fn begin(&mut self, asked: &Asked) -> Option<Reply> {
        let key = asked.key.as_ref()?;
        if let Some(kept) = self.keys.get(key) {
            let same = kept.asked == signature(asked);
            return Some(if same {
                kept.reply.clone()
            } else {
                Reply::refusal(400, "idempotency_error", "key_reused")
            });
        }
        let free = self.under_way.insert(key.clone());
        (!free).then(|| Reply::refusal(409, "invalid_request_error", "idempotency_key_in_use"))
    }

    /// Keeps an answer under its key, or gives the key back.
    pub fn keep(&mut self, asked: &Asked, reply: Option<&Reply>) {
        let Some(key) = &asked.key else { return };
        self.under_way.remove(key);
        if let Some(reply) = reply {
            self.keys.insert(key.clone(), Kept { asked: signature(asked), reply: reply.clone() });
        }
    }

    /// Does what is asked.
    pub fn act(&mut self, op: Op, asked: &Asked, fate: Fate) -> Reply {
        match op {
            Op::Charge => self.charge(asked, fate),
            Op::Confirm => self.confirm(asked),
            Op::Cancel => self.cancel(asked),
            Op::Find if asked.path == "/v1/payment_intents" => self.list(&asked.form),
            Op::Find => self.one(asked),
            Op::Refund => self.refund(asked, fate),
            Op::FindRefund => self.list_refunds(&asked.form),
        }
    }

    /// The cardholder confirms, or the bank ends what was under way.
    pub fn complete(&mut self, payment: &str) -> Reply {
        match self.position(payment) {
            Some(index) => self.succeed(index),
            None => missing(),
        }
    }

    fn charge(&mut self, asked: &Asked, fate: Fate) -> Reply {
        let field = |name: &str| asked.form.get(name).cloned();
        let (Some(key), Some(method)) = (asked.key.clone(), field("payment_method")) else {
            return Reply::refusal(400, "invalid_request_error", "parameter_missing");
        };
        let Some(amount) = field("amount").and_then(|text| text.parse::<i64>().ok()).filter(|amount| 0 < *amount)
        else {
            return Reply::refusal(400, "invalid_request_error", "amount_too_small");
        };
        self.payments.push(Payment {
            id: format!("pi_{:06}", self.payments.len() + 1),
            key,
            amount,
            currency: field("currency").unwrap_or_default(),
            customer: field("customer"),
            metadata: form::metadata(&asked.form),
            created: self.created,
            status: Status::Failed,
            refused: None,
            refunded: 0,
        });
        let index = self.payments.len() - 1;
        match (fate, method.as_str()) {
            (Fate::Decline, _) => self.declined(index, "insufficient_funds"),
            (Fate::DeclineForGood, _) | (_, CARD_DECLINED) => self.declined(index, "stolen_card"),
            (_, CARD_TO_CONFIRM) => self.declined(index, "authentication_required"),
            (Fate::Processing(looks), _) => {
                self.payments[index].status = Status::Processing(looks);
                Reply::ok(shown(&self.payments[index]))
            }
            _ => self.succeed(index),
        }
    }

    fn declined(&mut self, index: usize, code: &'static str) -> Reply {
        self.payments[index].refused = Some(code);
        let mut error = refusal_of(code);
        error["payment_intent"] = shown(&self.payments[index]);
        Reply { status: 402, body: json!({ "error": error }) }
    }

    /// INVARIANT (ledger-first): the money is in the ledger before anybody is told that it was taken.
    fn succeed(&mut self, index: usize) -> Reply {
        let payment = &mut self.payments[index];
        if payment.status != Status::Succeeded {
            let movement = Movement::Charged {
                payment: payment.id.clone(),
                key: payment.key.clone(),
                order: payment.metadata.get("renewd_order").cloned().unwrap_or_default(),
                lines: lines_of(&payment.metadata),
                amount: payment.amount,
            };
            if self.writer.append(&movement).is_err() {
                return Reply::refusal(500, "api_error", "ledger");
            }
            payment.status = Status::Succeeded;
        }
        Reply::ok(shown(payment))
    }

    fn confirm(&mut self, asked: &Asked) -> Reply {
        let Some(index) = self.named(asked) else { return missing() };
        match self.payments[index].status {
            Status::Failed => {
                self.payments[index].status = Status::RequiresAction;
                Reply::ok(shown(&self.payments[index]))
            }
            Status::Succeeded | Status::Processing(_) | Status::RequiresAction | Status::Canceled => {
                Reply::refusal(400, "invalid_request_error", "payment_intent_unexpected_state")
            }
        }
    }

    fn cancel(&mut self, asked: &Asked) -> Reply {
        let Some(index) = self.named(asked) else { return missing() };
        match self.payments[index].status {
            Status::Failed | Status::RequiresAction | Status::Canceled => {
                self.payments[index].status = Status::Canceled;
                Reply::ok(shown(&self.payments[index]))
            }
            Status::Succeeded | Status::Processing(_) => {
                Reply::refusal(400, "invalid_request_error", "payment_intent_unexpected_state")
            }
        }
    }

    fn one(&mut self, asked: &Asked) -> Reply {
        let Some(index) = self.named(asked) else { return missing() };
        self.look(index);
        let payment = &self.payments[index];
        if asked.path.starts_with("/v1/charges/") {
            let body = json!({ "id": charge_of(payment), "object": "charge", "amount": payment.amount,
                "currency": payment.currency, "status": "succeeded", "captured": true,
                "refunded": payment.refunded == payment.amount, "amount_refunded": payment.refunded,
                "metadata": payment.metadata });
            return Reply::ok(body);
        }
        Reply::ok(shown(payment))
    }

    /// Newest first, filtered and page by page, as the gateway lists.
    fn list(&mut self, query: &Form) -> Reply {
        for index in 0..self.payments.len() {
            self.look(index);
        }
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<i64>().ok());
        let (from, until) = (number("created[gte]"), number("created[lte]"));
        let customer = query.get("customer");
        let all = self.payments.iter().rev().filter(|payment| {
            from.is_none_or(|from| from <= payment.created)
                && until.is_none_or(|until| payment.created <= until)
                && customer.is_none_or(|customer| payment.customer.as_ref() == Some(customer))
        });
        page(all.map(|payment| (payment.id.as_str(), shown(payment))).collect(), query)
    }

    fn refund(&mut self, asked: &Asked, fate: Fate) -> Reply {
        let named = asked.form.get("payment_intent").or_else(|| asked.form.get("charge"));
        let Some(index) = named.and_then(|id| self.position(id)) else { return missing() };
        let payment = &mut self.payments[index];
        let left = payment.amount - payment.refunded;
        let amount = asked.form.get("amount").and_then(|text| text.parse().ok()).unwrap_or(left);
        if matches!(fate, Fate::Decline | Fate::DeclineForGood) || payment.status != Status::Succeeded {
            return Reply::refusal(400, "invalid_request_error", "charge_not_refundable");
        }
        if amount < 1 || left < amount {
            return Reply::refusal(400, "invalid_request_error", "charge_already_refunded");
        }
        let refund = Refund {
            id: format!("re_{:06}", self.refunds.len() + 1),
            payment: payment.id.clone(),
            amount,
            currency: payment.currency.clone(),
            metadata: form::metadata(&asked.form),
        };
        let movement = Movement::Refunded {
            refund: refund.id.clone(),
            payment: refund.payment.clone(),
            key: asked.key.clone().unwrap_or_default(),
            lines: lines_of(&refund.metadata),
            amount,
        };
        if self.writer.append(&movement).is_err() {
            return Reply::refusal(500, "api_error", "ledger");
        }
        payment.refunded += amount;
        let body = shown_refund(&refund);
        self.refunds.push(refund);
        Reply::ok(body)
    }

    fn list_refunds(&self, query: &Form) -> Reply {
        let of = query.get("payment_intent").or_else(|| query.get("charge"));
        let of = of.and_then(|id| self.position(id)).map(|index| &self.payments[index].id);
        let all = self.refunds.iter().rev().filter(|refund| of.is_none_or(|payment| refund.payment == *payment));
        page(all.map(|refund| (refund.id.as_str(), shown_refund(refund))).collect(), query)
    }

    /// What is under way comes to its end by being looked at.
    fn look(&mut self, index: usize) {
        if let Status::Processing(looks) = self.payments[index].status {
            if looks <= 1 {
                self.succeed(index);
            } else {
                self.payments[index].status = Status::Processing(looks - 1);
            }
        }
    }

    fn named(&self, asked: &Asked) -> Option<usize> {
        self.position(asked.path.split('/').nth(3)?)
    }

    fn position(&self, id: &str) -> Option<usize> {
        self.payments.iter().position(|payment| payment.id == id || charge_of(payment) == id)
    }
}

/// The keys of lines that metadata carries.
fn lines_of(metadata: &Form) -> Vec<String> {
    let lines = metadata.iter().filter(|(name, _)| name.starts_with("renewd_lines_"));
    lines.flat_map(|(_, keys)| keys.split(' ').map(str::to_owned)).collect()
}

fn signature(asked: &Asked) -> String {
    format!("{} {} {:?}", asked.method, asked.path, asked.form)
}

fn missing() -> Reply {
    Reply::refusal(404, "invalid_request_error", "resource_missing")
}

/// Why the card was refused, as the gateway words it.
fn refusal_of(code: &str) -> Value {
    let kind = if code == "authentication_required" { code } else { "card_declined" };
    json!({ "type": "card_error", "code": kind, "decline_code": code, "message": "declined" })
}

fn charge_of(payment: &Payment) -> String {
    payment.id.replace("pi_", "ch_")
}

fn shown(payment: &Payment) -> Value {
    let status = match payment.status {
        Status::Succeeded => "succeeded",
        Status::Processing(_) => "processing",
        Status::RequiresAction => "requires_action",
        Status::Failed => "requires_payment_method",
        Status::Canceled => "canceled",
    };
    let is_paid = payment.status == Status::Succeeded;
    let page = format!("https://bank.example/confirm/{}", payment.id);
    let action = json!({ "type": "redirect_to_url", "redirect_to_url": { "url": page } });
    let wants = payment.status == Status::RequiresAction;
    json!({
        "id": payment.id, "object": "payment_intent", "amount": payment.amount, "currency": payment.currency,
        "amount_received": if is_paid { payment.amount } else { 0 }, "status": status, "created": payment.created,
        "customer": payment.customer, "metadata": payment.metadata,
        "latest_charge": if is_paid { Value::from(charge_of(payment)) } else { Value::Null },
        "next_action": if wants { action } else { Value::Null },
        "last_payment_error": payment.refused.filter(|_| !is_paid).map_or(Value::Null, refusal_of),
    })
}

fn shown_refund(refund: &Refund) -> Value {
    json!({ "id": refund.id, "object": "refund", "amount": refund.amount, "currency": refund.currency,
        "payment_intent": refund.payment, "status": "succeeded", "metadata": refund.metadata })
}

fn page(all: Vec<(&str, Value)>, query: &Form) -> Reply {
    let limit = query.get("limit").and_then(|text| text.parse().ok()).unwrap_or(PER_PAGE);
    let start = match query.get("starting_after") {
        Some(after) => all.iter().position(|(id, _)| id == after).map_or(all.len(), |at| at + 1),
        None => 0,
    };
    let more = start + limit < all.len();
    let data: Vec<Value> = all.into_iter().skip(start).take(limit).map(|(_, body)| body).collect();
    Reply::ok(json!({ "object": "list", "data": data, "has_more": more }))
}
