//! ACL rules, the words of ACL SETUSER, `user` lines and ACL files.

use super::digest;
use super::user::{CommandSet, KeyPermission, PasswordDigest, Sanitize, Selector, User};
use crate::command::{Categories, CommandId, CommandTable};
use std::fmt;

/// Why a rule cannot be taken; `Display` is Redis's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleError {
    Syntax,
    UnknownCommand,
    FirstArgOfSubcommand,
    KeysAfterAll,
    ChannelsAfterAll,
    NoSuchPassword,
    BadHash,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RuleError::Syntax => "Syntax error",
            RuleError::UnknownCommand => "Unknown command or category name in ACL",
            RuleError::FirstArgOfSubcommand => {
                "Allowing first-arg of a subcommand is not supported"
            }
            RuleError::KeysAfterAll => {
                "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any \
                 effect. Try 'resetkeys' to start with an empty list of patterns"
            }
            RuleError::ChannelsAfterAll => {
                "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any \
                 effect. Try 'resetchannels' to start with an empty list of channels"
            }
            RuleError::NoSuchPassword => {
                "The password you are trying to remove from the user does not exist"
            }
            RuleError::BadHash => {
                "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
            }
        })
    }
}

/// The rule that ACL SETUSER stopped at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRuleError {
    pub rule: Vec<u8>,
    pub error: RuleError,
}

/// Joins the words of each selector in parentheses into one rule.
///
/// # Errors
/// The words of a selector that does not end.
pub fn merge_selector_words(words: &[impl AsRef<[u8]>]) -> Result<Vec<Vec<u8>>, Vec<u8>> {
    let mut rules = Vec::new();
    let mut open: Option<Vec<u8>> = None;
    for word in words.iter().map(AsRef::as_ref) {
        let rule = match open.take() {
            Some(selector) => [&selector[..], b" ", word].concat(),
            None => word.to_vec(),
        };
        if rule.starts_with(b"(") && !word.ends_with(b")") {
            open = Some(rule);
        } else {
            rules.push(rule);
        }
    }
    match open {
        Some(selector) => Err(selector),
        None => Ok(rules),
    }
}

impl User {
    /// Applies one rule.
    ///
    /// # Errors
    /// The rule cannot be taken; the user may be changed in part, so callers work on a copy.
    pub(super) fn apply(
        &mut self,
        table: &CommandTable,
        rule: &[u8],
        all_channels_at_reset: bool,
    ) -> Result<(), RuleError> {
        match rule.to_ascii_lowercase().as_slice() {
            b"" => {}
            b"on" => self.enabled = true,
            b"off" => self.enabled = false,
            b"nopass" => {
                self.nopass = true;
                self.passwords.clear();
            }
            b"sanitize-payload" => self.sanitize = Some(Sanitize::Always),
            b"skip-sanitize-payload" => self.sanitize = Some(Sanitize::Skip),
            b"resetpass" => {
                self.nopass = false;
                self.passwords.clear();
            }
            b"clearselectors" => self.selectors.truncate(1),
            b"reset" => {
                *self = User::new(all_channels_at_reset);
                self.sanitize = Some(Sanitize::Always);
            }
            _ => return self.apply_detail(table, rule, all_channels_at_reset),
        }
        Ok(())
    }

    fn apply_detail(
        &mut self,
        table: &CommandTable,
        rule: &[u8],
        all_channels: bool,
    ) -> Result<(), RuleError> {
        match rule {
            [b'>', password @ ..] => self.add_password(digest(password)),
            [b'#', hash @ ..] => self.add_password(hash_of_hex(hash)?),
            [b'<', password @ ..] => return self.remove_password(&digest(password)),
            [b'!', hash @ ..] => return self.remove_password(&hash_of_hex(hash)?),
            [b'(', rules @ .., b')'] => {
                let mut selector = Selector::new(all_channels);
                let words = rules.split(|&byte| byte == b' ');
                for rule in words.filter(|word| !word.is_empty()) {
                    selector.apply(table, rule)?;
                }
                self.selectors.push(selector);
            }
            rule => return self.root().apply(table, rule),
        }
        Ok(())
    }

