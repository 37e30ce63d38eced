//! ACL files: a `user` line for each user.

use super::rule::merge_selector_words;
use super::user::User;
use super::{Acl, DEFAULT_NAME, RuleError, UserId};
use crate::command::CommandTable;
use std::io::Write;
use std::path::Path;

/// Ends every report: nothing was half loaded.
const NOTHING_CHANGED: &str =
    "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";

impl Acl {
    /// Every user as a `user` line, in the order of names.
    pub fn lines(&self, table: &CommandTable) -> Vec<Vec<u8>> {
        self.iter()
            .map(|(name, user)| [b"user ", name, b" ", &user.rules(table)[..]].concat())
            .collect()
    }

    /// ACL SAVE: a new file beside the old one, synced, then renamed over it.
    ///
    /// # Errors
    /// Those of the file system; the old file is untouched then.
    pub fn save(&self, table: &CommandTable) -> std::io::Result<()> {
        let path = Path::new(&self.file);
        let temporary = format!("{}.tmp-{}", self.file, std::process::id());
        let write = || {
            let mut file = std::fs::File::create(&temporary)?;
            for line in self.lines(table) {
                file.write_all(&line)?;
                file.write_all(b"\n")?;
            }
            file.sync_all()?;
            std::fs::rename(&temporary, path)?;
            let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
            std::fs::File::open(dir.unwrap_or(Path::new(".")))?.sync_all()
        };
        write().inspect_err(|_| {
            // The old file is untouched; a leftover would only confuse.
            let _ = std::fs::remove_file(&temporary);
        })
    }

    /// ACL LOAD: the file's users replace all others. Returns the users that are gone, whose clients the caller closes;
    /// the default user keeps its clients.
    ///
    /// # Errors
    /// A report of every line that cannot be taken; nothing changed then.
    pub fn load(&mut self, table: &CommandTable) -> Result<Vec<UserId>, String> {
        let text = std::fs::read(&self.file).map_err(|error| {
            format!(
                "Error loading ACLs, opening file '{}': {}",
                self.file,
                crate::log::io_reason(&error)
            )
        })?;
        let users = self.parse(table, &text)?;
        let gone = self
            .names
            .values()
            .copied()
            .filter(|&id| id != UserId::DEFAULT)
            .collect();
        let kept_default = self.users[0].take();
        self.users.iter_mut().for_each(|user| *user = None);
        self.names.retain(|name, _| **name == *DEFAULT_NAME);
        // A file that does not name the default user leaves it as a server starts with it.
        self.users[0] = kept_default.map(|_| Box::new(User::default_user()));
        for (name, user) in users {
            if name == DEFAULT_NAME {
                self.users[0] = Some(Box::new(user));
            } else {
                self.add(&name, user);
            }
        }
        Ok(gone)
    }

    fn parse(&self, table: &CommandTable, text: &[u8]) -> Result<Vec<(Vec<u8>, User)>, String> {
        let mut users: Vec<(Vec<u8>, User)> = Vec::new();
        let mut errors = String::new();
        for (number, line) in (1..).zip(text.split(|&byte| byte == b'\n')) {
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            let at = format!("{}:{number}", self.file);
            let words: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
            let (Some(&b"user"), Some(name)) = (words.first(), words.get(1)) else {
                errors +=
                    &format!("{at} should start with user keyword followed by the username. ");
                continue;
            };
            if users.iter().any(|(known, _)| known == name) {
                let name = String::from_utf8_lossy(name);
                errors += &format!("WARNING: Duplicate user '{name}' found on line {number}. ");
                continue;
            }
            let Ok(rules) = merge_selector_words(&words[2..]) else {
                errors += &format!("{at}: Unmatched parenthesis in selector definition.");
                continue;
            };
            let mut user = User::new(self.new_users_get_all_channels);
            for rule in &rules {
                match user.apply(table, rule.trim_ascii(), self.new_users_get_all_channels) {
                    Ok(()) => {}
                    Err(error @ RuleError::UnknownCommand) => {
                        let rule = String::from_utf8_lossy(rule);
                        errors += &format!("{at}: Error in applying operation '{rule}': {error}. ");
                    }
                    Err(error) => errors += &format!("{at}: {error}. "),
                }
            }
            users.push((name.to_vec(), user));
        }
        match errors.is_empty() {
            true => Ok(users),
            false => Err(errors + NOTHING_CHANGED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acl() -> Acl {
        Acl {
            file: "users.acl".into(),
            ..Acl::default()
        }
    }

    #[test]
    fn every_bad_line_is_reported_and_nothing_loaded() {
        let text = "user a on\n\nusr b\nuser a off\nuser c +nothing\nuser d ~* ~x\nuser e (~x";
        let parsed = acl().parse(&CommandTable::new(), text.as_bytes());
        let report = parsed.expect_err("five lines are wrong");
        for part in [
            "users.acl:3 should start with user",
            "Duplicate user 'a' found on line 4.",
            "users.acl:5: Error in applying operation '+nothing': Unknown command",
            "users.acl:6: Adding a pattern after",
            "users.acl:7: Unmatched parenthesis in selector definition.WARNING: ACL errors",
        ] {
            assert!(report.contains(part), "{part} is not in {report}");
        }
    }

    #[test]
    fn what_is_saved_loads_as_the_same_users() {
        let table = CommandTable::new();
        let mut first = acl();
        let rules = [
            "on",
            ">pw",
            "%R~r*",
            "~k",
            "&c*",
            "(~x",
            "&y)",
            "sanitize-payload",
        ];
        let rules = merge_selector_words(&rules).expect("the rules are whole");
        first
            .set_user(&table, b"bob", &rules)
            .expect("the rules are right");
        let text = first.lines(&table).join(b"\n".as_slice());
        let users = first.parse(&table, &text).expect("it is well formed");
        let bob = users.iter().find(|(name, _)| name == b"bob").expect("bob");
        assert_eq!(Some(&bob.1), first.by_name(b"bob").map(|(_, user)| user));
    }
}
