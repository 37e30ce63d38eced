//! A user and its selectors, as plain data.

use crate::command::CommandId;
use std::collections::BTreeMap;

/// SHA-256 of a password.
pub(super) type PasswordDigest = [u8; 32];

/// `sanitize-payload` or `skip-sanitize-payload`, if a rule said either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sanitize {
    Always,
    Skip,
}

/// Who may log in, and what they may do then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub(super) enabled: bool,
    /// Any password is right.
    pub(super) nopass: bool,
    pub(super) sanitize: Option<Sanitize>,
    pub(super) passwords: Vec<PasswordDigest>,
    /// The root selector, then those in parentheses. Never empty.
    pub(super) selectors: Vec<Selector>,
}

/// Read and write permission on keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyPermission {
    pub(super) read: bool,
    pub(super) write: bool,
}

/// One set of permissions: a request must fit into a single selector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    pub(super) commands: CommandSet,
    /// First arguments allowed for commands that are not: `+select|0`.
    pub(super) first_args: BTreeMap<CommandId, Vec<Box<[u8]>>>,
    pub(super) all_keys: bool,
    pub(super) keys: Vec<(KeyPermission, Box<[u8]>)>,
    pub(super) all_channels: bool,
    pub(super) channels: Vec<Box<[u8]>>,
}

/// A set of commands: a bit for each id, and one for whatever is not in the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CommandSet {
    words: Vec<u64>,
    /// What `+@all` and `-@all` leave behind: whether commands without a rule of their own are in.
    pub(super) others: bool,
    /// Every command, no exception: the check needs no bit.
    pub(super) everything: bool,
}

impl CommandSet {
    pub(super) fn all() -> CommandSet {
        CommandSet {
            words: Vec::new(),
            others: true,
            everything: true,
        }
    }

    #[inline]
    pub(super) fn contains(&self, id: CommandId) -> bool {
        match self.words.get(id.index() / 64) {
            Some(word) => word >> (id.index() % 64) & 1 == 1,
            None => self.others,
        }
    }

    pub(super) fn set(&mut self, id: CommandId, member: bool) {
        let (at, bit) = (id.index() / 64, 1 << (id.index() % 64));
        if self.words.len() <= at {
            let fill = if self.others { u64::MAX } else { 0 };
            self.words.resize(at + 1, fill);
        }
        if member {
            self.words[at] |= bit;
        } else {
            self.words[at] &= !bit;
            self.everything = false;
        }
    }
}

impl Selector {
    pub(super) fn new(all_channels: bool) -> Selector {
        Selector {
            all_channels,
            ..Selector::default()
        }
    }
}

impl User {
    /// A user that may do nothing yet.
    pub(super) fn new(all_channels: bool) -> User {
        User {
            enabled: false,
            nopass: false,
            sanitize: None,
            passwords: Vec::new(),
            selectors: vec![Selector::new(all_channels)],
        }
    }

    /// The default user of a server without any rule: everything, without a password.
    pub(super) fn default_user() -> User {
        let mut user = User::new(true);
        user.enabled = true;
        user.nopass = true;
        let root = user.root();
        root.commands = CommandSet::all();
        root.all_keys = true;
        user
    }

    pub(super) fn root(&mut self) -> &mut Selector {
        &mut self.selectors[0]
    }

    /// RESTORE checks the payloads of this user, as far as the configuration leaves it to users.
    pub fn skips_sanitizing(&self) -> bool {
        self.sanitize == Some(Sanitize::Skip)
    }

    /// Whether no check can fail.
    #[inline]
    pub(super) fn may_do_everything(&self) -> bool {
        let root = &self.selectors[0];
        root.commands.everything && root.all_keys && root.all_channels
    }

    /// Looks at every password and every byte, so that the time tells nothing.
    pub(super) fn has_password(&self, given: &PasswordDigest) -> bool {
        self.passwords.iter().fold(false, |known, password| {
            let difference = password
                .iter()
                .zip(given)
                .fold(0, |difference, (a, b)| difference | (a ^ b));
            known | (difference == 0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_without_a_bit_of_its_own_follows_the_base() {
        let mut set = CommandSet::default();
        set.set(CommandId(3), true);
        assert!(set.contains(CommandId(3)));
        assert!(!set.contains(CommandId(4)) && !set.contains(CommandId(400)));
        let mut set = CommandSet::all();
        set.set(CommandId(70), false);
        assert!(!set.everything && !set.contains(CommandId(70)));
        assert!(set.contains(CommandId(3)) && set.contains(CommandId(400)));
    }

    #[test]
    fn only_the_whole_password_is_known() {
        let mut user = User::new(false);
        user.passwords = vec![super::super::digest(b"one"), super::super::digest(b"two")];
        assert!(user.has_password(&super::super::digest(b"two")));
        for wrong in [b"".as_slice(), b"tw", b"twoo", b"TWO"] {
            assert!(!user.has_password(&super::super::digest(wrong)));
        }
    }
}
