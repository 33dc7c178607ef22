//! The test of the tests: of the faults planted in the product, one at a time, at least 95 % are noticed.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failing test may panic, and tells what it does")]

use renewd_sim::planted::{first_seeds, summary, try_all};
use renewd_sim::summary::{file_of, write};
use renewd_sim::{Campaign, run};

const SEEDS: std::ops::Range<u64> = 0..600;

#[test]
fn planted_faults_are_caught() {
    std::panic::set_hook(Box::new(|_| {}));
    for (name, seed) in first_seeds() {
        let sound = run(&Campaign { seeds: seed..seed + 1, threads: 1, doublecheck: 0, fail_fast: true }).unwrap();
        assert_eq!(sound.failed, 0, "without {name} seed {seed} finds something: {:?}", sound.failures);
    }
    let tried = try_all(&SEEDS, 2, "", |it| println!("{:<28} {:?}", it.name, it.caught)).unwrap();
    write(&summary(&tried), &file_of("planted-faults")).unwrap();
    let caught = tried.iter().filter(|it| it.caught.is_some()).count();
    assert!(40 <= tried.len(), "{} faults", tried.len());
    assert!(95 * tried.len() <= 100 * caught, "{caught} of {} are caught", tried.len());
}