    fn add_password(&mut self, password: PasswordDigest) {
        if !self.passwords.contains(&password) {
            self.passwords.push(password);
        }
        self.nopass = false;
    }

    fn remove_password(&mut self, password: &PasswordDigest) -> Result<(), RuleError> {
        let at = self.passwords.iter().position(|known| known == password);
        self.passwords.remove(at.ok_or(RuleError::NoSuchPassword)?);
        Ok(())
    }
}

fn hash_of_hex(hex: &[u8]) -> Result<PasswordDigest, RuleError> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(RuleError::BadHash),
    };
    if hex.len() != 64 {
        return Err(RuleError::BadHash);
    }
    let mut hash = PasswordDigest::default();
    for (byte, pair) in hash.iter_mut().zip(hex.chunks(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Ok(hash)
}

impl Selector {
    /// Applies a rule about commands, keys or channels.
    ///
    /// # Errors
    /// The rule cannot be taken.
    pub(super) fn apply(&mut self, table: &CommandTable, rule: &[u8]) -> Result<(), RuleError> {
        match rule.to_ascii_lowercase().as_slice() {
            b"allkeys" | b"~*" => {
                self.all_keys = true;
                self.keys.clear();
            }
            b"resetkeys" => {
                self.all_keys = false;
                self.keys.clear();
            }
            b"allchannels" | b"&*" => {
                self.all_channels = true;
                self.channels.clear();
            }
            b"resetchannels" => {
                self.all_channels = false;
                self.channels.clear();
            }
            b"allcommands" | b"+@all" => {
                self.commands = CommandSet::all();
                self.first_args.clear();
            }
            b"nocommands" | b"-@all" => {
                self.commands = CommandSet::default();
                self.first_args.clear();
            }
            _ => return self.apply_detail(table, rule),
        }
        Ok(())
    }

    fn apply_detail(&mut self, table: &CommandTable, rule: &[u8]) -> Result<(), RuleError> {
        match rule {
            [b'~', pattern @ ..] => {
                let both = KeyPermission {
                    read: true,
                    write: true,
                };
                self.add_keys(both, pattern)
            }
            [b'%', rest @ ..] => {
                let end = rest.iter().position(|&byte| byte == b'~');
                // Without a pattern there is nothing to add; Redis takes it all the same.
                let flags = &rest[..end.unwrap_or(rest.len())];
                let permission = key_permission(flags).ok_or(RuleError::Syntax)?;
                match end {
                    Some(end) => self.add_keys(permission, &rest[end + 1..]),
                    None => Ok(()),
                }
            }
            [b'&', channel @ ..] => {
                check_pattern(channel)?;
                if self.all_channels {
                    return Err(RuleError::ChannelsAfterAll);
                }
                if !self.channels.iter().any(|known| **known == *channel) {
                    self.channels.push(channel.into());
                }
                Ok(())
            }
            [sign @ (b'+' | b'-'), b'@', category @ ..] => {
                let category = Categories::by_name(category).ok_or(RuleError::UnknownCommand)?;
                self.set_category(table, category, *sign == b'+');
                Ok(())
            }
            [b'+', name @ ..] => self.allow_command(table, name),
            [b'-', name @ ..] => {
                let id = table
                    .by_original_name(name)
                    .ok_or(RuleError::UnknownCommand)?;
                self.set_command(table, id, false);
                Ok(())
            }
            _ => Err(RuleError::Syntax),
        }
    }

    fn add_keys(&mut self, permission: KeyPermission, pattern: &[u8]) -> Result<(), RuleError> {
        check_pattern(pattern)?;
        if self.all_keys {
            return Err(RuleError::KeysAfterAll);
        }
        let everything = permission.read && permission.write && pattern == b"*";
        if everything {
            self.all_keys = true;
            self.keys.clear();
            return Ok(());
        }
        match self.keys.iter_mut().find(|(_, known)| **known == *pattern) {
            Some((known, _)) => {
                known.read |= permission.read;
                known.write |= permission.write;
            }
            None => self.keys.push((permission, pattern.into())),
        }
        Ok(())
    }

    fn allow_command(&mut self, table: &CommandTable, name: &[u8]) -> Result<(), RuleError> {
        if let Some(id) = table.by_original_name(name) {
            self.set_command(table, id, true);
            return Ok(());
        }
        // Not a command: a command and a first argument.
        let mut words = name.rsplitn(2, |&byte| byte == b'|');
        let (first_arg, command) = (words.next().unwrap_or_default(), words.next());
        let id = command
            .and_then(|command| table.by_original_name(command))
            .ok_or(RuleError::UnknownCommand)?;
        let entry = table.entry(id);
        if entry.parent.is_some() {
            return Err(RuleError::FirstArgOfSubcommand);
        }
        if entry.is_container() {
            return Err(RuleError::UnknownCommand);
        }
        if first_arg.is_empty() {
            return Err(RuleError::Syntax);
        }
        let allowed = self.first_args.entry(id).or_default();
        let first_arg = first_arg.to_ascii_lowercase();
        if !allowed.iter().any(|known| **known == *first_arg) {
            allowed.push(first_arg.into());
        }
        Ok(())
    }

    /// A rule for a command is one for its subcommands, and makes rules for its first arguments pointless.
    pub(super) fn set_command(&mut self, table: &CommandTable, id: CommandId, allowed: bool) {
        self.commands.set(id, allowed);
        self.first_args.remove(&id);
        for &subcommand in &table.entry(id).subcommands {
            self.commands.set(subcommand, allowed);
        }
    }

    pub(super) fn set_category(
        &mut self,
        table: &CommandTable,
        category: Categories,
        allowed: bool,
    ) {
        for (id, entry) in table.iter() {
            if entry.categories.has(category) {
                self.set_command(table, id, allowed);
            }
        }
    }
}

fn key_permission(flags: &[u8]) -> Option<KeyPermission> {
    let mut permission = KeyPermission {
        read: false,
        write: false,
    };
    for flag in flags {
        match flag.to_ascii_uppercase() {
            b'R' if !permission.read => permission.read = true,
            b'W' if !permission.write => permission.write = true,
            _ => return None,
        }
    }
    (permission.read || permission.write).then_some(permission)
}

/// Rules are kept in files of lines and words, so patterns hold neither space nor NUL.
fn check_pattern(pattern: &[u8]) -> Result<(), RuleError> {
    let bad = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, 0 | 0x0b);
    match pattern.iter().any(bad) {
        true => Err(RuleError::Syntax),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_selector_become_one_rule() {
        let merged = |words: &[&str]| merge_selector_words(words);
        assert_eq!(
            merged(&["on", "(+get", "~a)", "( )", "x)"]),
            Ok(vec![
                b"on".to_vec(),
                b"(+get ~a)".to_vec(),
                b"( )".to_vec(),
                b"x)".to_vec()
            ])
        );
        assert_eq!(merged(&["(", "+get"]), Err(b"( +get".to_vec()));
    }

    #[test]
    fn a_hash_is_64_lowercase_digits() {
        let hex = "0f".repeat(32);
        assert_eq!(hash_of_hex(hex.as_bytes()), Ok([15; 32]));
        for wrong in [&hex[1..], &"0F".repeat(32), &"0g".repeat(32), ""] {
            assert_eq!(hash_of_hex(wrong.as_bytes()), Err(RuleError::BadHash));
        }
    }

    #[test]
    fn read_and_write_on_one_pattern_add_up() {
        let mut selector = Selector::default();
        let table = CommandTable::new();
        for rule in [b"%R~a".as_slice(), b"%W~a", b"%rw~b"] {
            selector.apply(&table, rule).expect("a right rule");
        }
        assert_eq!(selector.keys.len(), 2);
        assert!(selector.keys.iter().all(|(p, _)| p.read && p.write));
        assert_eq!(selector.apply(&table, b"%RR~a"), Err(RuleError::Syntax));
        assert_eq!(selector.apply(&table, b"~a b"), Err(RuleError::Syntax));
    }
}
