//! Sessions by number. A number is used again; the generation beside it tells an event, a queue
//! entry or a message of an earlier holder from one of the present one.

/// Names one session of one worker for as long as it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

struct Slot<T> {
    generation: u32,
    held: Option<Box<T>>,
}

/// A growing array with a list of free places.
pub(crate) struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    count: usize,
}

/// Generations stay below 2^30, so that a key and two more bits fit into an epoll token.
const GENERATIONS: u32 = 1 << 30;

impl<T> Slab<T> {
    pub(crate) fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            count: 0,
        }
    }

    /// A key that is taken from now on; [`Slab::put`] fills it.
    pub(crate) fn reserve(&mut self) -> Key {
        self.count += 1;
        if let Some(index) = self.free.pop() {
            let generation = self
                .slots
                .get(index as usize)
                .map_or(0, |slot| slot.generation);
            return Key { index, generation };
        }
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(Slot {
            generation: 0,
            held: None,
        });
        Key {
            index,
            generation: 0,
        }
    }

    /// Takes a session out to work on it; `None` if the key's holder is gone (or already out).
    pub(crate) fn take(&mut self, key: Key) -> Option<Box<T>> {
        let slot = self.slots.get_mut(key.index as usize)?;
        if slot.generation == key.generation {
            slot.held.take()
        } else {
            None
        }
    }

    /// Looks at a session; `None` if the key's holder is gone or out.
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        let slot = self.slots.get(key.index as usize)?;
        slot.held
            .as_deref()
            .filter(|_| slot.generation == key.generation)
    }

    /// Takes whatever the place holds.
    pub(crate) fn take_index(&mut self, index: u32) -> Option<(Key, Box<T>)> {
        let slot = self.slots.get_mut(index as usize)?;
        let key = Key {
            index,
            generation: slot.generation,
        };
        slot.held.take().map(|held| (key, held))
    }

    /// Puts a session back, or in for the first time.
    pub(crate) fn put(&mut self, key: Key, held: Box<T>) {
        if let Some(slot) = self.slots.get_mut(key.index as usize) {
            slot.held = Some(held);
        }
    }

    /// Gives the place up; the key means nothing from now on.
    pub(crate) fn release(&mut self, key: Key) {
        if let Some(slot) = self.slots.get_mut(key.index as usize) {
            slot.generation = (slot.generation + 1) % GENERATIONS;
            slot.held = None;
            self.free.push(key.index);
            self.count -= 1;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Every session that is not taken out.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let index = u32::try_from(index).ok()?;
            Some((
                Key {
                    index,
                    generation: slot.generation,
                },
                slot.held.as_deref()?,
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_released_key_finds_nothing_though_its_place_is_used_again() {
        let mut slab = Slab::new();
        let first = slab.reserve();
        slab.put(first, Box::new("first"));
        slab.release(first);
        let second = slab.reserve();
        slab.put(second, Box::new("second"));
        assert_eq!(first.index, second.index);
        assert!(slab.take(first).is_none());
        assert_eq!(slab.take(second).as_deref(), Some(&"second"));
        assert_eq!(slab.len(), 1);
    }
}
