//! From a name to its place in a list that is kept elsewhere, without a second copy of the names.
//!
//! Invariant: at most seven eighths of the slots are taken, so every search meets a free one.

use std::hash::{DefaultHasher, Hash, Hasher};

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

impl Index {
    /// The position under `name`, where `name_at` tells the name at a position.
    pub(super) fn get<'a>(&self, name: &str, name_at: impl Fn(usize) -> &'a str) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        let hash = hash_of(name);
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

    /// Notes `position` under `name`, which must not be there yet. Positions are below `u32::MAX`.
    pub(super) fn insert(&mut self, name: &str, position: usize) {
        if self.taken + 1 > self.slots.len() / 8 * 7 {
            self.grow();
        }
        debug_assert!(position < FREE as usize);
        self.place(Slot {
            hash: hash_of(name),
            position: position as u32,
        });
        self.taken += 1;
    }

    fn grow(&mut self) {
        let slots = (self.slots.len() * 2).max(SLOTS_MIN);
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

fn hash_of(name: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_noted_and_nothing_else() {
        let names: Vec<String> = (0..1000).map(|n| format!("n{n}")).collect();
        let mut index = Index::default();
        assert_eq!(index.get("n0", |at| &names[at]), None);
        for (position, name) in names.iter().enumerate() {
            assert_eq!(index.get(name, |at| &names[at]), None);
            index.insert(name, position);
        }
        for (position, name) in names.iter().enumerate() {
            assert_eq!(index.get(name, |at| &names[at]), Some(position));
        }
        assert_eq!(index.get("n1000", |at| &names[at]), None);
    }
}
