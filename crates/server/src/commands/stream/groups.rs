//! XGROUP: consumer groups and their consumers.

use super::ids::{parse_id, parse_id_or_end, until_nul};
use super::reply::shown;
use crate::commands::prelude::*;
use front::command::describe;
use store::value::{Group as ConsumerGroup, Stream, StreamId};

pub(super) static XGROUP: Command = Command {
    spec: CommandSpec {
        name: "xgroup",
        group: Group::Stream,
        summary: "Holds the commands about consumer groups.",
        since: "5.0.0",
        complexity: "Depends on subcommand.",
        arity: -2,
        ..CommandSpec::BLANK
    },
    body: Body::Container(&[
        &CREATE,
        &CREATECONSUMER,
        &DELCONSUMER,
        &DESTROY,
        &HELP,
        &SETID,
    ]),
};

static CREATE: Command = Command {
    spec: CommandSpec {
        name: "create",
        group: Group::Stream,
        summary: "Creates a consumer group.",
        since: "5.0.0",
        complexity: "O(1)",
        arity: -5,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::STREAM,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::INSERT), 2)],
        args: &[
            Arg::key("key", 0),
            Arg::string("groupname"),
            Arg::one_of("id", ID_ARGS),
            Arg::flag("mkstream", "MKSTREAM").optional(),
            Arg::integer("entries_read").token("ENTRIESREAD").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(create)),
};

static SETID: Command = Command {
    spec: CommandSpec {
        name: "setid",
        group: Group::Stream,
        summary: "Sets the last id that a consumer group was given.",
        since: "5.0.0",
        complexity: "O(1)",
        arity: -5,
        flags: Flags::WRITE,
        categories: Categories::STREAM,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::UPDATE), 2)],
        args: &[
            Arg::key("key", 0),
            Arg::string("groupname"),
            Arg::one_of("id", ID_ARGS),
            Arg::integer("entries_read").token("ENTRIESREAD").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(setid)),
};

const ID_ARGS: &[Arg] = &[Arg::string("id"), Arg::flag("new_id", "$")];

static DESTROY: Command = Command {
    spec: CommandSpec {
        name: "destroy",
        group: Group::Stream,
        summary: "Deletes a consumer group.",
        since: "5.0.0",
        complexity: "O(N)",
        arity: 4,
        flags: Flags::WRITE,
        categories: Categories::STREAM,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::DELETE), 2)],
        args: &[Arg::key("key", 0), Arg::string("groupname")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(destroy)),
};

static CREATECONSUMER: Command = Command {
    spec: CommandSpec {
        name: "createconsumer",
        group: Group::Stream,
        summary: "Creates a consumer in a consumer group.",
        since: "6.2.0",
        complexity: "O(1)",
        arity: 5,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::STREAM,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::INSERT), 2)],
        args: CONSUMER_ARGS,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(createconsumer)),
};

static DELCONSUMER: Command = Command {
    spec: CommandSpec {
        name: "delconsumer",
        group: Group::Stream,
        summary: "Deletes a consumer and counts what waited for its acknowledgement.",
        since: "5.0.0",
        complexity: "O(N)",
        arity: 5,
        flags: Flags::WRITE,
        categories: Categories::STREAM,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::DELETE), 2)],
        args: CONSUMER_ARGS,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(delconsumer)),
};

const CONSUMER_ARGS: &[Arg] = &[
    Arg::key("key", 0),
    Arg::string("groupname"),
    Arg::string("consumername"),
];

static HELP: Command = Command {
    spec: CommandSpec {
        name: "help",
        group: Group::Stream,
        summary: "Explains the subcommands.",
        since: "5.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::STREAM,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(help)),
};

const NO_KEY: CommandError = CommandError::text(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to \
     create an empty stream automatically.",
);

/// The options of CREATE and SETID.
#[derive(Default)]
struct Options {
    make_stream: bool,
    entries_read: Option<u64>,
}

fn parse_options(args: &[&[u8]], creates: bool) -> Result<Options, CommandError> {
    let mut options = Options::default();
    let mut words = args[5..].iter();
    while let Some(word) = words.next() {
        if creates && word.eq_ignore_ascii_case(b"MKSTREAM") {
            options.make_stream = true;
        } else if word.eq_ignore_ascii_case(b"ENTRIESREAD")
            && let Some(value) = words.next()
        {
            options.entries_read = match parse_integer(value)? {
                -1 => None,
                read => Some(u64::try_from(read).map_err(|_| {
                    CommandError::text("ERR value for ENTRIESREAD must be positive or -1")
                })?),
            };
        } else {
            return Err(unknown_subcommand_or_arity(args));
        }
    }
    Ok(options)
}

/// The stream and one of its groups, which must exist.
fn stream_and_group<'a>(
    cx: &'a mut DataContext<'_>,
) -> Result<(&'a mut Stream, &'a [u8]), CommandError> {
    let (key, group) = (cx.args[2], cx.args[3]);
    let stream = cx.db.stream_mut(key).or_wrong_type()?.ok_or(NO_KEY)?;
    if stream.group(group).is_none() {
        return Err(no_group(key, group));
    }
    Ok((stream, group))
}

