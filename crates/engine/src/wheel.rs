//! Timers: one for each session, in a hierarchical timing wheel. Setting and clearing one costs a
//! few stores. Deadlines are lazy: activity only moves a session's own deadline, and a timer that
//! fires too early is set again, so that forwarding bytes never touches the wheel.
//!
//! Called by the worker, which owns the clock; times are milliseconds.

const LEVELS: usize = 6;
const SLOTS: usize = 64;
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Node {
    deadline: u64,
    next: u32,
    previous: u32,
    /// Level times [`SLOTS`] plus slot; [`NONE`] when not linked.
    place: u32,
}

const UNLINKED: Node = Node {
    deadline: 0,
    next: NONE,
    previous: NONE,
    place: NONE,
};

/// Timers named by small integers.
pub(crate) struct Wheel {
    now: u64,
    nodes: Vec<Node>,
    heads: [[u32; SLOTS]; LEVELS],
    /// One bit for each slot that holds something.
    filled: [u64; LEVELS],
}

impl Wheel {
    pub(crate) fn new(now: u64) -> Self {
        Self {
            now,
            nodes: Vec::new(),
            heads: [[NONE; SLOTS]; LEVELS],
            filled: [0; LEVELS],
        }
    }

    /// Sets or moves the timer `index`.
    pub(crate) fn set(&mut self, index: u32, deadline: u64) {
        let wanted = index as usize + 1;
        if self.nodes.len() < wanted {
            self.nodes.resize(wanted, UNLINKED);
        }
        self.clear(index);
        self.link(index, deadline);
    }

    /// Forgets the timer `index`, if it is set.
    pub(crate) fn clear(&mut self, index: u32) {
        let Some(node) = self.nodes.get(index as usize).copied() else {
            return;
        };
        if node.place == NONE {
            return;
        }
        let (level, slot) = (node.place as usize / SLOTS, node.place as usize % SLOTS);
        match self.nodes.get_mut(node.previous as usize) {
            Some(previous) => previous.next = node.next,
            None => self.set_head(level, slot, node.next),
        }
        if let Some(next) = self.nodes.get_mut(node.next as usize) {
            next.previous = node.previous;
        }
        if let Some(node) = self.nodes.get_mut(index as usize) {
            *node = UNLINKED;
        }
    }

    /// When to look again at the latest; `None` when nothing is set. It may be early, never late.
    pub(crate) fn next(&self) -> Option<u64> {
        self.next_slot().map(|(_, _, time)| time)
    }

    /// Moves to `now` and gives every timer whose deadline has come, now no longer set.
    pub(crate) fn expire(&mut self, now: u64, due: &mut Vec<u32>) {
        while let Some((level, slot, time)) = self.next_slot() {
            if time > now {
                break;
            }
            self.now = self.now.max(time);
            self.empty(level, slot, due);
        }
        self.now = self.now.max(now);
    }

    /// The earliest filled slot: level, slot, and the time at which it has to be emptied.
    fn next_slot(&self) -> Option<(usize, usize, u64)> {
        let mut best: Option<(usize, usize, u64)> = None;
        for (level, &filled) in self.filled.iter().enumerate() {
            if filled == 0 {
                continue;
            }
            let shift = 6 * level;
            let current = (self.now >> shift) as usize % SLOTS;
            let ahead = u64::from(filled.rotate_right(current as u32).trailing_zeros());
            let slot = (current + ahead as usize) % SLOTS;
            let time = (((self.now >> shift) + ahead) << shift).max(self.now);
            if best.is_none_or(|(_, _, earliest)| time < earliest) {
                best = Some((level, slot, time));
            }
        }
        best
    }

    /// Takes all timers of a slot: those that are due go out, the others sink to a finer level.
    fn empty(&mut self, level: usize, slot: usize, due: &mut Vec<u32>) {
        let mut index = self.head(level, slot);
        self.set_head(level, slot, NONE);
        while let Some(node) = self.nodes.get_mut(index as usize) {
            let Node { deadline, next, .. } = *node;
            *node = UNLINKED;
            if deadline <= self.now {
                due.push(index);
            } else {
                self.link(index, deadline);
            }
            index = next;
        }
    }

