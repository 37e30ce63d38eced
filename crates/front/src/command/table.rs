//! The command table: every command of a process by name, built once at start from the owners' lists.
//!
//! Every request passes through [`CommandTable::lookup`], so names are folded to lower case in two registers and compared
//! there: no allocation, no byte loop for names of up to 16 bytes.

use super::spec::{Body, Categories, Command, CommandSpec};
use super::{CommandError, KeyShape};

/// A command's position in the table. Run-time facts (calls, latency, ACL bit) are kept in vectors by this id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandId(pub u16);

impl CommandId {
    /// The position in a vector of run-time facts.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One row of the table.
pub struct TableEntry {
    pub spec: &'static CommandSpec,
    /// `get`, or `config|get` for a subcommand. Stays what it is when the command is renamed.
    pub full_name: String,
    pub parent: Option<CommandId>,
    pub subcommands: Vec<CommandId>,
    /// Every ACL category of the command, derived ones included.
    pub categories: Categories,
    /// Where the keys are, in the old form of COMMAND INFO.
    pub key_shape: KeyShape,
    /// What clients must call it; `None` if the configuration took it away.
    called: Option<String>,
}

impl TableEntry {
    /// Whether a word of its own selects a subcommand.
    pub fn is_container(&self) -> bool {
        !self.subcommands.is_empty()
    }

    /// Whether clients call it by this name, in any case.
    fn answers_to(&self, name: &[u8]) -> bool {
        self.called
            .as_ref()
            .is_some_and(|called| called.as_bytes().eq_ignore_ascii_case(name))
    }

    /// Whether a request of `words` words (the name included) has an acceptable length.
    #[inline]
    /// Whether it tells subscribers something.
    pub fn publishes(&self) -> bool {
        matches!(self.spec.name, "publish" | "spublish")
    }

    pub fn arity_accepts(&self, words: usize) -> bool {
        let arity = self.spec.arity;
        if arity >= 0 {
            words == arity as usize
        } else {
            words >= arity.unsigned_abs() as usize
        }
    }
}

/// What a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// A command, a subcommand, or a container that was called without a subcommand.
    Found(CommandId),
    Unknown,
    /// The container exists, its subcommand does not.
    UnknownSubcommand(CommandId),
}

/// Why `rename-command` was refused; `Display` is the text for the configuration error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenameError {
    NoSuchCommand,
    NameTaken,
}

impl std::fmt::Display for RenameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            RenameError::NoSuchCommand => "No such command in rename-command",
            RenameError::NameTaken => "Target command name already exists",
        })
    }
}

impl std::error::Error for RenameError {}

/// All commands of a process. Handlers live with their owner, in a vector by [`CommandId`].
#[derive(Default)]
pub struct CommandTable {
    entries: Vec<TableEntry>,
    names: NameIndex,
    top_level: usize,
}

impl CommandTable {
    /// A table without commands.
    pub fn new() -> CommandTable {
        CommandTable::default()
    }

