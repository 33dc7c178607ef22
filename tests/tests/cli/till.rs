//! Machines that are paid at a gateway with a ledger of its own: a process that this program starts once.

use renewd_tests::bank::Bank;
use renewd_tests::bank::shop::{Shop, Template, Wallet, plugins, scratch};
use renewd_tests::binary;
use std::sync::OnceLock;

/// The moment at which automatic renewals are due, as the gateway's clock has it: see `due::DUE`.
const DUE_SECONDS: &str = "1796238000";
/// A card that pays.
pub(crate) const CARD: (&str, Option<&str>) = ("card", Some("pm_card_visa"));

fn bank() -> &'static Bank {
    static BANK: OnceLock<(Bank, tempfile::TempDir)> = OnceLock::new();
    let made = || {
        let folder = scratch();
        (Bank::start(env!("CARGO_BIN_EXE_renewd-bank"), folder.path(), &["--created", DUE_SECONDS]), folder)
    };
    &BANK.get_or_init(made).0
}

/// Machines under a policy that are paid with these methods, at a till of their own where this goes wrong.
pub(crate) fn shop(policy: &str, wallet: Vec<(&'static str, Option<&'static str>)>, count: usize, fates: &str) -> Shop {
    let template = Template::new(bank(), &Wallet(wallet), count);
    template.write("policies/policy.yaml", policy);
    let confirming = plugins(&bank().base())
        .replace("config: { apiBase", "config: { returnUrl: \"https://shop.example/back\", apiBase");
    template.write("policies/plugins.yaml", &confirming);
    template.run(0, ["apply", "policies"]);
    let shop = Shop::open(&template, bank(), binary::renewd());
    shop.till.fates(fates);
    shop
}
