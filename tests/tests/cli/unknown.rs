//! A payment whose outcome nobody knows: its resources are frozen until the gateway or a person says what happened.

use super::due::{EXPIRY, RENEWED};
use super::till::{CARD, shop};
use renewd_tests::bank::shop::Shop;
use renewd_tests::world::{ACCOUNT, POLICY, item, verdicts};

/// A world whose gateway does not answer the first charge.
fn silent() -> Shop {
    shop(POLICY, vec![CARD], 2, "charge#1=timeout-before")
}

/// An unknown order over both machines.
fn unknown(shop: &mut Shop) -> String {
    let answer = shop.run(&["renew", "--all", "--request-id", "first", "--yes", "-o", "json"]).exits(4).json();
    assert_eq!(verdicts(&answer)["unknown"], 2, "{answer}");
    item(&answer, "vm-001")["order"].as_str().unwrap().to_owned()
}

fn expiry(shop: &Shop) -> String {
    shop.expiries()["vm-001"].clone()
}

fn sequence(shop: &Shop) -> u64 {
    shop.json(&["store", "info"])["sequence"].as_u64().unwrap()
}

#[test]
fn a_payment_without_an_answer_leaves_an_unknown_order_that_freezes_its_resources() {
    let mut shop = silent();
    let order = unknown(&mut shop);
    let renew = ["renew", "vm-001", "--request-id", "second", "--yes", "-o", "json"];
    let frozen = shop.run(&renew).exits(1).json();
    assert_eq!(item(&frozen, "vm-001")["reason"], "frozen", "{frozen}");
    let hint = item(&frozen, "vm-001")["hint"].as_str().unwrap();
    assert!(hint.find("renewd run") < hint.find("orders resolve"), "the gateway is asked first: {hint}");
    for answer in [shop.run(&["orders", "pay", &order, "--yes"]), shop.run(&["orders", "cancel", &order])] {
        assert!(matches!(answer.code, Some(1 | 4)), "{answer:?}");
    }
    assert_eq!(expiry(&shop), EXPIRY);
    assert_eq!(shop.orders().len(), 1);
    shop.run(&[]).exits(0).says(&order);
}

#[test]
fn resolving_an_unknown_order_as_succeeded_renews_its_resources() {
    let mut shop = silent();
    let order = unknown(&mut shop);
    shop.run(&["orders", "resolve", &order, "--as", "succeeded"]).exits(64);
    let resolve =
        ["orders", "resolve", &order, "--as", "succeeded", "--reference", "inv-1", "--reason", "seen in the ledger"];
    shop.run(&resolve).exits(0);
    assert_eq!(expiry(&shop), RENEWED);
    let before = sequence(&shop);
    shop.run(&resolve).exits(0);
    let other = ["orders", "resolve", &order, "--as", "succeeded", "--reference", "inv-2", "--reason", "another one"];
    shop.run(&other).exits(1);
    assert_eq!(sequence(&shop), before, "said twice it changes nothing, and terminal states are final");
}

#[test]
fn resolving_an_unknown_order_as_declined_frees_its_resources() {
    let mut shop = silent();
    let order = unknown(&mut shop);
    shop.run(&["orders", "resolve", &order, "--as", "declined", "--reason", "not in the ledger"]).exits(0);
    assert_eq!(expiry(&shop), EXPIRY);
    let listed = shop.json(&["list", "vm-001"]);
    let blocked = listed["resources"][0]["blocked"].as_str().unwrap_or_default();
    assert!(!blocked.contains("unknown"), "{listed}");
}

#[test]
fn the_board_names_a_command_for_an_unknown_order() {
    let mut shop = silent();
    let order = unknown(&mut shop);
    let board = shop.json(&[]);
    let notices = board["notices"].as_array().unwrap();
    let notice = notices.iter().find(|notice| notice["kind"] == "unknown").unwrap_or_else(|| panic!("{board}"));
    assert_eq!(notice["subject"], order.as_str());
    assert!(notice["command"].as_str().unwrap().starts_with("renewd "), "{notice}");
}

/// Removals were allowed to take away the method and plugin that a later look at the gateway needs.
#[test]
fn what_an_unknown_payment_needs_cannot_be_removed() {
    let mut shop = silent();
    let order = unknown(&mut shop);
    let write = |file: &str, text: &str| std::fs::write(shop.path().join(file), text).unwrap();
    write("policies/account.yaml", &ACCOUNT.replace("{ method: on-account }", "{ method: balance }"));
    let plugins = std::fs::read_to_string(shop.path().join("policies/plugins.yaml")).unwrap();
    write("policies/plugins.yaml", plugins.split("---").next().unwrap());
    let apply = ["apply", "policies", "--allow", "removals", "-o", "json"];
    let error = shop.run(&apply).exits(1).error();
    assert_eq!(error["error"]["code"], "in-use", "{error}");
    assert!(error["error"]["hint"].as_str().unwrap().contains(&order), "{error}");
    shop.run(&["orders", "resolve", &order, "--as", "declined", "--reason", "asked the bank"]).exits(0);
    shop.run(&apply).exits(0);
}
