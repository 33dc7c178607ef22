//! What is being done while the process dies: each scenario with the world that it begins in and the end that it must
//! reach once nothing dies any more.

use crate::bank;
use renewd_tests::bank::shop::{Shop, Template, Wallet, copy_folder, plugins};
use renewd_tests::process::Answer;
use renewd_tests::world::{POLICY, inventory, machines};
use std::io::Write as _;

/// What a scenario is.
pub(crate) struct Scenario {
    /// Its name.
    pub(crate) name: &'static str,
    /// The world that is copied for each case.
    pub(crate) template: fn() -> Template,
    /// What happens in the copy before anything dies.
    pub(crate) prepare: fn(&mut Shop),
    /// What is done, and done again until it ends well.
    pub(crate) act: fn(&mut Doer<'_>),
    /// Months by which each machine is extended in the end.
    pub(crate) months: usize,
    /// What the gateway has kept in the end, in cents.
    pub(crate) paid: i64,
}

/// Runs commands until one of them dies.
pub(crate) struct Doer<'a> {
    /// The world.
    pub(crate) shop: &'a mut Shop,
    failpoint: Option<String>,
    /// Whether a command died at the failpoint; nothing is done after that.
    pub(crate) died: bool,
}

/// How a process ends at a failpoint.
const DEATH: i32 = 137;

impl<'a> Doer<'a> {
    /// Dies at a failpoint, if there is one and it is reached.
    pub(crate) fn new(shop: &'a mut Shop, failpoint: Option<&str>) -> Self {
        Self { shop, failpoint: failpoint.map(str::to_owned), died: false }
    }

    /// Runs a command.
    pub(crate) fn run(&mut self, args: &[&str]) -> Option<Answer> {
        if self.died {
            return None;
        }
        let answer = match &self.failpoint {
            Some(failpoint) => self.shop.run_to(failpoint, args),
            None => self.shop.run(args),
        };
        self.died = answer.code == Some(DEATH);
        let expected = matches!(answer.code, Some(0 | 1 | 4 | 7 | DEATH));
        assert!(expected, "`{}` ended with {:?}:\n{}\n{}", answer.line, answer.code, answer.stdout, answer.stderr);
        Some(answer)
    }

    /// The orders in a status, by id.
    pub(crate) fn orders(&self, status: &str) -> Vec<String> {
        let orders = self.shop.orders();
        let fits = orders.iter().filter(|order| order["status"] == status);
        fits.map(|order| order["order"].as_str().unwrap().to_owned()).collect()
    }

    fn placed_under(&self, request: &str) -> Vec<String> {
        let orders = self.shop.orders();
        let origin = format!("request {request}");
        let fits = orders.iter().filter(|order| order["status"] == "placed" && order["origin"] == origin.as_str());
        fits.map(|order| order["order"].as_str().unwrap().to_owned()).collect()
    }

    fn renew(&mut self, request: &str) {
        self.run(&["renew", "--all", "--request-id", request, "--yes", "-o", "json"]);
    }

    /// Pays whatever is placed.
    fn pay_all(&mut self) {
        if self.died {
            return;
        }
        for order in self.orders("placed") {
            self.run(&["orders", "pay", &order, "--yes", "-o", "json"]);
        }
    }
}

const REQUEST: &str = "\
apiVersion: renewd/v1
kind: RenewalRequest
metadata: { name: december }
spec: { match: {}, term: P1M }
";

/// Told what a run did; all copies of a world share the file.
const SINK: &str = "\
apiVersion: renewd/v1
kind: EventSink
metadata: { name: log }
spec: { file: ../events.ndjson }
";

const CARD: (&str, Option<&str>) = ("card", Some("pm_card_visa"));

fn three() -> Template {
    Template::new(bank(), &Wallet::card(), 3)
}

/// Machines of two policies that are paid by different cards, so that one renewal is two orders.
fn two_policies() -> Template {
    let mut fleet = machines(4, "2026-12-10");
    fleet.iter_mut().skip(2).for_each(|machine| machine.labels = "card=second".to_owned());
    let template = Template::of_machines(bank(), &Wallet(vec![CARD, ("second", Some("pm_card_mastercard"))]), &fleet);
    let matching =
        POLICY.replace("name: machines", "name: others").replace("[vm] }", "[vm], labels: { card: second } }");
    let other = matching.replace("  mode: manual", "  priority: 9\n  mode: manual\n  payment: [second]");
    template.write("policies/other.yaml", &other);
    template.run(0, ["apply", "policies"]);
    template
}

pub(crate) fn nothing(_: &mut Shop) {}

/// Renewed once before the scenario begins.
fn renewed(shop: &mut Shop) {
    shop.run(&["renew", "--all", "--request-id", "before", "--yes", "-o", "json"]).exits(0);
}

