//! Whatever happens to the index, the answers are those of the journal.

use super::*;
use crate::testing::Rng;
use std::fs;
use std::path::Path;

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Opens a store whose index was harmed; the contents must be the same. Says what was done about it.
fn opened_the_same(temp: &TempDir, before: &State, head: Head, harm: &str) -> IndexReport {
    let store = open(temp).unwrap_or_else(|error| panic!("{harm}: {error}"));
    assert_eq!(store.head(), head, "{harm}");
    assert!(store.state().unwrap() == *before, "{harm}: {:?} {:?}", store.report(), store.repairs());
    let report = store.report().index.clone();
    drop(store);
    let again = open(temp).unwrap();
    assert_eq!(again.report().index, IndexReport::UpToDate, "{harm}");
    report
}

fn is_rebuilt(report: &IndexReport) -> bool {
    matches!(report, IndexReport::Rebuilt { .. })
}

#[test]
fn an_index_that_is_gone_is_rebuilt() {
    let (temp, before, head) = filled();
    let index = dir(&temp).join("index");
    fs::remove_dir_all(&index).unwrap();
    assert!(is_rebuilt(&opened_the_same(&temp, &before, head, "deleted")));
    fs::remove_file(index.join("db")).unwrap();
    assert!(is_rebuilt(&opened_the_same(&temp, &before, head, "without db")));
    fs::remove_dir_all(&index).unwrap();
    fs::create_dir(&index).unwrap();
    assert!(is_rebuilt(&opened_the_same(&temp, &before, head, "empty directory")));
}

#[test]
fn an_index_that_is_truncated_or_garbage_is_rebuilt() {
    let (temp, before, head) = filled();
    for file in files(&dir(&temp).join("index")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        // Each rebuild gives the snapshot another name.
        let Ok(whole) = fs::read(&file) else { continue };
        for length in [0, 1, whole.len() / 3, whole.len().saturating_sub(1)] {
            if let Ok(bytes) = fs::read(&file) {
                fs::write(&file, &bytes[..length.min(bytes.len())]).unwrap();
            }
            opened_the_same(&temp, &before, head, &format!("{name} cut to {length}"));
        }
        if file.exists() {
            let mut rng = Rng::new(5);
            let garbage: Vec<u8> = (0..whole.len()).map(|_| rng.next_u64() as u8).collect();
            fs::write(&file, garbage).unwrap();
        }
        opened_the_same(&temp, &before, head, &format!("{name} garbage"));
    }
}

/// Changes a bit, half a kibibyte or a few bytes somewhere in a folder, or cuts a file. Says where.
fn harm_somewhere(folder: &Path, seed: u64) -> String {
    let mut rng = Rng::new(seed);
    let all = files(folder);
    let file = &all[rng.below(all.len() as u64) as usize];
    let mut bytes = fs::read(file).unwrap();
    let place = rng.below(bytes.len().max(1) as u64) as usize;
    match rng.below(4) {
        0 => bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= 1 << rng.below(8)),
        1 => bytes.iter_mut().skip(place).take(512).for_each(|byte| *byte = 0),
        2 => bytes.iter_mut().skip(place).take(64).for_each(|byte| *byte = rng.next_u64() as u8),
        _ => bytes.truncate(place),
    }
    fs::write(file, &bytes).unwrap();
    format!("seed {seed} {} at {place} of {}", file.display(), bytes.len())
}

#[test]
fn random_damage_to_the_index_never_changes_an_answer() {
    let (temp, before, head) = filled();
    let cases = if cfg!(debug_assertions) { 60 } else { 600 };
    for seed in 0..cases {
        let harm = harm_somewhere(&dir(&temp).join("index"), seed);
        opened_the_same(&temp, &before, head, &harm);
    }
}