    /// Adds an owner's commands and their subcommands, and pushes each one's handler (`None` for a container) at the
    /// same position of `handlers`. `wrap` turns the owner's handler into the process's.
    ///
    /// # Panics
    /// If a name is already taken or `handlers` belongs to another table: mistakes in static lists, found at start.
    pub fn add<H: Copy, K>(
        &mut self,
        commands: &[&'static Command<H>],
        handlers: &mut Vec<Option<K>>,
        wrap: impl Fn(H) -> K + Copy,
    ) {
        for command in commands {
            self.add_one(command, None, handlers, wrap);
        }
    }

    fn add_one<H: Copy, K>(
        &mut self,
        command: &'static Command<H>,
        parent: Option<CommandId>,
        handlers: &mut Vec<Option<K>>,
        wrap: impl Fn(H) -> K + Copy,
    ) -> CommandId {
        assert_eq!(
            handlers.len(),
            self.entries.len(),
            "handlers are of another table"
        );
        let spec = &command.spec;
        let id = CommandId(u16::try_from(self.entries.len()).expect("fewer than 65536 commands"));
        let full_name = match parent {
            Some(parent) => format!("{}|{}", self.entry(parent).full_name, spec.name),
            None => spec.name.to_string(),
        };
        assert!(
            self.find(parent, spec.name.as_bytes()).is_none(),
            "two commands named {full_name}"
        );
        self.entries.push(TableEntry {
            spec,
            full_name,
            parent,
            subcommands: Vec::new(),
            categories: spec.acl_categories(),
            key_shape: KeyShape::of(spec.keys),
            called: Some(spec.name.to_string()),
        });
        self.top_level += usize::from(parent.is_none());
        let (handler, subcommands) = match command.body {
            Body::Run(handler) => (Some(handler), &[][..]),
            Body::Container(subcommands) => (None, subcommands),
            Body::RunOrContainer(handler, subcommands) => (Some(handler), subcommands),
        };
        handlers.push(handler.map(wrap));
        for subcommand in subcommands {
            let subcommand = self.add_one(subcommand, Some(id), handlers, wrap);
            self.entries[id.index()].subcommands.push(subcommand);
        }
        self.names.insert(&self.entries, id);
        id
    }

    /// Which command a request names: its first word, and the second if the first is a container.
    #[inline]
    pub fn lookup(&self, args: &[&[u8]]) -> Lookup {
        let Some(slot) = args.first().and_then(|name| self.find(None, name)) else {
            return Lookup::Unknown;
        };
        if !slot.container || args.len() == 1 {
            return Lookup::Found(slot.id);
        }
        match self.find(Some(slot.id), args[1]) {
            Some(subcommand) => Lookup::Found(subcommand.id),
            None => Lookup::UnknownSubcommand(slot.id),
        }
    }

    /// The command clients reach by `get` or `config|get`, in any case.
    pub fn by_name(&self, name: impl AsRef<[u8]>) -> Option<CommandId> {
        let mut words = name.as_ref().split(|&byte| byte == b'|');
        let first = self.find(None, words.next().unwrap_or_default())?;
        match (words.next(), words.next()) {
            (None, _) => Some(first.id),
            (Some(word), None) => self.find(Some(first.id), word).map(|slot| slot.id),
            (Some(_), Some(_)) => None,
        }
    }

    /// The command whose full name was `name` before any renaming: ACL rules and stored commands mean this one.
    pub fn by_original_name(&self, name: impl AsRef<[u8]>) -> Option<CommandId> {
        let name = name.as_ref();
        self.iter()
            .find(|(_, entry)| entry.full_name.as_bytes().eq_ignore_ascii_case(name))
            .map(|(id, _)| id)
    }

    /// Lets clients reach the command `old` under `new` only.
    pub fn rename(&mut self, old: &[u8], new: &str) -> Result<(), RenameError> {
        let id = self.find(None, old).ok_or(RenameError::NoSuchCommand)?.id;
        if self
            .find(None, new.as_bytes())
            .is_some_and(|taken| taken.id != id)
        {
            return Err(RenameError::NameTaken);
        }
        self.call(id, Some(new.to_string()));
        Ok(())
    }

    /// Takes a command away from clients. Its id and entry stay.
    pub fn remove(&mut self, old: &[u8]) -> Result<(), RenameError> {
        let id = self.find(None, old).ok_or(RenameError::NoSuchCommand)?.id;
        self.call(id, None);
        self.top_level -= 1;
        Ok(())
    }

    fn call(&mut self, id: CommandId, name: Option<String>) {
        self.entries[id.index()].called = name;
        self.names = NameIndex::of(&self.entries);
    }

    /// The entry of a command of this table.
    #[inline]
    pub fn entry(&self, id: CommandId) -> &TableEntry {
        &self.entries[id.index()]
    }

    /// Every command and subcommand, removed ones included, in id order.
    pub fn iter(&self) -> impl Iterator<Item = (CommandId, &TableEntry)> {
        self.entries
            .iter()
            .enumerate()
            .map(|(index, entry)| (CommandId(index as u16), entry))
    }

    /// The commands clients can call, without subcommands.
    pub fn top_level(&self) -> impl Iterator<Item = (CommandId, &TableEntry)> {
        self.iter()
            .filter(|(_, entry)| entry.parent.is_none() && entry.called.is_some())
    }

    /// How many commands clients can call, not counting subcommands: COMMAND COUNT.
    pub fn count(&self) -> usize {
        self.top_level
    }

    /// How many ids there are: the length of every vector of run-time facts.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no command was added.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    #[inline]
    fn find(&self, parent: Option<CommandId>, word: &[u8]) -> Option<Slot> {
        self.names.find(&self.entries, parent, word)
    }
}

/// The error for a request that [`CommandTable::lookup`] does not know.
pub fn unknown_command(args: &[&[u8]]) -> CommandError {
    const LIMIT: usize = 128;
    let mut shown = Vec::new();
    for arg in args.iter().skip(1) {
        if shown.len() >= LIMIT {
            break;
        }
        let text = until_nul(arg, LIMIT - shown.len());
        shown.extend_from_slice(b"'");
        shown.extend_from_slice(text);
        shown.extend_from_slice(b"' ");
    }
    let name = until_nul(args.first().copied().unwrap_or_default(), LIMIT);
    CommandError::quoting(&[
        b"ERR unknown command '",
        name,
        b"', with args beginning with: ",
        &shown,
    ])
}

/// The error for a container that does not know the second word.
pub fn unknown_subcommand(args: &[&[u8]]) -> CommandError {
    about_subcommand(args, b"ERR unknown subcommand '")
}

/// The same from a command that looks at its subcommand and the number of words itself.
pub fn unknown_subcommand_or_arity(args: &[&[u8]]) -> CommandError {
    about_subcommand(
        args,
        b"ERR unknown subcommand or wrong number of arguments for '",
    )
}

fn about_subcommand(args: &[&[u8]], complaint: &[u8]) -> CommandError {
    let container = args
        .first()
        .copied()
        .unwrap_or_default()
        .to_ascii_uppercase();
    let word = until_nul(args.get(1).copied().unwrap_or_default(), 128);
    CommandError::quoting(&[complaint, word, b"'. Try ", &container, b" HELP."])
}

/// What a C string of this buffer would show, at most `limit` bytes.
fn until_nul(bytes: &[u8], limit: usize) -> &[u8] {
    let bytes = &bytes[..bytes.len().min(limit)];
    &bytes[..memchr::memchr(0, bytes).unwrap_or(bytes.len())]
}

/// A word folded to lower case. Words of up to 16 bytes are equal exactly if these are.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Folded {
    head: u64,
    tail: u64,
    len: usize,
}

