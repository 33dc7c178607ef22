//! Documents: bad input is answered with every finding at once, each with its place and its fix.

use renewd_tests::world::{ACCOUNT, POLICY, World};
use serde_json::Value;

/// The findings of `check` over the least documents and one changed file.
#[track_caller]
fn findings(file: &str, text: impl AsRef<[u8]>) -> Vec<Value> {
    let world = World::new();
    world.write(file, "");
    std::fs::write(world.path().join(file), text.as_ref()).unwrap();
    let error = world.failure(3, ["check", "policies"]);
    error["findings"].as_array().unwrap_or_else(|| panic!("no findings in {error}")).clone()
}

/// Asserts one finding on a line that mentions a text in its message or hint.
#[track_caller]
fn finds(file: &str, text: &str, line: u64, mention: &str) {
    let all = findings(file, text);
    let hit =
        all.iter().find(|finding| finding["line"] == line).unwrap_or_else(|| panic!("no finding on {line}: {all:?}"));
    assert!(hit["file"].as_str().unwrap().ends_with(file.rsplit('/').next().unwrap()), "{hit}");
    assert!(hit["column"].as_u64().unwrap() >= 1);
    let said = format!("{} {}", hit["message"], hit["hint"]);
    assert!(said.contains(mention), "`{mention}` is not in {said}");
}

#[test]
fn the_least_documents_are_clean() {
    World::new().run(["check", "policies"]).exits(0);
}

#[test]
fn a_wrong_value_is_found_at_its_place() {
    for (from, to, line, mention) in [
        ("renewalDay: 15", "renewalDay: 31", 7, "28"),
        ("renewalDay: 15", "renewalDy: 15", 7, "renewalDay"),
        ("renewalDay: 15", "surprise: 15", 7, "surprise"),
        ("renewalDay: 15", "renewalDay: 15\n  renewalDay: 16", 8, "renewalDay"),
        ("Asia/Singapore", "Asia/Singapur", 5, "Asia/Singapore"),
        ("currency: USD", "currency: USX", 6, "USX"),
        ("on-account }", "on-acount }", 8, "on-account"),
        ("renewalDay: 15", "limits: { perMonth: 500 }", 7, "USD"),
        ("renewalDay: 15", "\trenewalDay: 15", 7, "tab"),
    ] {
        finds("policies/account.yaml", &ACCOUNT.replace(from, to), line, mention);
    }
    for (from, to, line, mention) in [
        ("plugin: price-list", "plugin: price-lst", 8, "price-list"),
        ("mode: manual", "mode: sometimes", 6, "sometimes"),
        ("default: P1M", "default: P2M", 7, "P2M"),
        ("mode: manual", "mode: manual\n  match: {}", 7, "match"),
    ] {
        finds("policies/policy.yaml", &POLICY.replace(from, to), line, mention);
    }
}

#[test]
fn what_this_version_does_not_enforce_is_refused() {
    let test = "apiVersion: renewd/v1\nkind: PolicyTest\nmetadata: { name: t }\nspec: { cases: [] }\n";
    finds("policies/extra.yaml", test, 2, "not supported");
}

#[test]
fn a_plugins_own_findings_become_places() {
    let policy = POLICY.replace("priceList: prices", "priceList: prices, config: { discuont: \"5%\" }");
    finds("policies/policy.yaml", &policy, 8, "discount");
}

#[test]
fn all_findings_come_at_once() {
    let account =
        ACCOUNT.replace("USD", "USX").replace("renewalDay: 15", "renewalDay: 30").replace("Singapore", "Nowhere");
    let all = findings("policies/account.yaml", &account);
    let lines: Vec<u64> = all.iter().map(|finding| finding["line"].as_u64().unwrap()).collect();
    for line in [5, 6, 7] {
        assert!(lines.contains(&line), "{all:?}");
    }
}

#[test]
fn people_see_the_place_the_snippet_and_the_fix() {
    let world = World::new();
    world.write("policies/account.yaml", &ACCOUNT.replace("renewalDay", "renewalDy"));
    let answer = world.run(["check", "policies"]).exits(3);
    for part in ["account.yaml:7:3", "renewalDy: 15", "did you mean `renewalDay`?"] {
        assert!(answer.stderr.contains(part), "`{part}` is missing:\n{}", answer.stderr);
    }
}

#[test]
fn hostile_files_are_findings() {
    let bomb = format!(
        "a: &a [x, x, x, x]\n{}",
        (b'b'..=b'z').fold(String::new(), |text, name| {
            let (name, before) = (char::from(name), char::from(name - 1));
            text + &format!("{name}: &{name} [*{before}, *{before}, *{before}, *{before}, *{before}, *{before}]\n")
        })
    );
    let large = "# large\n".repeat(50 * 1024 * 1024 / 8);
    for (what, bytes) in [
        ("an alias bomb", bomb.as_bytes()),
        ("50 MB", large.as_bytes()),
        ("a binary file", &[0, 159, 146, 150, 0, 1, 2, 3]),
        ("invalid UTF-8", b"kind: Acc\xffount\n"),
    ] {
        let started = std::time::Instant::now();
        assert!(!findings("policies/hostile.yaml", bytes).is_empty(), "{what}");
        assert!(started.elapsed().as_secs() < 30, "{what} took {:?}", started.elapsed());
    }
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_read() {
    let world = World::new();
    world.write("policies/account.yaml", &format!("\u{feff}{}", ACCOUNT.replace('\n', "\r\n")));
    world.run(["check", "policies"]).exits(0);
}

#[test]
fn an_empty_a_missing_and_a_looping_directory_are_3() {
    let world = World::new();
    std::fs::create_dir_all(world.path().join("empty")).unwrap();
    world.run(["check", "empty"]).exits(3);
    world.run(["check", "missing"]).exits(3);
    #[cfg(unix)]
    {
        let policies = world.path().join("policies");
        std::os::unix::fs::symlink(&policies, policies.join("loop")).unwrap();
        let answer = world.run(["check", "policies"]);
        assert!(matches!(answer.code, Some(0 | 3)), "{answer:?}");
    }
}

#[test]
fn the_schema_for_editors_is_json() {
    let schema = World::new().run(["check", "--schema"]).exits(0).json();
    assert!(schema["$schema"].is_string(), "{schema}");
}
