//! Files and trees made to hurt: each gives a clear finding, quickly, and never a panic.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use renewd_policy::{Loaded, load_dir, load_texts};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const ACCOUNT: &str =
    "apiVersion: renewd/v1\nkind: Account\nmetadata: { name: a }\nspec: { timeZone: UTC, currency: USD }\n";

/// `line:column code message` of every finding.
fn shown(loaded: &Loaded) -> Vec<String> {
    let short = |file: &str| file.rsplit('/').next().unwrap().to_owned();
    let findings = loaded.findings();
    findings
        .iter()
        .map(|f| format!("{}:{}:{} {}: {}", short(&f.file), f.place.line, f.place.column, f.code, f.message))
        .collect()
}

fn of_bytes(bytes: &[u8]) -> Vec<String> {
    shown(&load_texts([(PathBuf::from("a.yaml"), bytes)]))
}

fn tree(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    directory
}

#[test]
fn crlf_and_bom_are_accepted_and_columns_are_right() {
    let windows = format!("\u{feff}{}", ACCOUNT.replace('\n', "\r\n"));
    assert_eq!(of_bytes(windows.as_bytes()), [""; 0]);
    let faulty = windows.replace("UTC", "Asia/Tokio").replacen("kind", "kid", 1).replacen("apiVersion", "apiVersio", 1);
    assert_eq!(
        of_bytes(faulty.as_bytes()),
        [
            "a.yaml:1:1 api-version: `apiVersion` is missing",
            "a.yaml:1:1 unknown-key: unknown key `apiVersio`",
            "a.yaml:1:1 missing-field: `kind` is missing",
            "a.yaml:2:1 unknown-key: unknown key `kid`",
        ]
    );
    let faulty = windows.replace("UTC", "Asia/Tokio");
    assert_eq!(of_bytes(faulty.as_bytes()), ["a.yaml:4:19 unknown-zone: `Asia/Tokio` is not a time zone"]);
}

#[test]
fn bytes_that_are_no_yaml() {
    assert_eq!(of_bytes(b"\x7fELF\0\0\x01"), ["a.yaml:1:5 binary-file: this is a binary file, not text"]);
    assert_eq!(of_bytes(b"kind: Account\nname: \xff\xfe"), ["a.yaml:2:7 not-utf8: the file is not UTF-8"]);
    assert_eq!(of_bytes(b"\xff\xfek\0i\0"), ["a.yaml:1:1 not-utf8: the file is UTF-16, not UTF-8"]);
    let lone = ACCOUNT.replace('\n', "\r");
    assert!(of_bytes(lone.as_bytes()).iter().any(|f| f.contains("bad-character: a carriage return")));
}

#[test]
fn alias_bombs_stay_small() {
    let mut laughs = String::from(
        "apiVersion: renewd/v1\nkind: PaymentMethod\nmetadata: { name: a }\nspec:\n  plugin: p\n  config:\n    a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n",
    );
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(laughs, "    a{level}: &a{level} [{aliases}]").unwrap();
    }
    let started = Instant::now();
    let found = of_bytes(laughs.as_bytes());
    assert!(
        found.iter().any(|f| f == "a.yaml:10:9 too-many-aliases: aliases expand to more than 20000 values"),
        "{found:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(2));
    // Nested anchors copy their contents too.
    let nested = format!("a: {}x{}", "&a [".repeat(60), "]".repeat(60));
    assert!(of_bytes(nested.as_bytes()).iter().any(|f| f.contains("api-version")));
}