/// An index that is too large to be read at every open: damage has to be noticed where somebody asks for a row.
#[test]
fn random_damage_to_a_large_index_changes_no_answer_about_a_row() {
    let temp = tempfile::tempdir().unwrap();
    let mut store = Store::create(&dir(&temp)).unwrap();
    for part in 0..6 {
        commit(&mut store, (0..300).map(|n| resource(&format!("phone-{part}-{n}"))).collect());
        commit(&mut store, (0..30).map(|n| order(&format!("ord_{part}_{n}"))).collect());
    }
    let before = store.state().unwrap();
    assert!(crate::limits::OPEN_INDEX_CHECK_ROWS_MAX < (before.resources.len() + before.orders.len()) as u64);
    drop(store);
    let whole = temp.path().join("whole");
    copy_dir(&dir(&temp), &whole);
    for seed in 0..if cfg!(debug_assertions) { 60 } else { 600 } {
        fs::remove_dir_all(dir(&temp)).unwrap();
        copy_dir(&whole, &dir(&temp));
        let harm = harm_somewhere(&dir(&temp).join("index"), seed);
        let mut store = open(&temp).unwrap_or_else(|error| panic!("{harm}: {error}"));
        for id in before.resources.keys().step_by(7) {
            let found = store.resource(id).unwrap();
            assert_eq!(found.as_ref(), before.resources.get(id), "{harm}: {:?} {:?}", store.report(), store.repairs());
        }
        for id in before.orders.keys().step_by(7) {
            let found = store.order(id).unwrap();
            assert_eq!(found.as_ref(), before.orders.get(id), "{harm}: {:?} {:?}", store.report(), store.repairs());
        }
        let soon = store.expiring_until(DateTime::<Utc>::MAX_UTC).unwrap();
        assert_eq!(soon.len(), before.resources.len(), "{harm}: {:?} {:?}", store.report(), store.repairs());
        commit(&mut store, vec![canceled("ord_5_29"), topup("acme", "late", "1.00")]);
        assert!(store.state().unwrap() == replayed(&store), "{harm}: {:?} {:?}", store.report(), store.repairs());
    }
}

fn copy_dir(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy_dir(&path, &target) } else { fs::copy(&path, &target).map(|_| ()).unwrap() }
    }
}

#[test]
fn an_older_index_is_caught_up_and_a_newer_or_foreign_one_is_rebuilt() {
    let (temp, ..) = filled();
    let (old_index, index) = (temp.path().join("old"), dir(&temp).join("index"));
    copy_dir(&index, &old_index);
    let old_dir = temp.path().join("old-store");
    copy_dir(&dir(&temp), &old_dir);
    let mut store = open(&temp).unwrap();
    commit(&mut store, vec![topup("acme", "late", "5.00")]);
    commit(&mut store, vec![canceled("ord_9"), resource("phone-late")]);
    let (state, head) = (store.state().unwrap(), store.head());
    drop(store);
    let new_index = temp.path().join("new");
    copy_dir(&index, &new_index);
    copy_dir(&old_index, &index);
    assert_eq!(opened_the_same(&temp, &state, head, "older"), IndexReport::CaughtUp { commits: 2 });
    // The older journal and watermark with the newer index.
    copy_dir(&new_index, &old_dir.join("index"));
    let old = Store::open(&old_dir, NO_WAIT, Mode::Read).unwrap();
    assert!(is_rebuilt(&old.report().index), "{:?}", old.report());
    assert_eq!(old.state().unwrap(), replayed(&old));
    drop(old);
    let (other, other_state, other_head) = filled();
    copy_dir(&index, &dir(&other).join("index"));
    assert!(is_rebuilt(&opened_the_same(&other, &other_state, other_head, "foreign")));
}

#[test]
fn an_index_of_another_continuation_of_the_same_store_is_rebuilt() {
    let (temp, ..) = filled();
    let copy = temp.path().join("copy");
    copy_dir(&dir(&temp), &copy);
    let mut store = open(&temp).unwrap();
    commit(&mut store, vec![topup("acme", "here", "5.00")]);
    let (state, head) = (store.state().unwrap(), store.head());
    drop(store);
    let mut other = Store::open(&copy, NO_WAIT, Mode::Write).unwrap();
    commit(&mut other, vec![topup("acme", "elsewhere", "5.00")]);
    assert_eq!(other.head().sequence, head.sequence);
    drop(other);
    copy_dir(&copy.join("index"), &dir(&temp).join("index"));
    assert!(is_rebuilt(&opened_the_same(&temp, &state, head, "another continuation")));
}