impl Folded {
    /// Words longer than this need a comparison of their bytes as well.
    const EXACT: usize = 16;

    #[inline]
    fn of(word: &[u8]) -> Folded {
        let (head, tail) = match (word.first_chunk::<8>(), word.last_chunk::<8>()) {
            (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            _ => match (word.first_chunk::<4>(), word.last_chunk::<4>()) {
                (Some(head), Some(tail)) => (
                    u32::from_le_bytes(*head).into(),
                    u32::from_le_bytes(*tail).into(),
                ),
                _ => (
                    word.iter()
                        .fold(0, |packed, &byte| packed << 8 | u64::from(byte)),
                    0,
                ),
            },
        };
        Folded {
            head: fold_case(head),
            tail: fold_case(tail),
            len: word.len(),
        }
    }

    /// Spreads the word and its parent over 64 bits; the upper ones are the best.
    #[inline]
    fn hash(self, parent: Option<CommandId>) -> u64 {
        // Odd constants without structure: digits of the golden ratio and of pi.
        const A: u64 = 0x9e37_79b9_7f4a_7c15;
        const B: u64 = 0x2438_6a88_85a3_08d3;
        let mixed = (self.head ^ B).wrapping_mul(A) ^ self.tail.rotate_left(32);
        let place = parent.map_or(0, |id| u64::from(id.0) + 1) << 16 | self.len as u64;
        (mixed ^ place).wrapping_mul(B)
    }
}

/// Eight bytes to ASCII lower case at once.
#[inline]
fn fold_case(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let seven_bits = word & (0x7f * EACH);
    let from_a = seven_bits + (0x80 - b'A' as u64) * EACH;
    let after_z = seven_bits + (0x7f - b'Z' as u64) * EACH;
    let upper = from_a & !after_z & !word & (0x80 * EACH);
    word | upper >> 2
}

#[derive(Clone, Copy)]
struct Slot {
    word: Folded,
    parent: Option<CommandId>,
    id: CommandId,
    container: bool,
}

/// Open addressing over the callable names: a power of two of slots, at most half of them taken.
#[derive(Default)]
struct NameIndex {
    slots: Vec<Option<Slot>>,
    taken: usize,
}

impl NameIndex {
    fn of(entries: &[TableEntry]) -> NameIndex {
        let mut index = NameIndex::default();
        for position in 0..entries.len() {
            index.insert(entries, CommandId(position as u16));
        }
        index
    }

