//! From a name to its place in a list that is kept elsewhere, without a second copy of the names.
//!
//! Invariant: at most half of the slots are taken, so every search meets a free one, and soon.

/// An open-addressing table of positions: 8 bytes a slot, where a map that owns its keys would hold each name twice.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    /// A power of two of them, or none.
    slots: Vec<Slot>,
    taken: usize,
}

/// `hash` spares most comparisons of names, and all hashing when the table grows.
#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: u32,
    position: u32,
}

const FREE: u32 = u32::MAX;
const SLOTS_MIN: usize = 16;
/// 2^64 divided by the golden ratio, odd.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Index {
    /// Makes room for so many names at once.
    pub(super) fn reserve(&mut self, names: usize) {
        let slots = (names * 2).next_power_of_two();
        if slots > self.slots.len() {
            self.grow(slots.max(SLOTS_MIN));
        }
    }

    /// The position under `name`, whose hash is `hash`, where `name_at` tells the name at a position.
    pub(super) fn get<'a>(
        &self,
        hash: u32,
        name: &str,
        name_at: impl Fn(usize) -> &'a str,
    ) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        let mut at = self.home(hash);
        while self.slots[at].position != FREE {
            let position = self.slots[at].position as usize;
            if self.slots[at].hash == hash && name_at(position) == name {
                return Some(position);
            }
            at = self.after(at);
        }
        None
    }

    /// Notes `position` under a name with this hash, which must not be there yet. Positions are below `u32::MAX`.
    pub(super) fn insert(&mut self, hash: u32, position: usize) {
        if self.taken + 1 > self.slots.len() / 2 {
            self.grow((self.slots.len() * 2).max(SLOTS_MIN));
        }
        debug_assert!(position < FREE as usize);
        self.place(Slot {
            hash,
            position: position as u32,
        });
        self.taken += 1;
    }

    fn grow(&mut self, slots: usize) {
        let free = Slot {
            hash: 0,
            position: FREE,
        };
        let old = std::mem::replace(&mut self.slots, vec![free; slots]);
        for slot in old.into_iter().filter(|slot| slot.position != FREE) {
            self.place(slot);
        }
    }

    fn place(&mut self, slot: Slot) {
        let mut at = self.home(slot.hash);
        while self.slots[at].position != FREE {
            at = self.after(at);
        }
        self.slots[at] = slot;
    }

    fn home(&self, hash: u32) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }
}

/// Eight bytes at a time, each step a one-to-one mixing of 64 bits. Names that differ in nothing but the last byte are neighbours, so
/// that names in order seldom leave the processor's cache.
pub(super) fn hash_of(name: &str) -> u32 {
    let (&end, bytes) = name.as_bytes().split_last().unwrap_or((&0, &[]));
    let (words, rest) = bytes.as_chunks();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mixed = |hash: u64, word: &[u8; 8]| {
        let hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(MULTIPLIER);
        hash ^ hash >> 32
    };
    let hash = words.iter().fold(name.len() as u64, mixed);
    let hash = (mixed(hash, &last).wrapping_mul(MULTIPLIER) >> 32) as u32;
    hash.wrapping_add(u32::from(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_noted_and_nothing_else() {
        let names: Vec<String> = (0..1000).map(|n| format!("n{n}")).collect();
        for reserved in [0, 1, 512, 513, 1000, 3000] {
            let mut index = Index::default();
            let get = |index: &Index, name| index.get(hash_of(name), name, |at| &names[at]);
            assert_eq!(get(&index, "n0"), None);
            for (position, name) in names.iter().enumerate() {
                if position == 500 {
                    index.reserve(reserved);
                }
                assert_eq!(get(&index, name), None);
                index.insert(hash_of(name), position);
            }
            for (position, name) in names.iter().enumerate() {
                assert_eq!(get(&index, name), Some(position));
            }
            assert_eq!(get(&index, "n1000"), None);
        }
    }

    #[test]
    fn what_was_reserved_does_not_grow() {
        for names in [0, 1, 7, 8, 9, 512, 513, 1000, 1_000_000] {
            let mut index = Index::default();
            index.reserve(names);
            let slots = index.slots.len();
            for position in 0..names {
                index.insert(hash_of(&position.to_string()), position);
            }
            assert_eq!(index.slots.len(), slots, "{names}");
        }
    }

    /// Names of a cluster must not crowd. In a table that is half full a search that fails takes 2.5 steps with a random hash; ten names
    /// that differ in the last digit stand side by side, which makes it 12.
    #[test]
    fn names_that_are_alike_are_spread() {
        let shapes: [fn(u32) -> String; 4] = [
            |n| format!("n{n}"),
            |n| format!("n{n:08}"),
            |n| format!("r{}n{}", n / 100, n % 100),
            |n| format!("ip-10-{}-{}.eu-west-1.compute.internal", n >> 8, n & 255),
        ];
        for shape in shapes {
            let mut index = Index::default();
            for n in 0..8_192 {
                index.insert(hash_of(&shape(n)), n as usize);
            }
            let steps = |home: usize| {
                let free = |&steps: &usize| {
                    index.slots[(home + steps) % index.slots.len()].position == FREE
                };
                1 + (0..).find(free).unwrap()
            };
            let all: usize = (0..index.slots.len()).map(steps).sum();
            assert_eq!(index.slots.len(), 16_384);
            assert!(all < index.slots.len() * 16, "{}: {all}", shape(0));
        }
    }
}