/// Every scenario.
pub(crate) fn all() -> Vec<Scenario> {
    [paying(), asking(), methods(), stores(), restoring(), beginning(), running()].into_iter().flatten().collect()
}

fn paying() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "renew",
            template: three,
            prepare: nothing,
            act: |doer| doer.renew("r"),
            months: 1,
            paid: 3000,
        },
        Scenario {
            name: "renew two orders",
            template: two_policies,
            prepare: nothing,
            act: |doer| doer.renew("r"),
            months: 1,
            paid: 4000,
        },
        Scenario {
            name: "renew twice over",
            template: three,
            prepare: nothing,
            act: |doer| {
                doer.renew("r");
                doer.renew("s");
            },
            months: 2,
            paid: 6000,
        },
        Scenario {
            name: "orders pay",
            template: || {
                let template = three();
                template.run(0, ["renew", "--all", "--request-id", "r", "--yes", "--pay-later"]);
                template
            },
            prepare: nothing,
            act: |doer| doer.pay_all(),
            months: 1,
            paid: 3000,
        },
    ]
}

fn methods() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "decline, then the second method",
            template: || {
                let declined = ("card", Some("pm_card_chargeDeclined"));
                Template::new(bank(), &Wallet(vec![declined, ("second", Some("pm_card_visa"))]), 3)
            },
            prepare: nothing,
            act: |doer| doer.renew("r"),
            months: 1,
            paid: 3000,
        },
        Scenario {
            name: "top-up and balance",
            template: || Template::new(bank(), &Wallet(vec![("balance", None)]), 3),
            prepare: nothing,
            act: |doer| {
                doer.run(&["orders", "topup", "acme", "100.00 USD", "--reference", "wire-1"]);
                doer.renew("r");
            },
            months: 1,
            paid: 0,
        },
        Scenario {
            name: "unknown, then resolved",
            template: three,
            prepare: |shop| {
                shop.till.fates("charge#1=reset-after");
                shop.run(&["renew", "--all", "--request-id", "r", "--yes"]).exits(4);
            },
            act: |doer| {
                for order in doer.orders("unknown") {
                    let taken = doer.shop.till.ledger().of_order(&order);
                    let Some(reference) = taken.first().map(|paid| &paid.payment) else { continue };
                    let resolve = ["orders", "resolve", &order, "--as", "succeeded", "--reference", reference];
                    doer.run(&[resolve.as_slice(), &["--reason", "ledger"]].concat());
                }
                doer.renew("s");
            },
            months: 2,
            paid: 6000,
        },
        Scenario {
            name: "held, then approved",
            template: || {
                let template = three();
                let limited = POLICY.replace("  pricing:", "  limits: { perOrder: 5 USD }\n  pricing:");
                template.write("policies/policy.yaml", &limited);
                template.run(0, ["apply", "policies"]);
                template.run(4, ["renew", "--all", "--request-id", "r", "--yes"]);
                template
            },
            prepare: nothing,
            act: |doer| {
                for order in doer.orders("held") {
                    doer.run(&["orders", "approve", &order, "--reason", "agreed"]);
                }
                doer.pay_all();
            },
            months: 1,
            paid: 3000,
        },
    ]
}

fn stores() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "import",
            template: || {
                let template = three();
                template.write("more.csv", &inventory(&machines(12, "2026-12-10")));
                template
            },
            prepare: nothing,
            act: |doer| {
                doer.run(&["import", "more.csv"]);
                doer.renew("r");
            },
            months: 1,
            paid: 12_000,
        },
        Scenario {
            name: "rebuild",
            template: three,
            prepare: renewed,
            act: |doer| {
                doer.run(&["store", "rebuild"]);
                doer.renew("r");
            },
            months: 2,
            paid: 6000,
        },
        Scenario {
            name: "torn tail",
            template: three,
            prepare: |shop| {
                renewed(shop);
                tear(shop);
            },
            act: |doer| doer.renew("r"),
            months: 2,
            paid: 6000,
        },
        Scenario {
            name: "index that is no index",
            template: three,
            prepare: |shop| {
                renewed(shop);
                spoil_index(shop);
            },
            act: |doer| doer.renew("r"),
            months: 2,
            paid: 6000,
        },
    ]
}

/// The machine is lost after a backup was made of its store.
fn restoring() -> Vec<Scenario> {
    vec![Scenario {
        name: "backup and restore",
        template: three,
        prepare: renewed,
        act: |doer| {
            let (backup, lost) = (doer.shop.path().join("copy"), doer.shop.path().join("lost"));
            if !backup.exists() {
                doer.run(&["store", "backup", "copy"]);
            }
            if doer.died {
                return;
            }
            if !lost.exists() {
                std::fs::rename(doer.shop.store(), &lost).unwrap();
            }
            if !doer.shop.store().exists() {
                doer.run(&["store", "restore", "copy"]);
            }
            if !doer.died && !doer.shop.store().join("cache").exists() {
                // What is compiled is not backed up; compiling it anew takes a second.
                copy_folder(&lost.join("cache"), &doer.shop.store().join("cache"));
            }
            doer.renew("after");
        },
        months: 2,
        paid: 6000,
    }]
}