/// The error of commands that need a group which is not there.
pub(super) fn no_group(key: &[u8], group: &[u8]) -> CommandError {
    let text = format!(
        "NOGROUP No such consumer group '{}' for key name '{}'",
        shown(group),
        shown(key)
    );
    CommandError::Text(text.into())
}

fn create(cx: &mut DataContext<'_>) -> CommandResult {
    let options = parse_options(cx.args, true)?;
    let (key, name, id) = (cx.args[2], cx.args[3], cx.args[4]);
    let last_id = match cx.db.stream(key).or_wrong_type()? {
        None if !options.make_stream => return Err(NO_KEY),
        // The most words that MKSTREAM and ENTRIESREAD together take.
        _ if cx.args.len() > 8 => return Err(unknown_subcommand_or_arity(cx.args)),
        stream if until_nul(id) == b"$" => {
            stream.map_or(StreamId::MIN, |stream| stream.history().last_id)
        }
        _ => parse_id(id, 0)?,
    };
    if cx.db.peek(key).is_none() {
        cx.effects.touched(key);
    }
    let stream = cx
        .db
        .stream_or_create(key, Stream::default)
        .or_wrong_type()?;
    if !stream.add_group(name, ConsumerGroup::new(last_id, options.entries_read)) {
        return Err(CommandError::text(
            "BUSYGROUP Consumer Group name already exists",
        ));
    }
    cx.effects.dirty += 1;
    cx.effects.notify(EventClass::STREAM, "xgroup-create", key);
    cx.reply.ok();
    Ok(())
}

fn setid(cx: &mut DataContext<'_>) -> CommandResult {
    let options = parse_options(cx.args, false)?;
    let (key, id, args) = (cx.args[2], cx.args[4], cx.args);
    let (stream, name) = stream_and_group(cx)?;
    if !matches!(args.len(), 5 | 7) {
        return Err(unknown_subcommand_or_arity(args));
    }
    let last_id = match until_nul(id) {
        b"$" => stream.history().last_id,
        _ => parse_id_or_end(id, 0)?,
    };
    if let Some(group) = stream.group_mut(name) {
        group.last_id = last_id;
        group.entries_read = options.entries_read;
    }
    cx.effects.dirty += 1;
    cx.effects.notify(EventClass::STREAM, "xgroup-setid", key);
    cx.reply.ok();
    Ok(())
}

fn destroy(cx: &mut DataContext<'_>) -> CommandResult {
    let (key, name) = (cx.args[2], cx.args[3]);
    let stream = cx.db.stream_mut(key).or_wrong_type()?.ok_or(NO_KEY)?;
    let destroyed = stream.remove_group(name);
    if destroyed {
        cx.effects.dirty += 1;
        cx.effects.notify(EventClass::STREAM, "xgroup-destroy", key);
        // Who waits for news of the group must hear that there will be none.
        cx.effects.ready(key);
    }
    cx.reply.integer(i64::from(destroyed));
    Ok(())
}

fn createconsumer(cx: &mut DataContext<'_>) -> CommandResult {
    let (key, consumer, now) = (cx.args[2], cx.args[4], cx.now);
    let (stream, name) = stream_and_group(cx)?;
    let group = stream.group_mut(name);
    let created = group.is_some_and(|group| group.add_consumer(consumer, now).is_some());
    if created {
        cx.effects.dirty += 1;
        cx.effects
            .notify(EventClass::STREAM, "xgroup-createconsumer", key);
    }
    cx.reply.integer(i64::from(created));
    Ok(())
}

fn delconsumer(cx: &mut DataContext<'_>) -> CommandResult {
    let (key, consumer) = (cx.args[2], cx.args[4]);
    let (stream, name) = stream_and_group(cx)?;
    let group = stream.group_mut(name);
    let pending = group.and_then(|group| group.remove_consumer(consumer));
    if pending.is_some() {
        cx.effects.dirty += 1;
        cx.effects
            .notify(EventClass::STREAM, "xgroup-delconsumer", key);
    }
    cx.reply.integer(pending.unwrap_or(0) as i64);
    Ok(())
}

fn help(cx: &mut DataContext<'_>) -> CommandResult {
    describe::help(
        &mut cx.reply,
        b"xgroup",
        &[
            (
                "CREATE <key> <groupname> <id|$> [MKSTREAM] [ENTRIESREAD <entries-read>]",
                "Make a group that reads from behind the id on.",
            ),
            (
                "CREATECONSUMER <key> <groupname> <consumer>",
                "Make a consumer.",
            ),
            (
                "DELCONSUMER <key> <groupname> <consumer>",
                "Delete a consumer.",
            ),
            ("DESTROY <key> <groupname>", "Delete a group."),
            (
                "SETID <key> <groupname> <id|$> [ENTRIESREAD <entries-read>]",
                "Have a group read from behind the id on.",
            ),
        ],
    );
    Ok(())
}
