//! The test of the tests: of the faults planted in the product, one at a time, at least 95 % are noticed.
//!
//! `RENEWD_PLANTED_SEEDS` says how many seeds a fault has to get through that the seed that once noticed it, if there is
//! one, does not notice (120 unless told).

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failing test may panic, and tells what it does")]

use renewd_sim::planted::{first_seeds, summary, try_all};
use renewd_sim::summary::{file_of, write};
use renewd_sim::{Workshop, simulate};

fn seeds() -> u64 {
    std::env::var("RENEWD_PLANTED_SEEDS").map_or(120, |text| text.parse().unwrap())
}

#[test]
fn planted_faults_are_caught() {
    std::panic::set_hook(Box::new(|_| {}));
    let mut workshop = Workshop::new().unwrap();
    for (name, seed) in first_seeds() {
        let sound = simulate(seed, false, &mut workshop).unwrap();
        assert_eq!(sound.violation, None, "without {name} seed {seed} finds something");
    }
    let tried = try_all(&(0..seeds()), 2, "", |it| println!("{:<28} {:?}", it.name, it.caught)).unwrap();
    write(&summary(&tried), &file_of("planted-faults")).unwrap();
    let caught = tried.iter().filter(|it| it.caught.is_some()).count();
    assert!(40 <= tried.len(), "{} faults", tried.len());
    assert!(95 * tried.len() <= 100 * caught, "{caught} of {} are caught", tried.len());
}
