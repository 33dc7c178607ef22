//! A kept artefact is native code: one that is damaged, foreign or writable by others is never loaded.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at once")]
#![cfg(unix)]

mod common;

use common::{component, price_request};
use renewd_plugin_host::{CacheState, Host, HostOptions, Limits};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn host_in(dir: &Path) -> Host {
    Host::new(&HostOptions { cache_dir: Some(dir.to_owned()), ..HostOptions::default() }).unwrap()
}

fn price(host: &Host) -> String {
    let plugin = host.load_pricing(&component("price-list"), Limits::default()).unwrap();
    plugin.quote("{}", &[price_request("phone-1")]).value.remove(0).unwrap().total.to_string()
}

fn artefact(dir: &Path) -> PathBuf {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut kept: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "cwasm")).collect();
    assert_eq!(kept.len(), 1);
    kept.remove(0)
}

fn filled(dir: &Path) -> Vec<u8> {
    let cache = dir.join("cache");
    assert_eq!(price(&host_in(&cache)), "20.00 USD");
    fs::read(artefact(&cache)).unwrap()
}

#[test]
fn an_artefact_is_kept_for_the_owner_only_and_used() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    let bytes = filled(dir.path());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&cache), mode(&cache.join("key")), mode(&artefact(&cache))), (0o700, 0o600, 0o600));
    let written = fs::metadata(artefact(&cache)).unwrap().modified().unwrap();
    assert_eq!(host_in(&cache).cache_state(), &CacheState::On);
    assert_eq!(price(&host_in(&cache)), "20.00 USD");
    assert_eq!(
        fs::metadata(artefact(&cache)).unwrap().modified().unwrap(),
        written,
        "a sound artefact is used, not written again"
    );
    assert_eq!(fs::read(artefact(&cache)).unwrap(), bytes);
}

/// wasmtime itself accepts an artefact with a flipped bit, and would run it.
#[test]
fn a_damaged_artefact_is_recompiled() {
    let dir = tempfile::tempdir().unwrap();
    let good = filled(dir.path());
    let cache = dir.path().join("cache");
    for position in [0, 31, 32, good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[position] ^= 1;
        fs::write(artefact(&cache), &bad).unwrap();
        assert_eq!(price(&host_in(&cache)), "20.00 USD");
        assert_ne!(fs::read(artefact(&cache)).unwrap(), bad, "bit {position}: replaced by a sound one");
    }
    for length in [0, 10, 32, good.len() - 1] {
        fs::write(artefact(&cache), &good[..length]).unwrap();
        assert_eq!(price(&host_in(&cache)), "20.00 USD");
        assert!(fs::read(artefact(&cache)).unwrap().len() > length);
    }
}

#[test]
fn an_artefact_under_another_key_is_recompiled() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let foreign = filled(one.path());
    filled(other.path());
    let cache = other.path().join("cache");
    fs::write(artefact(&cache), &foreign).unwrap();
    assert_eq!(price(&host_in(&cache)), "20.00 USD");
    assert_ne!(fs::read(artefact(&cache)).unwrap()[..32], foreign[..32]);
}

#[test]
fn an_artefact_under_another_name_is_recompiled() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    let pricing = filled(dir.path());
    let pricing_path = artefact(&cache);
    fs::remove_file(&pricing_path).unwrap();
    host_in(&cache).load_payment(&component("invoice"), Limits::default()).unwrap();
    let payment_path = artefact(&cache);
    fs::write(&payment_path, &pricing).unwrap();
    let plugin = host_in(&cache).load_payment(&component("invoice"), Limits::default()).unwrap();
    assert_eq!(plugin.manifest().name, "invoice");
    assert_ne!(fs::read(&payment_path).unwrap(), pricing);
}

#[test]
fn a_directory_that_others_can_write_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    filled(dir.path());
    let check = |path: &Path, mode: u32, word: &str| {
        let before = fs::metadata(path).unwrap().permissions();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let host = host_in(&cache);
        assert!(
            matches!(host.cache_state(), CacheState::Refused(why) if why.contains(word)),
            "{:?}",
            host.cache_state()
        );
        assert_eq!(price(&host), "20.00 USD", "it works without the cache");
        fs::set_permissions(path, before).unwrap();
    };
    check(&cache, 0o777, "others can write");
    check(&cache, 0o770, "others can write");
    check(&cache.join("key"), 0o644, "others can reach");
    assert_eq!(host_in(&cache).cache_state(), &CacheState::On);
}

#[test]
fn a_damaged_key_or_a_link_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    filled(dir.path());
    let key = cache.join("key");
    fs::write(&key, b"short").unwrap();
    assert!(matches!(host_in(&cache).cache_state(), CacheState::Refused(why) if why.contains("damaged")));
    fs::remove_file(&key).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &key).unwrap();
    assert!(matches!(host_in(&cache).cache_state(), CacheState::Refused(why) if why.contains("symbolic link")));
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&cache, &link).unwrap();
    assert!(matches!(host_in(&link).cache_state(), CacheState::Refused(_)));
}
