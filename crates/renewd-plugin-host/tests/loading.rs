//! What is refused at loading, and with which sentence. Components that no toolchain would make are written as text.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at once")]

mod common;

use common::{component, host};
use renewd_plugin_host::{Limits, LoadError, PluginFailure, Role};

fn text(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap()
}

const WASI: &str = r#"(component
    (import "wasi:cli/environment@0.2.6" (instance (export "get-environment" (func))))
    (component $empty)
    (instance $pricing (instantiate $empty))
    (export "renewd:plugin/pricing@1.0.0" (instance $pricing)))"#;

#[test]
fn another_import_is_refused_by_its_name() {
    let error = host().load_pricing(&text(WASI), Limits::default()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the plugin imports `wasi:cli/environment@0.2.6`, which renewd does not give to a pricing plugin"
    );
    assert!(error.hint().contains("--stub-wasi"));
    let found = host().inspect(&text(WASI)).unwrap();
    assert_eq!(found.imports, ["wasi:cli/environment@0.2.6"]);
    assert_eq!(found.role, Some(Role::Pricing));
    assert!(found.manifest.is_none() && found.refused.unwrap().contains("wasi:cli"));
}

#[test]
fn a_pricing_plugin_has_no_network() {
    let wat = WASI.replace("wasi:cli/environment@0.2.6", "renewd:plugin/http@1.0.0").replace("get-environment", "send");
    assert!(
        matches!(host().load_pricing(&text(&wat), Limits::default()), Err(LoadError::ForeignImport { import, .. }) if import == "renewd:plugin/http@1.0.0")
    );
}

#[test]
fn the_committed_plugins_import_nothing_but_their_world() {
    let found = host().inspect(&component("price-list")).unwrap();
    assert!(found.imports.iter().all(|name| name.starts_with("renewd:plugin/")), "{:?}", found.imports);
    assert_eq!(found.world.as_deref(), Some("renewd:plugin/pricing-plugin@1.0.0"));
    assert_eq!((found.manifest.unwrap().name.as_str(), found.refused), ("price-list", None));
    assert_eq!(found.memory.unwrap().memories, 1);
    let found = host().inspect(&component("invoice")).unwrap();
    assert!(found.imports.iter().all(|name| name.starts_with("renewd:plugin/")), "{:?}", found.imports);
    assert_eq!(found.role, Some(Role::Payment));
}

#[test]
fn the_wrong_role_is_refused() {
    let error = host().load_payment(&component("price-list"), Limits::default()).err().unwrap();
    assert_eq!(error, LoadError::WrongRole { wanted: Role::Payment });
}

#[test]
fn another_version_is_refused_by_its_name() {
    let wat = r#"(component (component $c) (instance $i (instantiate $c)) (export "renewd:plugin/pricing@0.2.0" (instance $i)))"#;
    let error = host().load_pricing(&text(wat), Limits::default()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the plugin was built for `renewd:plugin/pricing@0.2.0`, and this renewd serves 0.1.0 and 1.0.0"
    );
}

#[test]
fn an_empty_interface_is_refused() {
    let wat = WASI.lines().filter(|line| !line.contains("wasi:cli")).collect::<String>();
    assert!(matches!(host().load_pricing(&text(&wat), Limits::default()), Err(LoadError::Interface(_))));
}

#[test]
fn what_is_no_component_is_refused() {
    let host = host();
    let load = |bytes: &[u8]| host.load_pricing(bytes, Limits::default()).err().unwrap();
    assert_eq!(load(b"hello"), LoadError::NotWasm);
    assert_eq!(load(b""), LoadError::NotWasm);
    assert_eq!(load(&text("(module)")), LoadError::CoreModule);
    assert_eq!(load(&text("(component)")), LoadError::NoInterface);
    let mut cut = component("price-list");
    cut.truncate(cut.len() / 2);
    assert!(matches!(load(&cut), LoadError::Invalid(_)));
}

#[test]
fn size_and_initial_memory_are_capped() {
    let bytes = component("price-list");
    let small = Limits { component_bytes: 1000, ..Limits::default() };
    assert_eq!(
        host().load_pricing(&bytes, small).err().unwrap(),
        LoadError::TooLarge { bytes: bytes.len(), most: 1000 }
    );
    let small = Limits { memory_bytes: 65_536, ..Limits::default() };
    assert!(matches!(host().load_pricing(&bytes, small), Err(LoadError::MemoryNeed { .. })));
}

#[test]
fn counts_of_instances_and_tables_are_capped() {
    let bytes = component("price-list");
    let few = Limits { instances: 0, ..Limits::default() };
    let error = host().load_pricing(&bytes, few).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the plugin cannot describe itself: the plugin asked for more instances than the 0 it may have"
    );
    let few = Limits { memories: 0, ..Limits::default() };
    let error = host().load_pricing(&bytes, few).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the plugin cannot describe itself: the plugin asked for more memories than the 0 it may have"
    );
    let few = Limits { table_elements: 0, ..Limits::default() };
    let error = host().load_pricing(&bytes, few).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the plugin cannot describe itself: the plugin asked for more table elements than the 0 it may have"
    );
    let few = Limits { tables: 0, ..Limits::default() };
    let error = host().load_pricing(&bytes, few).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the plugin cannot describe itself: the plugin asked for more tables than the 0 it may have"
    );
}

/// The hint of a call that took too long named a key that no document has.
#[test]
fn hints_name_keys_that_documents_have() {
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/plugins.md")).unwrap();
    let (_, after) = docs.split_once("`spec.limits` can set ").unwrap();
    let (named, _) = after.split_once(". ").unwrap();
    let failures = [
        PluginFailure::OutOfFuel { budget: 1 },
        PluginFailure::Deadline { milliseconds: 1 },
        PluginFailure::Memory { most: 1 },
    ];
    for (failure, key) in failures.iter().zip(["fuel", "deadline", "memory"]) {
        assert!(failure.hint().contains(&format!("raise `limits.{key}` of the `Plugin` document")), "{failure}");
        assert!(named.contains(&format!("`{key}`")), "{named}");
    }
}
