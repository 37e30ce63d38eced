//! May this user run this request?

use super::user::{KeyPermission, Selector, User};
use crate::command::{
    CommandError, CommandId, CommandTable, Flags, KeyFlags, TableEntry, key_positions,
};
use crate::glob;

/// What a selector did not allow. Of several selectors the one that came furthest says it: the order of the variants,
/// then the position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Denied {
    Command,
    /// The key at this argument.
    Key(usize),
    /// The channel at this argument.
    Channel(usize),
}

impl Denied {
    /// The error a client gets.
    pub fn error(self, full_name: &str) -> CommandError {
        let what = match self {
            Denied::Command => format!("run the '{full_name}' command"),
            Denied::Key(_) => "access one of the keys used as arguments".into(),
            Denied::Channel(_) => "access one of the channels used as arguments".into(),
        };
        CommandError::Text(format!("NOPERM this user has no permissions to {what}").into())
    }

    /// What ACL DRYRUN answers: it may name what was denied.
    pub fn dry_run_text(self, full_name: &str, args: &[&[u8]]) -> Vec<u8> {
        let (what, at, kind) = match self {
            Denied::Command => {
                return format!("This user has no permissions to run the '{full_name}' command")
                    .into();
            }
            Denied::Key(at) => ("access", at, "key"),
            Denied::Channel(at) => ("access", at, "channel"),
        };
        [
            format!("This user has no permissions to {what} the '").as_bytes(),
            args[at],
            format!("' {kind}").as_bytes(),
        ]
        .concat()
    }

    /// Why EXEC stopped at a command that was allowed when it was queued.
    pub fn reason_at_exec(self) -> &'static str {
        match self {
            Denied::Command => "no permission to execute the command or subcommand",
            Denied::Key(_) => "no permission to touch the specified keys",
            Denied::Channel(_) => "no permission to access one of the channels used as arguments",
        }
    }
}

/// Which arguments are channels, and whether they are patterns.
#[derive(Clone, Copy)]
struct ChannelArgs {
    last_only_first: bool,
    pattern: bool,
}

/// The commands that name channels. Leaving a channel needs no permission.
fn channel_args(entry: &TableEntry) -> Option<ChannelArgs> {
    if !entry.spec.flags.has(Flags::PUBSUB) {
        return None;
    }
    let args = |last_only_first, pattern| {
        Some(ChannelArgs {
            last_only_first,
            pattern,
        })
    };
    match entry.full_name.as_str() {
        "publish" | "spublish" => args(true, false),
        "subscribe" | "ssubscribe" => args(false, false),
        "psubscribe" => args(false, true),
        _ => None,
    }
}

impl User {
    pub(super) fn check(
        &self,
        table: &CommandTable,
        command: CommandId,
        args: &[&[u8]],
    ) -> Result<(), Denied> {
        let entry = table.entry(command);
        let mut furthest = Denied::Command;
        for selector in &self.selectors {
            match selector.check(entry, command, args) {
                Ok(()) => return Ok(()),
                Err(denied) => furthest = furthest.max(denied),
            }
        }
        Err(furthest)
    }

    pub(super) fn may_read_any_key(
        &self,
        table: &CommandTable,
        command: CommandId,
        args: &[&[u8]],
    ) -> bool {
        let entry = table.entry(command);
        self.selectors
            .iter()
            .any(|selector| selector.may_run(entry, command, args) && selector.may_read_any_key())
    }

    /// Whether some selector lets its holder listen to this channel (or to exactly this pattern).
    pub fn may_listen(&self, channel: &[u8], pattern: bool) -> bool {
        self.selectors
            .iter()
            .any(|selector| selector.may_use_channel(channel, pattern))
    }
}

impl Selector {
    fn check(&self, entry: &TableEntry, command: CommandId, args: &[&[u8]]) -> Result<(), Denied> {
        if !self.may_run(entry, command, args) {
            return Err(Denied::Command);
        }
        if !self.all_keys
            && let Ok(positions) = key_positions(entry.spec, args)
        {
            for key in positions.iter() {
                if !self.may_use_key(args[key.position], key.flags) {
                    return Err(Denied::Key(key.position));
                }
            }
        }
        if !self.all_channels
            && let Some(channels) = channel_args(entry)
        {
            let end = if channels.last_only_first {
                2.min(args.len())
            } else {
                args.len()
            };
            for (at, channel) in args.iter().enumerate().take(end).skip(1) {
                if !self.may_use_channel(channel, channels.pattern) {
                    return Err(Denied::Channel(at));
                }
            }
        }
        Ok(())
    }

    fn may_run(&self, entry: &TableEntry, command: CommandId, args: &[&[u8]]) -> bool {
        self.commands.contains(command)
            || entry.spec.flags.has(Flags::NO_AUTH)
            || args.get(1).is_some_and(|first| {
                self.first_args.get(&command).is_some_and(|allowed| {
                    allowed
                        .iter()
                        .any(|allowed| allowed.eq_ignore_ascii_case(first))
                })
            })
    }

