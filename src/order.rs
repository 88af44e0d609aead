//! Sorting, once. Each sort of another type would be another 5 to 10 KB of the binary; so whatever is sorted, numbers are compared.

/// Most bits of a key; the others hold its place.
const KEY_BITS: u32 = 96;

/// The places, from 0, of what has these keys, the smallest key first; those with equal keys keep their order. Takes n log n time, and
/// linear time where they are in order already.
pub fn order(keys: impl Iterator<Item = u128>) -> Vec<usize> {
    let place_bits = u128::BITS - KEY_BITS;
    let numbered = keys.zip(0..).map(|(key, place)| {
        debug_assert!(key >> KEY_BITS == 0 && place >> place_bits == 0);
        key << place_bits | place
    });
    places(numbered.collect())
}

#[inline(never)]
fn places(mut numbered: Vec<u128>) -> Vec<usize> {
    numbered.sort_unstable();
    let place = |key: u128| (key as u64 & u64::from(u32::MAX)) as usize;
    numbered.into_iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_that_of_a_stable_sort(
            keys in prop::collection::vec(prop_oneof![0..5_u128, 0..1_u128 << KEY_BITS], 0..200)
        ) {
            let mut expected: Vec<usize> = (0..keys.len()).collect();
            expected.sort_by_key(|&place| keys[place]);
            prop_assert_eq!(order(keys.into_iter()), expected);
        }
    }
}
