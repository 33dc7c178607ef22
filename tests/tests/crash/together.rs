//! Two and four processes that are let go at the same instant: on the same resources one of them renews, on different
//! ones each does, and nobody waits for ever.

use crate::bank;
use renewd_tests::bank::audit::{Strictness, audit};
use renewd_tests::bank::shop::{Shop, Template, Wallet, acknowledgements};
use renewd_tests::binary::renewd;
use renewd_tests::fragment::{Fragment, forget};
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

/// Holds a command back until a line arrives on its standard input.
fn held_back(shop: &Shop, args: &[String]) -> Child {
    let ready = shop.command(args);
    let mut command = Command::new("sh");
    command.args(["-c", "read -r go; exec \"$@\"", "sh"]).arg(ready.get_program()).args(ready.get_args());
    command.current_dir(shop.path()).env_clear();
    for (name, value) in ready.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a shell")
}

/// Lets several commands go at once; answers their exit codes.
fn together(shop: &mut Shop, commands: &[Vec<String>]) -> Vec<Option<i32>> {
    let mut children: Vec<Child> = commands.iter().map(|args| held_back(shop, args)).collect();
    for child in &mut children {
        child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    let mut codes = Vec::new();
    for mut child in children {
        let (mut shown, mut said) = (String::new(), String::new());
        _ = child.stdout.take().unwrap().read_to_string(&mut shown);
        _ = child.stderr.take().unwrap().read_to_string(&mut said);
        let code = child.wait().unwrap().code();
        assert!(matches!(code, Some(0 | 1 | 4 | 7)), "{code:?}: {shown}\n{said}");
        shop.acknowledged.extend(acknowledgements(&shown));
        codes.push(code);
    }
    codes
}

fn renew(what: &str, request: &str) -> Vec<String> {
    ["renew", what, "--request-id", request, "--yes", "-o", "json", "--wait", "30"].map(str::to_owned).to_vec()
}

#[test]
fn two_and_four_processes_at_once_renew_each_resource_once() {
    forget("together");
    let template = Template::new(bank(), &Wallet::card(), 4);
    let mut tried = 0;
    for count in [2, 4] {
        let mut shop = Shop::open(&template, bank(), renewd());
        for round in 0..3 {
            let same: Vec<Vec<String>> = (0..count).map(|_| renew("--all", &format!("same-{round}"))).collect();
            let codes = together(&mut shop, &same);
            assert!(codes.contains(&Some(0)), "one of them renews: {codes:?}");
            let each: Vec<Vec<String>> =
                (0..count).map(|own| renew(&format!("vm-00{}", own + 1), &format!("own-{round}"))).collect();
            let codes = together(&mut shop, &each);
            assert_eq!(codes, vec![Some(0); count], "each renews its own");
            tried += 2 * count as u64;
        }
        let audited = audit(&shop, Strictness::Certain).is_clean(&format!("{count} at once"));
        assert_eq!(audited.settled, 3 * (1 + count), "an order for all of them, and one for each");
    }
    let note = "processes let go at the same instant, two and four at once, on the same and on different resources";
    Fragment { suite: "together".into(), tried, note: note.into(), ..Fragment::default() }.write();
}

/// One balance that is enough for two of four machines.
#[test]
fn a_balance_is_not_spent_twice_by_processes_that_pay_from_it_at_once() {
    let template = Template::new(bank(), &Wallet(vec![("balance", None)]), 4);
    for round in 0..3 {
        let mut shop = Shop::open(&template, bank(), renewd());
        shop.run(&["orders", "topup", "acme", "20.00 USD", "--reference", "wire"]).exits(0);
        let each: Vec<Vec<String>> = (1..=4).map(|own| renew(&format!("vm-00{own}"), &format!("own-{own}"))).collect();
        let mut codes = together(&mut shop, &each);
        codes.sort_unstable();
        assert_eq!(codes, [Some(0), Some(0), Some(1), Some(1)], "round {round}");
        let audited = audit(&shop, Strictness::Certain).is_clean(&format!("round {round}"));
        assert_eq!(audited.settled, 2);
    }
}