    fn link(&mut self, index: u32, deadline: u64) {
        let (level, slot) = self.place(deadline);
        let head = self.head(level, slot);
        if let Some(first) = self.nodes.get_mut(head as usize) {
            first.previous = index;
        }
        if let Some(node) = self.nodes.get_mut(index as usize) {
            let place = u32::try_from(level * SLOTS + slot).unwrap_or(NONE);
            *node = Node {
                deadline,
                next: head,
                previous: NONE,
                place,
            };
            self.set_head(level, slot, index);
        }
    }

    /// The level is chosen by the highest bit in which the deadline differs from now, so that a
    /// slot is never one that is being emptied.
    fn place(&self, deadline: u64) -> (usize, usize) {
        let horizon = self.now | ((1u64 << (6 * LEVELS)) - 1);
        let deadline = deadline.clamp(self.now, horizon);
        let differs = (deadline ^ self.now) | 1;
        let level = ((63 - differs.leading_zeros()) / 6) as usize;
        (level, (deadline >> (6 * level)) as usize % SLOTS)
    }

    fn head(&self, level: usize, slot: usize) -> u32 {
        self.heads
            .get(level)
            .and_then(|slots| slots.get(slot))
            .copied()
            .unwrap_or(NONE)
    }

    fn set_head(&mut self, level: usize, slot: usize, index: u32) {
        if let Some(head) = self
            .heads
            .get_mut(level)
            .and_then(|slots| slots.get_mut(slot))
        {
            *head = index;
        }
        if let Some(filled) = self.filled.get_mut(level) {
            let bit = 1u64 << slot;
            *filled = if index == NONE {
                *filled & !bit
            } else {
                *filled | bit
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(wheel: &mut Wheel, now: u64) -> Vec<u32> {
        let mut due = Vec::new();
        wheel.expire(now, &mut due);
        due.sort_unstable();
        due
    }

    #[test]
    fn a_timer_fires_at_its_deadline_and_not_before() {
        for start in [0, 63, 64, 4095, 1_000_003] {
            for delay in [1, 5, 63, 64, 65, 4096, 60_000, 3_600_000, 90_000_000] {
                let mut wheel = Wheel::new(start);
                wheel.set(3, start + delay);
                assert!(
                    fired(&mut wheel, start + delay - 1).is_empty(),
                    "{start} {delay}"
                );
                assert_eq!(fired(&mut wheel, start + delay), [3], "{start} {delay}");
                assert_eq!(wheel.next(), None);
            }
        }
    }

    #[test]
    fn the_next_look_is_never_late() {
        let mut wheel = Wheel::new(1000);
        for index in 0..500u32 {
            wheel.set(index, 1000 + u64::from(index) * 37 % 9000);
        }
        let mut now = 1000;
        let mut count = 0;
        while let Some(next) = wheel.next() {
            now = next.max(now);
            for index in fired(&mut wheel, now) {
                assert_eq!(1000 + u64::from(index) * 37 % 9000, now);
                count += 1;
            }
        }
        assert_eq!(count, 500);
    }

    #[test]
    fn a_cleared_or_moved_timer_does_not_fire_at_its_old_time() {
        let mut wheel = Wheel::new(0);
        wheel.set(0, 10);
        wheel.set(1, 10);
        wheel.set(2, 10);
        wheel.clear(1);
        wheel.set(2, 500);
        assert_eq!(fired(&mut wheel, 499), [0]);
        assert_eq!(fired(&mut wheel, 500), [2]);
    }

    #[test]
    fn a_deadline_in_the_past_fires_at_once() {
        let mut wheel = Wheel::new(100);
        wheel.set(0, 7);
        assert_eq!(wheel.next(), Some(100));
        assert_eq!(fired(&mut wheel, 100), [0]);
    }
}
