//! Chances: everything random comes from the seed, here.

use renewd_store::testing::Rng;

/// Random choices from a seed.
#[derive(Debug, Clone)]
pub(crate) struct Chance(Rng);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x5EED_0F5E_ED0F_5EED);
        rng.next_u64();
        Self(rng)
    }

    /// Choices that depend on a name, and not on what was chosen before.
    pub(crate) fn named(seed: u64, name: &str) -> Self {
        let hash = name
            .bytes()
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
        Self::new(seed ^ hash)
    }

    pub(crate) fn rng(&mut self) -> &mut Rng {
        &mut self.0
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high.saturating_sub(low)).unwrap_or_default().saturating_add(1);
        low.saturating_add(i64::try_from(self.0.below(width)).unwrap_or_default())
    }

    /// True in `percent` of all cases.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.0.chance(percent)
    }

    /// One of these, if there are any.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let index = self.0.below(from.len() as u64);
        from.get(usize::try_from(index).unwrap_or_default())
    }

    /// One of these texts.
    pub(crate) fn word<'a>(&mut self, from: &[&'a str]) -> &'a str {
        self.pick(from).copied().unwrap_or_default()
    }

    /// One of these, each as often as its weight says.
    pub(crate) fn weighted<T: Copy>(&mut self, from: &[(u64, T)]) -> Option<T> {
        let mut left = self.0.below(from.iter().map(|(weight, _)| weight).sum());
        for (weight, item) in from {
            if left < *weight {
                return Some(*item);
            }
            left -= weight;
        }
        None
    }
}
