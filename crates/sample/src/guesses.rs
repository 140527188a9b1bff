//! What recent passwords were found to be, and how much time wrong ones may take: hashes are made to be
//! slow, and comparing one holds a worker up. Bounded in memory; reads no clock.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use aws_lc_rs::{hmac, rand};

/// Passwords that are remembered for each userlist; later ones take the places of others, wrong ones those of
/// wrong ones only.
const PLACES: usize = 512;
/// A wrong password counts for so many times what it took: a quarter of one processor goes to guesses.
const SHARE: u64 = 4;
/// Microseconds that may be counted ahead: half a second of guesses in a row, as few as one where each
/// takes longer.
const AHEAD: u64 = 2_000_000;

/// The results and the bound of one userlist.
pub(crate) struct Guesses {
    key: hmac::Key,
    /// What is left of a tag, and whether the password was right in the lowest bit; 0 is an empty place.
    places: Box<[AtomicU64]>,
    /// Until when wrong passwords are paid for, microseconds.
    paid: AtomicU64,
}

impl std::fmt::Debug for Guesses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guesses")
    }
}

/// Stands for a name and a password; without the key of its userlist it tells nothing of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tag {
    place: usize,
    bits: u64,
}

impl Guesses {
    /// Nothing is known yet. `None` where no random key can be had.
    pub(crate) fn new() -> Option<Self> {
        let mut key = [0; 32];
        rand::fill(&mut key).ok()?;
        Some(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            paid: AtomicU64::new(0),
        })
    }

    pub(crate) fn tag(&self, name: &[u8], password: &[u8]) -> Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&name.len().to_be_bytes());
        context.update(name);
        context.update(password);
        let made = context.sign();
        let word = |at: usize| {
            let bytes = made.as_ref().get(at..at + 8).unwrap_or_default();
            bytes
                .iter()
                .fold(0_u64, |word, byte| word << 8 | u64::from(*byte))
        };
        let place = word(0) % PLACES as u64;
        Tag {
            place: usize::try_from(place).unwrap_or(0),
            bits: word(8) | 2,
        }
    }

    /// Whether the password was right, if that is remembered.
    pub(crate) fn known(&self, tag: Tag) -> Option<bool> {
        let kept = self.places.get(tag.place)?.load(Relaxed);
        (kept >> 1 == tag.bits >> 1).then_some(kept & 1 == 1)
    }

    /// Remembers a result. A wrong password takes no right one's place: whoever guesses would make those
    /// forgotten who are in, and keep them out.
    pub(crate) fn keep(&self, tag: Tag, right: bool) {
        let new = tag.bits & !1 | u64::from(right);
        if let Some(place) = self.places.get(tag.place) {
            let _ = place.fetch_update(Relaxed, Relaxed, |kept| {
                (right || kept & 1 == 0).then_some(new)
            });
        }
    }

    /// Whether another password may be compared at `now`, milliseconds.
    pub(crate) fn may_try(&self, now: u64) -> bool {
        self.paid.load(Relaxed) <= now.saturating_mul(1000).saturating_add(AHEAD)
    }

    /// Counts a wrong one that took so many microseconds.
    pub(crate) fn count(&self, took: u64, now: u64) {
        let now = now.saturating_mul(1000);
        let more = |paid: u64| Some(paid.max(now).saturating_add(took.saturating_mul(SHARE)));
        let _ = self.paid.fetch_update(Relaxed, Relaxed, more);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_result_is_remembered_for_its_name_and_password_alone() {
        let guesses = Guesses::new().unwrap();
        let tag = guesses.tag(b"ann", b"secret");
        assert_eq!(guesses.known(tag), None);
        guesses.keep(tag, true);
        assert_eq!(guesses.known(guesses.tag(b"ann", b"secret")), Some(true));
        for (name, password) in [
            ("ann", "secre"),
            ("anns", "ecret"),
            ("bob", "secret"),
            ("", ""),
        ] {
            let other = guesses.tag(name.as_bytes(), password.as_bytes());
            assert_eq!(guesses.known(other), None, "{name} {password}");
        }
        let mut wrong = (0..u32::MAX).map(|n| guesses.tag(b"bob", &n.to_be_bytes()));
        let wrong = wrong.find(|other| other.place != tag.place).unwrap();
        guesses.keep(wrong, false);
        assert_eq!(guesses.known(wrong), Some(false));
    }

    #[test]
    fn wrong_passwords_push_out_no_right_one() {
        let guesses = Guesses::new().unwrap();
        let first = guesses.tag(b"ann", b"secret");
        guesses.keep(first, true);
        for number in 0..100_000_u32 {
            guesses.keep(guesses.tag(b"ann", &number.to_be_bytes()), false);
        }
        assert_eq!(guesses.known(first), Some(true));
        // Right ones take each other's places, and those of wrong ones.
        let mut later = (0..u32::MAX).map(|n| guesses.tag(b"bob", &n.to_be_bytes()));
        let later = later.find(|tag| tag.place == first.place).unwrap();
        guesses.keep(later, true);
        assert_eq!(guesses.known(later), Some(true));
        assert_eq!(guesses.known(first), None);
    }

    #[test]
    fn memory_stays_as_it_is_whatever_is_tried() {
        let guesses = Guesses::new().unwrap();
        for number in 0..100_000_u32 {
            guesses.keep(guesses.tag(b"ann", &number.to_be_bytes()), false);
        }
        assert_eq!(guesses.places.len(), PLACES);
        let kept = (0..100_000_u32).filter(|n| {
            guesses
                .known(guesses.tag(b"ann", &n.to_be_bytes()))
                .is_some()
        });
        assert_eq!(kept.count(), PLACES);
    }

    #[test]
    fn wrong_passwords_get_a_quarter_of_the_time() {
        let guesses = Guesses::new().unwrap();
        let mut tried = 0;
        // Ten seconds in which each turn of a millisecond brings a guess that takes 40.
        for now in 0..10_000 {
            if guesses.may_try(now) {
                tried += 1;
                guesses.count(40_000, now);
            }
        }
        let took = tried * 40;
        assert!((2_500..=3_100).contains(&took), "{took} ms of 10 s");
    }
}