    fn may_use_key(&self, key: &[u8], flags: KeyFlags) -> bool {
        let needs = KeyPermission {
            read: flags.has(KeyFlags::ACCESS),
            write: flags.any(KeyFlags::INSERT.and(KeyFlags::DELETE).and(KeyFlags::UPDATE)),
        };
        self.all_keys
            || self.keys.iter().any(|(permission, pattern)| {
                (permission.read || !needs.read)
                    && (permission.write || !needs.write)
                    && glob::matches(pattern, key, false)
            })
    }

    fn may_read_any_key(&self) -> bool {
        self.all_keys
            || self
                .keys
                .iter()
                .any(|(permission, pattern)| permission.read && **pattern == *b"*")
    }

    /// A pattern to listen to must be allowed by its very text: what it would match is not known.
    fn may_use_channel(&self, channel: &[u8], pattern: bool) -> bool {
        self.all_channels
            || self.channels.iter().any(|allowed| match pattern {
                true => **allowed == *channel,
                false => glob::matches(allowed, channel, false),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Acl, UserId};
    use super::*;
    use crate::command::*;

    static GET: Command<()> = Command {
        spec: CommandSpec {
            name: "get",
            arity: 2,
            flags: Flags::READONLY,
            keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
            ..CommandSpec::BLANK
        },
        body: Body::Run(()),
    };
    static COPY: Command<()> = Command {
        spec: CommandSpec {
            name: "copy",
            arity: 3,
            flags: Flags::WRITE,
            keys: &[
                KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1),
                KeySpec::one(KeyFlags::OW.and(KeyFlags::UPDATE), 2),
            ],
            ..CommandSpec::BLANK
        },
        body: Body::Run(()),
    };
    static PSUBSCRIBE: Command<()> = Command {
        spec: CommandSpec {
            name: "psubscribe",
            arity: -2,
            flags: Flags::PUBSUB,
            ..CommandSpec::BLANK
        },
        body: Body::Run(()),
    };
    static SELECT: Command<()> = Command {
        spec: CommandSpec {
            name: "select",
            arity: 2,
            ..CommandSpec::BLANK
        },
        body: Body::Run(()),
    };

    fn table() -> CommandTable {
        let mut table = CommandTable::new();
        table.add(
            &[&GET, &COPY, &PSUBSCRIBE, &SELECT],
            &mut Vec::new(),
            |handler| handler,
        );
        table
    }

    fn answer(rules: &str, request: &str) -> Result<(), Denied> {
        let table = table();
        let mut acl = Acl::default();
        let words: Vec<Vec<u8>> = rules.split(' ').map(Into::into).collect();
        let rules = super::super::merge_selector_words(&words).expect("the rules are whole");
        let id = acl
            .set_user(&table, b"u", &rules)
            .expect("the rules are right");
        let args: Vec<&[u8]> = request.split(' ').map(str::as_bytes).collect();
        let Lookup::Found(command) = table.lookup(&args) else {
            panic!("{request} is not in the table");
        };
        assert_ne!(id, UserId::DEFAULT);
        acl.check(&table, id, command, &args)
    }

    #[test]
    fn one_selector_must_allow_the_whole_request() {
        let split = "-@all (+@read +copy %R~r*) (+copy %W~w*)";
        assert_eq!(answer(split, "get r1"), Ok(()));
        assert_eq!(answer(split, "copy r1 w1"), Err(Denied::Key(2)));
        assert_eq!(answer("+copy %R~r* %W~w*", "copy r1 w1"), Ok(()));
        assert_eq!(
            answer("+copy %R~r* %W~w*", "copy w1 r1"),
            Err(Denied::Key(1))
        );
        assert_eq!(
            answer("+get ~a (+copy ~a)", "copy b a"),
            Err(Denied::Key(1))
        );
        assert_eq!(answer("~* &*", "get a"), Err(Denied::Command));
    }

    #[test]
    fn a_pattern_to_listen_to_must_be_allowed_literally() {
        assert_eq!(answer("+@all &news.*", "psubscribe news.*"), Ok(()));
        assert_eq!(
            answer("+@all &news.*", "psubscribe news.* news.a*"),
            Err(Denied::Channel(2))
        );
        assert_eq!(answer("+@all allchannels", "psubscribe x*"), Ok(()));
    }

    #[test]
    fn a_first_argument_can_be_allowed_alone() {
        assert_eq!(answer("+select|0", "select 0"), Ok(()));
        assert_eq!(answer("+select|0", "select 1"), Err(Denied::Command));
        assert_eq!(answer("+@all -select", "select 0"), Err(Denied::Command));
    }
}
