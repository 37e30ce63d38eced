//! Users and what they may do. Every decision derives from the command table: flags, categories and key specs.
//!
//! A user has passwords and selectors; a request is allowed if one selector allows the command, every key it names and
//! every channel it names. Clients hold a [`UserId`], so a changed rule counts for their very next request.

mod check;
mod describe;
mod file;
mod log;
mod rule;
mod user;

pub use check::Denied;
pub use log::{AclLog, LogContext, LogEntry, LogReason};
pub use rule::{RuleError, UserRuleError, merge_selector_words};
pub use user::{Selector, User};

use crate::command::{CommandId, CommandTable};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use user::PasswordDigest;

/// Names a user for as long as it exists; never used again after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UserId(u32);

impl UserId {
    /// The user every connection starts as.
    pub const DEFAULT: UserId = UserId(0);
}

/// The default user's name.
const DEFAULT_NAME: &[u8] = b"default";

/// All users, and the log of what they were denied.
pub struct Acl {
    /// By id; users that were deleted leave a gap.
    users: Vec<Option<Box<User>>>,
    /// In the order of names, as ACL LIST shows them.
    names: BTreeMap<Box<[u8]>, UserId>,
    pub log: AclLog,
    /// `acl-pubsub-default allchannels`: what a new user may listen to.
    pub new_users_get_all_channels: bool,
    /// `aclfile`, or empty.
    pub file: String,
    /// The `requirepass` that was applied last.
    requirepass: String,
}

impl Default for Acl {
    fn default() -> Acl {
        Acl {
            users: vec![Some(Box::new(User::default_user()))],
            names: BTreeMap::from([(DEFAULT_NAME.into(), UserId::DEFAULT)]),
            log: AclLog::default(),
            new_users_get_all_channels: false,
            file: String::new(),
            requirepass: String::new(),
        }
    }
}

/// The SHA-256 of a password: all that is ever kept of it.
fn digest(password: &[u8]) -> PasswordDigest {
    Sha256::digest(password).into()
}

impl Acl {
    /// The user of a client; None if it was deleted a moment ago.
    #[inline]
    pub fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(id.0 as usize)?.as_deref()
    }

    /// The user of this name.
    pub fn by_name(&self, name: &[u8]) -> Option<(UserId, &User)> {
        let id = *self.names.get(name)?;
        Some((id, self.user(id)?))
    }

    /// A user's name, for logs and CLIENT LIST.
    pub fn name_of(&self, id: UserId) -> &[u8] {
        self.names
            .iter()
            .find(|&(_, &other)| other == id)
            .map_or(b"(deleted)", |(name, _)| name)
    }

    /// Every user, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &User)> {
        self.names
            .iter()
            .filter_map(|(name, &id)| Some((&**name, self.user(id)?)))
    }

    fn default_user(&self) -> &User {
        self.user(UserId::DEFAULT)
            .expect("the default user is never deleted")
    }

    /// Whether a new connection may send commands at once.
    pub fn default_user_is_open(&self) -> bool {
        let user = self.default_user();
        user.enabled && user.nopass
    }

    /// Whether the default user takes any password, as protected mode and one-word AUTH ask.
    pub fn default_user_needs_no_password(&self) -> bool {
        self.default_user().nopass
    }

    /// The user a name and password belong to. The comparison takes the same time whatever the password.
    pub fn authenticate(&self, name: &[u8], password: &[u8]) -> Option<UserId> {
        let given = digest(password);
        let (id, user) = self.by_name(name)?;
        let known = user.has_password(&given);
        (user.enabled && (user.nopass || known)).then_some(id)
    }

    /// Follows `requirepass` when its text changed: the default user's only password, or none at all.
    pub fn set_requirepass(&mut self, password: &str) {
        if self.requirepass == password {
            return;
        }
        self.requirepass = password.into();
        let user = self.users[0]
            .as_deref_mut()
            .expect("the default user is never deleted");
        user.passwords.clear();
        user.nopass = password.is_empty();
        if !password.is_empty() {
            user.passwords.push(digest(password.as_bytes()));
        }
    }

    /// ACL SETUSER: all rules or, on an error, none. Returns the user's id.
    ///
    /// # Errors
    /// The first rule that cannot be taken.
    pub fn set_user(
        &mut self,
        table: &CommandTable,
        name: &[u8],
        rules: &[Vec<u8>],
    ) -> Result<UserId, UserRuleError> {
        let known = self.by_name(name).map(|(id, user)| (id, user.clone()));
        let (id, mut user) = match known {
            Some((id, user)) => (Some(id), user),
            None => (None, User::new(self.new_users_get_all_channels)),
        };
        for rule in rules {
            user.apply(table, rule, self.new_users_get_all_channels)
                .map_err(|error| UserRuleError {
                    rule: rule.clone(),
                    error,
                })?;
        }
        Ok(match id {
            Some(id) => {
                self.users[id.0 as usize] = Some(Box::new(user));
                id
            }
            None => self.add(name, user),
        })
    }

    fn add(&mut self, name: &[u8], user: User) -> UserId {
        let id = UserId(u32::try_from(self.users.len()).expect("fewer users than memory for them"));
        self.users.push(Some(Box::new(user)));
        self.names.insert(name.into(), id);
        id
    }

    /// Deletes a user; its clients are the caller's to close. The default user stays.
    pub fn delete_user(&mut self, name: &[u8]) -> Option<UserId> {
        let id = *self.names.get(name).filter(|&&id| id != UserId::DEFAULT)?;
        self.names.remove(name);
        self.users[id.0 as usize] = None;
        Some(id)
    }

    /// Whether a user may read every key there is with this request, as one must whose keys nobody can tell beforehand.
    pub fn may_read_any_key(
        &self,
        table: &CommandTable,
        id: UserId,
        command: CommandId,
        args: &[&[u8]],
    ) -> bool {
        self.user(id)
            .is_some_and(|user| user.may_read_any_key(table, command, args))
    }

    /// Whether a user may run a request.
    ///
    /// # Errors
    /// What was denied, of the selector that came furthest.
    #[inline]
    pub fn check(
        &self,
        table: &CommandTable,
        id: UserId,
        command: CommandId,
        args: &[&[u8]],
    ) -> Result<(), Denied> {
        match self.user(id) {
            Some(user) if user.may_do_everything() => Ok(()),
            Some(user) => user.check(table, command, args),
            None => Err(Denied::Command),
        }
    }
}
