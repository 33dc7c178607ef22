//! Help: every page in one snapshot, and at most thirteen commands on the first.

use super::support::renewd;
use expect_test::expect_file;

#[test]
fn there_are_at_most_thirteen_commands() {
    let command = renewd_cli::command();
    let visible = command.get_subcommands().filter(|command| !command.is_hide_set()).count();
    assert!(visible <= 13, "{visible} commands");
}

#[test]
fn help_and_version_are_answers() {
    for args in [vec!["--help"], vec!["-h"], vec!["--version"], vec!["renew", "--help"], vec!["help", "orders", "pay"]]
    {
        let ran = renewd(&args);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{args:?}");
        assert!(!ran.stdout.is_empty(), "{args:?}");
    }
}

/// The page of every command. `UPDATE_EXPECT=1 cargo test -p renewd-cli` writes it anew; read the difference.
#[test]
fn every_help_page() {
    let mut pages = String::from("# Help of every command\n\nWritten by a test of renewd-cli.\n");
    add_pages(&renewd_cli::command(), &mut Vec::new(), &mut pages);
    expect_file!["expected/help.md"].assert_eq(&pages);
}

#[test]
fn every_command_shows_examples() {
    let mut pages = String::new();
    add_pages(&renewd_cli::command(), &mut Vec::new(), &mut pages);
    for page in pages.split("\n## ").skip(1) {
        assert!(page.contains("\nExample"), "no example in {page}");
    }
}

fn add_pages(command: &clap::Command, path: &mut Vec<String>, pages: &mut String) {
    let args: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
    let page = renewd(&args).stdout;
    let title = std::iter::once("renewd").chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    pages.push_str(&format!("\n## {title}\n\n```text\n{}\n```\n", page.trim_end()));
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        path.push(sub.get_name().to_owned());
        add_pages(sub, path, pages);
        path.pop();
    }
}
