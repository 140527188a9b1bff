//! Userlists (manual, section `userlist`): whether a name and a password belong together.

use std::collections::HashMap;

use isthmus_plan::Userlist;

use crate::guesses::Guesses;
use crate::password::Password;

/// Tells milliseconds.
type Clock<'c> = &'c dyn Fn() -> u64;

/// A userlist, ready to be asked. All who ask it share what it remembers of passwords and the bound on
/// guesses: it is compiled once for a configuration.
#[derive(Debug)]
pub struct Users {
    users: HashMap<Box<[u8]>, User>,
    guesses: Guesses,
}

#[derive(Debug)]
struct User {
    password: Option<Password>,
    groups: Vec<Box<[u8]>>,
}

impl Users {
    /// Reads the passwords of a list.
    ///
    /// # Errors
    /// A password is hashed in a way that is not known here.
    pub fn compile(list: &Userlist) -> Result<Self, String> {
        let user = |user: &isthmus_plan::User| {
            let password = user.password.as_ref().map(Password::read).transpose();
            let name = String::from_utf8_lossy(user.name.as_bytes());
            let password = password
                .map_err(|error| format!("userlist '{}': user '{name}': {error}", list.name))?;
            let groups = user
                .groups
                .iter()
                .map(|group| group.as_bytes().into())
                .collect();
            Ok((user.name.as_bytes().into(), User { password, groups }))
        };
        Ok(Self {
            users: list.users.iter().map(user).collect::<Result<_, String>>()?,
            guesses: Guesses::new().ok_or("no random bytes can be had")?,
        })
    }

    /// The groups of a user whose password is right; `None` for everybody else, and while wrong
    /// passwords took too much time of late. `clock` tells milliseconds as they pass.
    pub(crate) fn groups_of(
        &self,
        name: &[u8],
        password: &[u8],
        clock: Clock<'_>,
    ) -> Option<&[Box<[u8]>]> {
        let user = self.users.get(name)?;
        let right = self.is_right(user.password.as_ref()?, (name, password), clock);
        right.then_some(user.groups.as_slice())
    }

    fn is_right(
        &self,
        kept: &Password,
        (name, password): (&[u8], &[u8]),
        clock: Clock<'_>,
    ) -> bool {
        let effort = kept.effort();
        if effort == 0 {
            return kept.is(password);
        }
        let tag = self.guesses.tag(name, password);
        if let Some(right) = self.guesses.known(tag) {
            return right;
        }
        let began = clock();
        if !self.guesses.may_try(began) {
            return false;
        }
        let right = kept.is(password);
        self.guesses.keep(tag, right);
        if !right {
            // Where processors are slow or busy, it takes longer than it should.
            let took = clock().saturating_sub(began).saturating_mul(1000);
            self.guesses.count(took.max(effort), began);
        }
        right
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use isthmus_plan::{ByteString, Password as Kept, User as Said};

    use super::*;

    fn list(hash: &str) -> Users {
        let user = |name: &str| Said {
            name: ByteString::from(name),
            password: Some(Kept::Hashed {
                hash: ByteString::from(hash),
            }),
            groups: Vec::new(),
        };
        let list = Userlist {
            name: "u".to_owned(),
            users: vec![user("ann"), user("bob")],
        };
        Users::compile(&list).unwrap()
    }

    /// mkpasswd's usual cost: 16 MiB, and some 100 ms.
    const YESCRYPT: &str =
        "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$PmNgGTLMFjJn.URBv11CpTEm5RwlKtPjRtztKe6.b33";

    #[test]
    fn guesses_are_cut_off_and_those_who_came_in_stay_in() {
        let users = list(YESCRYPT);
        assert!(users.groups_of(b"ann", b"hunter2", &|| 0).is_some());
        let before = std::time::Instant::now();
        for guess in 0..100_000_u32 {
            let found = users.groups_of(b"ann", &guess.to_be_bytes(), &|| 0);
            assert!(found.is_none());
        }
        // Six of them are compared; a hundred thousand would take hours.
        assert!(before.elapsed().as_secs() < 60);
        assert!(!users.guesses.may_try(0));
        assert!(users.groups_of(b"ann", b"hunter2", &|| 0).is_some());
        // Who comes for the first time has to wait.
        assert!(users.groups_of(b"bob", b"hunter2", &|| 0).is_none());
        assert!(users.groups_of(b"bob", b"hunter2", &|| 10_000).is_some());
    }

    #[test]
    fn unknown_names_cost_nothing() {
        let users = list(YESCRYPT);
        for _ in 0..10_000 {
            assert!(users.groups_of(b"eve", b"hunter2", &|| 0).is_none());
        }
        assert!(users.guesses.may_try(0));
    }
}