#[test]
fn a_file_of_50_mb_is_refused_unread() {
    let directory = tree(&[("good.yaml", ACCOUNT.as_bytes())]);
    let big = std::fs::File::create(directory.path().join("big.yaml")).unwrap();
    big.set_len(50 * 1024 * 1024).unwrap();
    let started = Instant::now();
    assert_eq!(shown(&load_dir(directory.path())), ["big.yaml:1:1 too-large: the file is larger than 4 MiB: 50 MiB"]);
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[test]
fn empty_and_missing_directories() {
    let directory = tree(&[("notes.txt", b"hello"), (".hidden/a.yaml", b"kind: x")]);
    let found = shown(&load_dir(directory.path()));
    assert_eq!(found.len(), 1);
    assert!(found[0].ends_with(":1:1 empty-directory: there are no documents (`*.yaml`, `*.yml`)"), "{found:?}");
    let found = shown(&load_dir(Path::new("/nonexistent/policies")));
    assert_eq!(found, ["policies:1:1 missing-path: there is no such file or directory"]);
}

#[test]
fn a_tree_of_empty_files_is_no_set_of_documents() {
    let directory = tree(&[("a.yaml", b"# nothing\n"), ("b.yaml", b"")]);
    let found = shown(&load_dir(directory.path()));
    assert_eq!(found.iter().filter(|f| f.contains("empty-file")).count(), 2, "{found:?}");
    assert_eq!(found.iter().filter(|f| f.contains("empty-directory")).count(), 1, "{found:?}");
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_followed_but_not_for_ever() {
    use std::os::unix::fs::symlink;
    let directory = tree(&[("a/x.yaml", ACCOUNT.as_bytes()), ("elsewhere/note.txt", b"")]);
    symlink(directory.path(), directory.path().join("a/loop")).unwrap();
    symlink("itself.yaml", directory.path().join("itself.yaml")).unwrap();
    symlink("gone", directory.path().join("broken.yaml")).unwrap();
    symlink("gone", directory.path().join("broken.txt")).unwrap();
    let found = shown(&load_dir(directory.path()));
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("loop:1:1 symlink-loop: the symbolic link leads back to "), "{found:?}");
    assert_eq!(found[1], "broken.yaml:1:1 unreadable-file: there is no such file");
    assert_eq!(found[2], "itself.yaml:1:1 symlink-loop: the symbolic link leads back to itself");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_waited_for() {
    let directory = tree(&[("a.yaml", ACCOUNT.as_bytes())]);
    let pipe = directory.path().join("pipe.yaml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|status| status.success()) {
        return;
    }
    assert_eq!(shown(&load_dir(directory.path())), ["pipe.yaml:1:1 unreadable-file: this is not a regular file"]);
}

#[test]
fn findings_of_all_files_come_at_once_and_sorted() {
    let faulty = ACCOUNT.replace("UTC", "Mars").replace("USD", "U");
    let directory = tree(&[
        ("b.yaml", faulty.as_bytes()),
        ("a/c.yml", b"a: [\n"),
        ("z.yaml", b"\xff"),
        ("c.yaml", ACCOUNT.as_bytes()),
    ]);
    let found = shown(&load_dir(directory.path()));
    assert_eq!(
        found,
        [
            "c.yml:2:1 yaml-syntax: this is not YAML: while parsing a node, did not find expected node content",
            "b.yaml:4:19 unknown-zone: `Mars` is not a time zone",
            "b.yaml:4:35 unknown-currency: `U` is not an ISO 4217 currency",
            "c.yaml:3:19 duplicate-document: a second Account is named `a`: here and at PATH",
            "z.yaml:1:1 not-utf8: the file is not UTF-8",
        ]
        .map(|line| line.replace("PATH", &format!("{}:3:19", directory.path().join("b.yaml").display())))
    );
}

#[test]
fn sources_have_the_lines_of_findings() {
    let directory = tree(&[("a.yaml", ACCOUNT.replace("UTC", "Mars").as_bytes())]);
    let loaded = load_dir(directory.path());
    let finding = &loaded.findings()[0];
    let line = loaded.sources.line(&finding.file, finding.place.line).unwrap();
    let marked: String =
        line.chars().skip(finding.place.column as usize - 1).take(finding.place.len as usize).collect();
    assert_eq!(marked, "Mars");
}

#[test]
fn hostile_texts_of_256_kib_are_quick() {
    const BYTES: usize = 256 * 1024;
    let head = "apiVersion: renewd/v1\nkind: PaymentMethod\nmetadata: { name: a }\nspec:\n  plugin: p\n  config:\n";
    let numbered = |line: &dyn Fn(usize) -> String| (0..BYTES / line(100_000).len()).map(line).collect::<String>();
    let texts = [
        "[".repeat(BYTES),
        "{".repeat(BYTES),
        "- ".repeat(BYTES / 2),
        "? ".repeat(BYTES / 2),
        "a: ".repeat(BYTES / 3),
        "&a ".repeat(BYTES / 3),
        "!a ".repeat(BYTES / 3),
        "*a\n".repeat(BYTES / 3),
        "---\n".repeat(BYTES / 4),
        "---\na\n".repeat(BYTES / 6),
        "\n".repeat(BYTES),
        "# x\n".repeat(BYTES / 4),
        "\t".repeat(BYTES),
        "x".repeat(BYTES),
        format!("\"{}", "\\".repeat(BYTES)),
        format!("a: |\n{}", " \n".repeat(BYTES / 2)),
        "a:\n".repeat(BYTES / 3),
        "\u{7}\n".repeat(BYTES / 2),
        numbered(&|i| format!("key{i}: 1\n")),
        numbered(&|i| format!("renewalDay{i}: 1\n")),
        format!("{head}{}", numbered(&|i| format!("    k{i}: 012\n"))),
        format!("{head}{}", numbered(&|i| format!("    k{i}: value\n"))),
        format!("{head}    a: [{}]", "a, ".repeat(BYTES / 3)),
        format!("{head}    a: &a {{}}\n    b: [{}]", "*a, ".repeat(BYTES / 4)),
        format!("{}\n", ACCOUNT.replace("name: a", &format!("name: {}", "n".repeat(BYTES)))),
        ACCOUNT.replace("UTC", &"Z".repeat(BYTES)).replace("USD", &"9".repeat(BYTES)),
        ACCOUNT.replace("currency", &"c".repeat(BYTES)),
        numbered(&|i| format!("{}---\n", ACCOUNT.replace("name: a", &format!("name: a{i}")))),
        numbered(&|i| format!("---\nkind: PaymentMethod\nmetadata: {{ name: a{i} }}\nspec: {{ plugin: p{i} }}\n")),
    ];
    for text in texts {
        let started = Instant::now();
        let found = of_bytes(text.as_bytes());
        let took = started.elapsed();
        let start: String = text.chars().take(30).collect();
        assert!(took < Duration::from_secs(4), "{took:?} for {start:?}: {:?}", found.first());
        assert!(found.iter().all(|line| line.len() < 1000), "{start:?}");
    }
}

#[test]
fn price_files_have_their_own_places() {
    let list = "apiVersion: renewd/v1\nkind: PriceList\nmetadata: { name: a }\nspec: { currency: USD, file: p.csv }\n";
    let csv = "sku,term,price,from,until\r\n\r\na,P1M,20,,\r\n\"b, c\",P1X,20 USD,2027-13-01,\r\nd,P1M,,,\r\ne,P1M,1\r\na,1 month,21,2027-01-01,\r\n";
    let directory = tree(&[("list.yaml", list.as_bytes()), ("p.csv", csv.as_bytes())]);
    let loaded = load_dir(directory.path());
    let place = directory.path().join("p.csv").display().to_string();
    assert_eq!(
        shown(&loaded),
        [
            "p.csv:4:8 bad-term: `P1X` is not a term",
            "p.csv:4:12 bad-number: `20 USD` is not a price",
            "p.csv:4:19 bad-date: `2027-13-01` is not a date",
            "p.csv:5:7 missing-field: the row has no `price`",
            "p.csv:6:1 bad-csv: the row has 3 fields, and the first line names 5",
            "p.csv:7:1 overlapping-prices: two prices of `a` for P1M hold on the same dates: here and at 3:1",
        ]
    );
    assert_eq!(loaded.sources.line(&place, 7), Some("a,1 month,21,2027-01-01,"));
    for (csv, expected) in [
        ("", "p.csv:1:1 bad-csv: the price file is empty"),
        ("sku,term,price\n", "p.csv:1:1 bad-csv: the price file has no rows"),
        ("sku;term;price\na;P1M;1\n", "p.csv:1:1 bad-csv: unknown column `sku;term;price`"),
        ("sku, prise,term\na,1,P1M\n", "p.csv:1:6 bad-csv: unknown column `prise`"),
        ("sku,term\na,P1M\n", "p.csv:1:1 bad-csv: column `price` is missing"),
        ("sku,term,price,sku\na,P1M,1,b\n", "p.csv:1:16 bad-csv: column `sku` is given twice"),
        ("sku,term,price\na,P1M,\0\n", "p.csv:2:7 binary-file: this is a binary file, not text"),
    ] {
        let directory = tree(&[("list.yaml", list.as_bytes()), ("p.csv", csv.as_bytes())]);
        assert_eq!(shown(&load_dir(directory.path())), [expected], "{csv:?}");
    }
}