    /// Adds the name of `entries[id]`, if it has one. The caller made sure that it is not taken.
    fn insert(&mut self, entries: &[TableEntry], id: CommandId) {
        let entry = &entries[id.index()];
        let Some(name) = &entry.called else { return };
        if self.slots.len() < (self.taken + 1) * 2 {
            let size = ((self.taken + 1) * 4).next_power_of_two();
            for slot in std::mem::replace(&mut self.slots, vec![None; size])
                .into_iter()
                .flatten()
            {
                self.place(slot);
            }
        }
        self.place(Slot {
            word: Folded::of(name.as_bytes()),
            parent: entry.parent,
            id,
            container: entry.is_container(),
        });
        self.taken += 1;
    }

    fn place(&mut self, slot: Slot) {
        let mut at = self.start(slot.word, slot.parent);
        while self.slots[at].is_some() {
            at = self.after(at);
        }
        self.slots[at] = Some(slot);
    }

    #[inline]
    fn start(&self, word: Folded, parent: Option<CommandId>) -> usize {
        (word.hash(parent) >> (64 - self.slots.len().trailing_zeros())) as usize
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    #[inline]
    fn find(&self, entries: &[TableEntry], parent: Option<CommandId>, word: &[u8]) -> Option<Slot> {
        if self.slots.is_empty() {
            return None;
        }
        let folded = Folded::of(word);
        let mut at = self.start(folded, parent);
        while let Some(slot) = self.slots[at] {
            if slot.word == folded
                && slot.parent == parent
                && (folded.len <= Folded::EXACT || entries[slot.id.index()].answers_to(word))
            {
                return Some(slot);
            }
            at = self.after(at);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Flags, Group};
    use super::*;

    const fn run(name: &'static str) -> Command<u8> {
        Command {
            spec: CommandSpec {
                name,
                arity: 2,
                flags: Flags::FAST,
                ..CommandSpec::BLANK
            },
            body: Body::Run(name.len() as u8),
        }
    }
    static GET: Command<u8> = run("get");
    static LONG: Command<u8> = run("georadiusbymember_ro");
    static CONFIG_GET: Command<u8> = run("get");
    static CONFIG: Command<u8> = Command {
        spec: CommandSpec {
            name: "config",
            arity: -2,
            group: Group::Server,
            ..CommandSpec::BLANK
        },
        body: Body::Container(&[&CONFIG_GET]),
    };

    fn table() -> (CommandTable, Vec<Option<u32>>) {
        let mut handlers = Vec::new();
        let mut table = CommandTable::new();
        table.add(&[&GET, &CONFIG, &LONG], &mut handlers, u32::from);
        (table, handlers)
    }

    fn found(table: &CommandTable, args: &[&[u8]]) -> Option<String> {
        match table.lookup(args) {
            Lookup::Found(id) => Some(table.entry(id).full_name.clone()),
            _ => None,
        }
    }

    #[test]
    fn names_are_found_in_any_case_and_only_whole() {
        let (table, _) = table();
        assert_eq!(found(&table, &[b"gEt", b"k"]).as_deref(), Some("get"));
        assert_eq!(
            found(&table, &[b"GEORADIUSBYMEMBER_RO"]).as_deref(),
            Some("georadiusbymember_ro")
        );
        for wrong in [
            &b"ge"[..],
            b"gett",
            b"",
            b"g\0t",
            b"GEORADIUSBYxxxBER_RO",
            b"'ET",
            b"\xc7et",
        ] {
            assert_eq!(table.lookup(&[wrong]), Lookup::Unknown, "{wrong:?}");
        }
        assert_eq!(table.lookup(&[]), Lookup::Unknown);
    }

    #[test]
    fn case_folding_changes_letters_only() {
        for byte in 0..=255u8 {
            let folded = fold_case(u64::from_le_bytes([byte; 8])).to_le_bytes();
            assert_eq!(folded, [byte.to_ascii_lowercase(); 8]);
        }
    }

    #[test]
    fn the_second_word_selects_a_subcommand() {
        let (table, handlers) = table();
        assert_eq!(
            found(&table, &[b"CONFIG", b"GET"]).as_deref(),
            Some("config|get")
        );
        assert_eq!(found(&table, &[b"config"]).as_deref(), Some("config"));
        let config = table.by_name("config").expect("it was added");
        assert_eq!(
            table.lookup(&[b"config", b"nope"]),
            Lookup::UnknownSubcommand(config)
        );
        assert_eq!(handlers[config.index()], None);
        let get = table.by_name("CONFIG|Get").expect("it was added");
        assert_eq!(handlers[get.index()], Some(3));
        assert_eq!(table.by_name("config|get|x"), None);
        assert_eq!(table.count(), 3);
        assert_eq!(table.len(), 4);
    }

    #[test]
    fn a_renamed_command_is_reached_by_the_new_name_only_and_keeps_its_full_name() {
        let (mut table, _) = table();
        let name = "b840fc02d524045429941cc15f59e41cb7be6c52";
        table
            .rename(b"config", name)
            .expect("config is there and the name is free");
        assert_eq!(table.lookup(&[b"config", b"get"]), Lookup::Unknown);
        assert_eq!(
            found(&table, &[name.as_bytes(), b"get"]).as_deref(),
            Some("config|get")
        );
        assert_eq!(
            table.by_original_name("config|GET"),
            table.by_name(format!("{name}|get"))
        );
        assert_eq!(table.rename(b"get", name), Err(RenameError::NameTaken));
        assert_eq!(
            table.rename(b"config", "x"),
            Err(RenameError::NoSuchCommand)
        );
        assert_eq!(table.count(), 3);
    }

    #[test]
    fn a_removed_command_is_unknown_and_not_counted() {
        let (mut table, _) = table();
        table.remove(b"CONFIG").expect("config is there");
        assert_eq!(table.lookup(&[b"config", b"get"]), Lookup::Unknown);
        assert_eq!(table.count(), 2);
        assert_eq!(table.remove(b"config"), Err(RenameError::NoSuchCommand));
    }

    #[test]
    #[should_panic(expected = "two commands named get")]
    fn two_commands_cannot_share_a_name() {
        let (mut table, mut handlers) = table();
        table.add(&[&GET], &mut handlers, u32::from);
    }

    #[test]
    fn unknown_words_are_quoted_on_one_line_and_cut() {
        let text = |args: &[&[u8]]| unknown_command(args).to_string();
        assert_eq!(
            text(&[b"foo"]),
            "ERR unknown command 'foo', with args beginning with: "
        );
        assert_eq!(
            text(&[b"f\no\0o", b"a\rb", b"x\0y"]),
            "ERR unknown command 'f o', with args beginning with: 'a b' 'x' "
        );
        let long = [b'z'; 200];
        assert_eq!(
            text(&[&long, &long[..120], &long, &long]),
            format!(
                "ERR unknown command '{}', with args beginning with: '{}' '{}' ",
                "z".repeat(128),
                "z".repeat(120),
                "z".repeat(5)
            )
        );
        assert_eq!(
            unknown_subcommand(&[b"Client", &long]).to_string(),
            format!(
                "ERR unknown subcommand '{}'. Try CLIENT HELP.",
                "z".repeat(128)
            )
        );
    }
}
