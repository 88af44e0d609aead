//! Some of the nodes, chosen at random (`--pick`). Every choice of that size is as likely as any other; the order stays.

use std::hash::{BuildHasher, RandomState};

/// `count` of the items, or all where there are no more.
pub fn pick<T>(items: Vec<T>, count: usize) -> Vec<T> {
    let state = RandomState::new();
    let mut draws = 0_u64..;
    // The standard library's only source of chance: a hash under a key that is new in each process.
    pick_by(items, count, || state.hash_one(draws.next()))
}

/// [`pick`] by numbers that are spread evenly over all of `u64`: selection sampling, one item after the other (Knuth's algorithm S).
fn pick_by<T>(mut items: Vec<T>, count: usize, mut random: impl FnMut() -> u64) -> Vec<T> {
    let (mut wanted, mut left) = (count, items.len());
    items.retain(|_| {
        // This one is among the `wanted` of the `left` with a chance of wanted / left.
        let taken = below(left, random()) < wanted;
        left -= 1;
        wanted -= usize::from(taken);
        taken
    });
    items
}

/// A number below `bound` from one spread over all of `u64`. Some are likelier than others by less than 1 in 2^64 / `bound`.
fn below(bound: usize, random: u64) -> usize {
    ((u128::from(random) * bound as u128) >> u64::BITS) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn as_many_as_asked_for_in_their_order() {
        let items: Vec<u32> = (0..100).collect();
        for count in [0, 1, 2, 50, 99, 100, 101, usize::MAX] {
            let picked = pick(items.clone(), count);
            assert_eq!(picked.len(), count.min(items.len()));
            assert!(picked.is_sorted_by(|a, b| a < b), "{picked:?}");
            assert!(picked.iter().all(|item| items.contains(item)));
        }
        assert!(pick(Vec::<u32>::new(), 3).is_empty());
    }

    #[test]
    fn every_choice_is_as_likely_as_any_other() {
        let mut seen: BTreeMap<Vec<u32>, u32> = BTreeMap::new();
        for _ in 0..10_000 {
            *seen.entry(pick((0..5).collect(), 2)).or_default() += 1;
        }
        assert_eq!(seen.len(), 10, "{seen:?}");
        // 1000 of each on average, with a standard deviation of 30.
        assert!(seen.values().all(|n| (700..1300).contains(n)), "{seen:?}");
    }

    #[test]
    fn the_extremes_of_chance_pick_as_many() {
        let items: Vec<u32> = (0..9).collect();
        assert_eq!(pick_by(items.clone(), 3, || 0), [0, 1, 2]);
        assert_eq!(pick_by(items.clone(), 3, || u64::MAX), [6, 7, 8]);
    }
}