#[test]
fn an_index_of_an_older_build_is_rebuilt() {
    // It has the rows of the old core, and neither expiries nor places: whatever it said would be wrong.
    let (temp, before, head) = filled();
    let store = open(&temp).unwrap();
    store.inner.borrow().index.as_ref().unwrap().age().unwrap();
    drop(store);
    let IndexReport::Rebuilt { reason, .. } = opened_the_same(&temp, &before, head, "older build") else { panic!() };
    assert!(reason.contains("version"), "{reason}");
    assert_eq!(open(&temp).unwrap().expiring_until(DateTime::<Utc>::MAX_UTC).unwrap().len(), 40);
}

#[test]
fn a_reader_of_a_sound_store_writes_neither_journal_nor_watermark() {
    let (temp, ..) = filled();
    let (journal, watermark) = (dir(&temp).join("journal"), dir(&temp).join("watermark"));
    let before = (fs::read(&journal).unwrap(), fs::read(&watermark).unwrap());
    for _ in 0..3 {
        Store::open(&dir(&temp), NO_WAIT, Mode::Read).unwrap().state().unwrap();
    }
    assert!(before == (fs::read(&journal).unwrap(), fs::read(&watermark).unwrap()));
}

#[test]
fn half_a_commit_in_the_index_is_noticed_by_the_sums() {
    // A row of the next commit is there, the watermark is not: applying that commit again would count it twice.
    let (temp, before, head) = filled();
    let store = open(&temp).unwrap();
    let key = renewd_core::event::RowKey::Book(renewd_core::ids::AccountName::new("acme").unwrap());
    {
        let inner = store.inner.borrow();
        let index = inner.index.as_ref().unwrap();
        index.plant(&key, br#"{"balance":{"USD":{"amount":"1.00","currency":"USD"}}}"#).unwrap();
    }
    drop(store);
    assert!(is_rebuilt(&opened_the_same(&temp, &before, head, "planted")));
}

#[test]
fn a_row_that_is_damaged_while_the_store_is_open_is_answered_from_a_rebuilt_index() {
    let (temp, before, _) = filled();
    let store = open(&temp).unwrap();
    let id = renewd_core::ids::ResourceId::new("phone-3").unwrap();
    let key = renewd_core::event::RowKey::Resource(id.clone());
    // Still good JSON of a good row, with another number.
    store.inner.borrow().index.as_ref().unwrap().harm(&key, "\"quantity\":1", "\"quantity\":3").unwrap();
    assert_eq!(store.resource(&id).unwrap().as_ref(), before.resources.get(&id));
    assert_eq!(store.repairs().len(), 1);
    assert!(is_rebuilt(&store.repairs()[0]));
}

#[test]
fn rows_that_are_lost_or_too_many_are_noticed_by_whoever_reads_their_tree() {
    let (temp, before, _) = filled();
    let acme = renewd_core::ids::AccountName::new("acme").unwrap();
    for (reference, harm) in [("bank-new", "too many"), ("bank-3", "lost")] {
        let store = open(&temp).unwrap();
        let key = renewd_core::event::RowKey::TopUp(acme.clone(), reference.to_owned());
        {
            let inner = store.inner.borrow();
            let index = inner.index.as_ref().unwrap();
            match harm {
                "lost" => index.lose(&key).unwrap(),
                _ => index.plant(&key, br#"{"amount":"1.00","currency":"USD"}"#).unwrap(),
            }
        }
        assert!(store.working_state().unwrap().topups == before.topups, "{harm}");
        assert_eq!(store.repairs().len(), 1, "{harm}");
    }
}

#[test]
fn an_open_of_a_large_store_reads_neither_all_rows_nor_the_whole_journal_and_nothing_wrong_is_answered() {
    let temp = tempfile::tempdir().unwrap();
    let mut store = Store::create(&dir(&temp)).unwrap();
    (0..3).for_each(|part| {
        commit(&mut store, (0..1000).map(|n| resource(&format!("phone-{part}-{n}"))).collect());
    });
    let (state, head) = (store.state().unwrap(), store.head());
    let id = renewd_core::ids::ResourceId::new("phone-1-7").unwrap();
    let key = renewd_core::event::RowKey::Resource(id.clone());
    store.inner.borrow().index.as_ref().unwrap().harm(&key, "\"quantity\":1", "\"quantity\":3").unwrap();
    drop(store);
    let store = open(&temp).unwrap();
    assert_eq!(store.report().index, IndexReport::UpToDate, "the row is not read");
    assert_eq!(store.resource(&id).unwrap().as_ref(), state.resources.get(&id));
    assert_eq!(store.repairs().len(), 1, "when it is read it is not believed");
    drop(store);
    let journal = dir(&temp).join("journal");
    let mut bytes = fs::read(&journal).unwrap();
    bytes[90_000] ^= 1;
    fs::write(&journal, &bytes).unwrap();
    let store = open(&temp).unwrap();
    assert!(store.report().is_clean() && store.report().journal.verified_from == bytes.len() as u64);
    assert!((store.head(), store.state().unwrap()) == (head, state));
    let error = store.events_after(Sequence::ZERO, |_| Ok(())).unwrap_err();
    assert!(error.is_damage(), "{error}");
    drop(store);
    assert!(verify(&dir(&temp), NO_WAIT).unwrap_err().is_damage());
}

#[test]
fn verify_says_what_is_wrong_with_an_index_and_repairs_nothing() {
    let (temp, ..) = filled();
    let index = dir(&temp).join("index");
    fs::write(index.join("db"), b"garbage").unwrap();
    let verdict = verify(&dir(&temp), NO_WAIT).unwrap().index;
    assert!(!matches!(verdict, IndexVerdict::Agrees), "{verdict:?}");
    fs::remove_dir_all(&index).unwrap();
    assert_eq!(verify(&dir(&temp), NO_WAIT).unwrap().index, IndexVerdict::Missing);
    assert!(!index.exists());
    rebuild(&dir(&temp), NO_WAIT).unwrap();
    assert!(verify(&dir(&temp), NO_WAIT).unwrap().is_sound());
}

#[test]
fn a_history_is_the_same_however_its_commits_were_cut_and_a_rebuild_finds_nothing_to_change() {
    use crate::limits::HISTORY_CHUNK_ENTRIES_MAX as FULL;
    let temp = tempfile::tempdir().unwrap();
    drop(Store::create(&dir(&temp)).unwrap());
    let mut count = 0;
    for size in [1, FULL - 1, 1, FULL, FULL + 1, 2 * FULL, 3, 1, 3 * FULL - 5] {
        let mut store = open(&temp).unwrap();
        assert!(store.report().is_clean());
        commit(&mut store, (count..count + size).map(|number| topup("acme", &format!("{number}"), "1.00")).collect());
        count += size;
        let account = renewd_core::ids::AccountName::new("acme").unwrap();
        let history = store.history(&renewd_core::event::Subject::Account(account)).unwrap();
        assert_eq!(history.len(), count);
        assert!(history.windows(2).all(|pair| pair[0].sequence < pair[1].sequence));
        assert_eq!(store.info().unwrap().rows["history"] as usize, count.div_ceil(FULL));
        drop(store);
        assert!(verify(&dir(&temp), NO_WAIT).unwrap().is_sound(), "{size}");
    }
}

/// A failed sync of the index was forgotten: the next open read the same pages from the system's memory, found them right,
/// and sealed an index that the disk did not have.
#[test]
fn an_index_that_could_not_be_synced_is_built_anew() {
    let (temp, before, head) = filled();
    crate::index::Home::Directory(dir(&temp)).distrust().unwrap();
    assert!(dir(&temp).join("index.aside").is_dir());
    assert!(is_rebuilt(&opened_the_same(&temp, &before, head, "distrusted")));
}
