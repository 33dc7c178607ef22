//! The configuration: `creditLimit` (for each order; without it there is none) and `netDays` (30 without it).

use renewd_plugin_sdk::config::{self, Amount, Findings, Object};
use renewd_plugin_sdk::types::Finding;

const KEYS: [&str; 2] = ["creditLimit", "netDays"];
const NET_DAYS: u32 = 30;
const NET_DAYS_MAX: u32 = 365;

/// A checked configuration.
#[derive(Debug)]
pub struct Settings {
    /// Most that one order may cost.
    pub(crate) credit_limit: Option<Amount>,
    /// Days from the invoice to its due date.
    pub(crate) net_days: u32,
}

impl Settings {
    /// Reads a JSON text.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its JSON Pointer.
    pub fn read(text: &str) -> Result<Self, Vec<Finding>> {
        let mut findings = Findings::default();
        let settings = read(text, &mut findings);
        match settings {
            Some(settings) if findings.is_empty() => Ok(settings),
            _ => Err(findings.into_vec()),
        }
    }
}

fn read(text: &str, findings: &mut Findings) -> Option<Settings> {
    let value = config::parse(text, findings)?;
    let top = Object::new(&value, "", &KEYS, findings)?;
    let credit_limit = top.amount("creditLimit", findings);
    let net_days = top.whole("netDays", 0, NET_DAYS_MAX, findings).unwrap_or(NET_DAYS);
    Some(Settings { credit_limit, net_days })
}
