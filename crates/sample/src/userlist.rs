//! Userlists (manual, section `userlist`): whether a name and a password belong together.

use std::collections::HashMap;

use isthmus_plan::Userlist;

use crate::password::Password;

/// A userlist, ready to be asked.
#[derive(Debug)]
pub struct Users(HashMap<Box<[u8]>, User>);

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
    pub(crate) fn compile(list: &Userlist) -> Result<Self, String> {
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
        list.users
            .iter()
            .map(user)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The groups of a user whose password is right; `None` for everybody else.
    pub(crate) fn groups_of(&self, name: &[u8], password: &[u8]) -> Option<&[Box<[u8]>]> {
        let user = self.0.get(name)?;
        let right = user.password.as_ref()?.is(password);
        right.then_some(user.groups.as_slice())
    }
}