fn asking() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "request",
            template: || {
                let template = three();
                template.write("policies/request.yaml", REQUEST);
                template
            },
            prepare: nothing,
            act: |doer| {
                doer.run(&["apply", "policies"]);
                doer.pay_all();
            },
            months: 1,
            paid: 3000,
        },
        Scenario {
            name: "cancel, then renew",
            template: || {
                let template = three();
                template.run(0, ["renew", "--all", "--request-id", "r", "--yes", "--pay-later"]);
                template
            },
            prepare: nothing,
            act: |doer| {
                for order in doer.placed_under("r") {
                    doer.run(&["orders", "cancel", &order, "--reason", "another day"]);
                }
                doer.renew("s");
            },
            months: 1,
            paid: 3000,
        },
    ]
}

fn beginning() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "first apply",
            // Plugins are compiled anew where there is no store yet: the gateway's is left out, it takes a second.
            template: || {
                let template = Template::new(bank(), &Wallet(vec![("balance", None)]), 3);
                let documents = plugins("http://127.0.0.1:1");
                template.write("policies/plugins.yaml", documents.split("---").next().unwrap());
                std::fs::remove_dir_all(template.path().join(".renewd")).unwrap();
                std::fs::remove_file(template.path().join("policies/renewd.lock")).unwrap();
                template
            },
            prepare: nothing,
            act: |doer| {
                doer.run(&["apply", "policies", "--resources", "fleet.csv"]);
                doer.run(&["orders", "topup", "acme", "100.00 USD", "--reference", "wire-1"]);
                doer.renew("r");
            },
            months: 1,
            paid: 0,
        },
        Scenario {
            name: "rehearsal",
            template: three,
            prepare: nothing,
            act: |doer| {
                doer.run(&["list", "--rehearse"]);
                doer.renew("r");
            },
            months: 1,
            paid: 3000,
        },
    ]
}

fn running() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "run",
            template: || {
                let template = two_policies();
                for file in ["policies/policy.yaml", "policies/other.yaml"] {
                    let text = std::fs::read_to_string(template.path().join(file)).unwrap();
                    let auto = "mode: auto\n  auto: { chargeBefore: 7d, chargeAt: \"03:00\" }";
                    template.write(file, &text.replace("mode: manual", auto));
                }
                template.write("policies/sinks.yaml", SINK);
                template.run(0, ["apply", "policies"]);
                template
            },
            prepare: |shop| shop.set_clock("2026-12-03T20:00:00Z"),
            act: |doer| {
                // What was declined is tried again the next day.
                if !doer.died && doer.orders("placed").iter().any(|_| doer.failpoint.is_none()) {
                    doer.shop.set_clock("2026-12-04T20:00:00Z");
                }
                doer.run(&["run", "-o", "json"]);
            },
            months: 1,
            paid: 4000,
        },
        Scenario {
            name: "reconcile",
            template: three,
            prepare: |shop| {
                shop.till.fates("charge#1=reset-after");
                shop.run(&["renew", "--all", "--request-id", "r", "--yes"]).exits(4);
                shop.set_clock("2026-11-23T11:00:00Z");
            },
            act: |doer| {
                doer.run(&["run", "-o", "json"]);
            },
            months: 1,
            paid: 3000,
        },
        Scenario {
            name: "refund, then renew",
            template: three,
            prepare: renewed,
            act: |doer| {
                if doer.died {
                    return;
                }
                let first = doer.shop.orders().into_iter().find(|order| order["origin"] == "request before").unwrap();
                if first["refunds"].as_array().is_none_or(Vec::is_empty) {
                    let id = first["order"].as_str().unwrap().to_owned();
                    doer.run(&["orders", "refund", &id, "--reason", "not needed", "--yes"]);
                }
                doer.shop.set_clock("2026-11-23T12:00:00Z");
                doer.run(&["run", "-o", "json"]);
                doer.renew("after");
            },
            months: 1,
            paid: 3000,
        },
    ]
}

/// The process died while it wrote to the journal.
pub(crate) fn tear(shop: &mut Shop) {
    let mut journal = std::fs::OpenOptions::new().append(true).open(shop.store().join("journal")).unwrap();
    journal.write_all(&[0xAB, b'r', b'e']).unwrap();
}

fn spoil_index(shop: &Shop) {
    for entry in std::fs::read_dir(shop.store().join("index")).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            std::fs::write(entry.path(), b"this is no index").unwrap();
        }
    }
}
