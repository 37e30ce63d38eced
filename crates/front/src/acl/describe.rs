//! Users as text: ACL LIST, ACL GETUSER, ACL files and `user` lines.

use super::user::{CommandSet, Sanitize, Selector, User};
use crate::command::{Categories, CommandId, CommandTable};

impl User {
    /// The rules that make this user, as one line without its name.
    pub fn rules(&self, table: &CommandTable) -> Vec<u8> {
        let mut words: Vec<Vec<u8>> = self.flags().map(Into::into).collect();
        words.extend(self.password_hashes().map(|hash| format!("#{hash}").into()));
        let (root, others) = self
            .selectors
            .split_first()
            .expect("there is a root selector");
        words.push(root.rules(table));
        for selector in others {
            words.push([b"(", &selector.rules(table)[..], b")"].concat());
        }
        words.join(b" ".as_slice())
    }

    /// The flags of ACL GETUSER.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> {
        let sanitize = match self.sanitize {
            Some(Sanitize::Always) => Some("sanitize-payload"),
            Some(Sanitize::Skip) => Some("skip-sanitize-payload"),
            None => None,
        };
        std::iter::once(if self.enabled { "on" } else { "off" })
            .chain(self.nopass.then_some("nopass"))
            .chain(sanitize)
    }

    /// The SHA-256 of each password, in hexadecimal digits.
    pub fn password_hashes(&self) -> impl ExactSizeIterator<Item = String> {
        self.passwords
            .iter()
            .map(|digest| digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The root selector first.
    pub fn selectors(&self) -> &[Selector] {
        &self.selectors
    }
}

impl Selector {
    fn rules(&self, table: &CommandTable) -> Vec<u8> {
        let mut words: Vec<Vec<u8>> = Vec::new();
        let keys = self.keys_text();
        if !keys.is_empty() {
            words.push(keys);
        }
        if !self.all_channels {
            words.push(b"resetchannels".to_vec());
        }
        let channels = self.channels_text();
        if !channels.is_empty() {
            words.push(channels);
        }
        words.push(self.commands_text(table).into());
        words.join(b" ".as_slice())
    }

    /// The key patterns, as rules.
    pub fn keys_text(&self) -> Vec<u8> {
        if self.all_keys {
            return b"~*".to_vec();
        }
        let rules = self.keys.iter().map(|(permission, pattern)| {
            let sign: &[u8] = match (permission.read, permission.write) {
                (true, true) => b"~",
                (true, false) => b"%R~",
                _ => b"%W~",
            };
            [sign, pattern].concat()
        });
        rules.collect::<Vec<_>>().join(b" ".as_slice())
    }

    /// The channel patterns, as rules.
    pub fn channels_text(&self) -> Vec<u8> {
        if self.all_channels {
            return b"&*".to_vec();
        }
        let rules = self
            .channels
            .iter()
            .map(|pattern| [b"&", &pattern[..]].concat());
        rules.collect::<Vec<_>>().join(b" ".as_slice())
    }

    /// The commands, as rules: the base, the categories that come closest, and then single commands for what is left.
    pub fn commands_text(&self, table: &CommandTable) -> String {
        let additive = !self.commands.others;
        let mut text = String::from(if additive { "-@all" } else { "+@all" });
        if self.commands.everything {
            return text;
        }
        let sign = if additive { '+' } else { '-' };
        // What the rules written so far would give.
        let mut written = Selector::default();
        if !additive {
            written.commands = CommandSet::all();
        }
        // What they leave to be said.
        let mut left = self.clone();
        let mut unused: Vec<(Categories, &str)> = Categories::ALL.to_vec();
        while let Some(at) = best_category(table, &left, &unused, additive) {
            let (category, name) = unused.remove(at);
            text.push_str(&format!(" {sign}@{name}"));
            written.set_category(table, category, additive);
            left.set_category(table, category, !additive);
        }
        for (id, entry) in table.iter() {
            let allowed = self.commands.contains(id);
            if allowed != written.commands.contains(id) {
                let sign = if allowed { '+' } else { '-' };
                text.push_str(&format!(" {sign}{}", entry.full_name));
                written.set_command(table, id, allowed);
            }
            for first_arg in self.first_args.get(&id).into_iter().flatten() {
                let first_arg = String::from_utf8_lossy(first_arg);
                text.push_str(&format!(" +{}|{first_arg}", entry.full_name));
            }
        }
        text
    }
}

/// The category that says most of what is left with the fewest commands wrong, if one says more right than wrong.
fn best_category(
    table: &CommandTable,
    left: &Selector,
    unused: &[(Categories, &str)],
    additive: bool,
) -> Option<usize> {
    let says = |id: CommandId| left.commands.contains(id) == additive;
    let mut best: Option<(usize, usize, usize)> = None;
    for (at, (category, _)) in unused.iter().enumerate() {
        let (mut right, mut wrong) = (0, 0);
        for (id, entry) in table.iter() {
            if entry.categories.has(*category) {
                if says(id) {
                    right += 1;
                } else {
                    wrong += 1;
                }
            }
        }
        let better = match best {
            None => true,
            Some((_, fewest, most)) => wrong < fewest || (wrong == fewest && right > most),
        };
        if right > wrong && better {
            best = Some((at, wrong, right));
        }
    }
    best.map(|(at, ..)| at)
}
