//! XLEN, XRANGE, XREVRANGE, XDEL, XSETID: the entries of a stream.

use super::ids::{parse_id, parse_range};
use super::reply::write_entries;
use crate::commands::prelude::*;
use store::value::{Direction, StreamId};

pub(super) static XLEN: Command = Command {
    spec: CommandSpec {
        name: "xlen",
        group: Group::Stream,
        summary: "Counts the entries of a stream.",
        since: "5.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::STREAM,
        keys: &[KeySpec::one(KeyFlags::RO, 1)],
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(xlen)),
};

pub(super) static XRANGE: Command = Command {
    spec: CommandSpec {
        name: "xrange",
        group: Group::Stream,
        summary: "Returns the entries of a range of ids.",
        since: "5.0.0",
        complexity: "O(log(N)+M)",
        arity: -4,
        flags: Flags::READONLY,
        categories: Categories::STREAM,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::string("start"),
            Arg::string("end"),
            Arg::integer("count").token("COUNT").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(xrange)),
};

pub(super) static XREVRANGE: Command = Command {
    spec: CommandSpec {
        name: "xrevrange",
        group: Group::Stream,
        summary: "Returns the entries of a range of ids, the last one first.",
        since: "5.0.0",
        complexity: "O(log(N)+M)",
        arity: -4,
        flags: Flags::READONLY,
        categories: Categories::STREAM,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::string("end"),
            Arg::string("start"),
            Arg::integer("count").token("COUNT").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(xrevrange)),
};

pub(super) static XDEL: Command = Command {
    spec: CommandSpec {
        name: "xdel",
        group: Group::Stream,
        summary: "Deletes entries of a stream and counts those that were there.",
        since: "5.0.0",
        complexity: "O(log(N)) for each entry",
        arity: -3,
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::STREAM,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::DELETE), 1)],
        args: &[Arg::key("key", 0), Arg::string("id").multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(xdel)),
};

pub(super) static XSETID: Command = Command {
    spec: CommandSpec {
        name: "xsetid",
        group: Group::Stream,
        summary: "Sets the last id of a stream and what else its entries cannot tell.",
        since: "5.0.0",
        complexity: "O(1)",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::STREAM,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::UPDATE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::string("last-id"),
            Arg::integer("entries_added")
                .token("ENTRIESADDED")
                .optional()
                .since("7.0.0"),
            Arg::string("max_deleted_entry_id")
                .token("MAXDELETEDID")
                .optional()
                .since("7.0.0"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(xsetid)),
};

fn xlen(cx: &mut DataContext<'_>) -> CommandResult {
    let stream = cx.db.stream(cx.args[1]).or_wrong_type()?;
    cx.reply
        .integer(stream.map_or(0, |stream| stream.len() as i64));
    Ok(())
}

fn xrange(cx: &mut DataContext<'_>) -> CommandResult {
    range(cx, [cx.args[2], cx.args[3]], Direction::Forward)
}

fn xrevrange(cx: &mut DataContext<'_>) -> CommandResult {
    range(cx, [cx.args[3], cx.args[2]], Direction::Backward)
}

fn range(
    cx: &mut DataContext<'_>,
    [start, end]: [&[u8]; 2],
    direction: Direction,
) -> CommandResult {
    let ids = parse_range(start, end)?;
    let mut count = None;
    let mut words = cx.args[4..].iter();
    while let Some(word) = words.next() {
        let value = words.next().filter(|_| word.eq_ignore_ascii_case(b"COUNT"));
        let value = value.ok_or(CommandError::Syntax)?;
        count = Some(parse_integer(value)?.max(0) as usize);
    }
    match cx.db.stream(cx.args[1]).or_wrong_type()? {
        None => cx.reply.array(0),
        Some(_) if count == Some(0) => cx.reply.null_array(),
        Some(stream) => {
            let entries = stream.range(ids, direction);
            let entries = entries.take(count.unwrap_or(usize::MAX));
            write_entries(&mut cx.reply, entries, |_| {});
        }
    }
    Ok(())
}

fn xdel(cx: &mut DataContext<'_>) -> CommandResult {
    let key = cx.args[1];
    let Some(stream) = cx.db.stream_mut(key).or_wrong_type()? else {
        cx.reply.integer(0);
        return Ok(());
    };
    let ids = parse_ids(&cx.args[2..])?;
    let deleted = ids.into_iter().filter(|&id| stream.delete(id)).count() as u64;
    if deleted > 0 {
        cx.effects.changed_by(key, deleted);
        cx.effects.notify(EventClass::STREAM, "xdel", key);
    }
    cx.reply.integer(deleted as i64);
    Ok(())
}

/// Ids, all or none.
///
/// # Errors
/// One is no id.
pub(super) fn parse_ids(words: &[&[u8]]) -> Result<Vec<StreamId>, CommandError> {
    words.iter().map(|word| parse_id(word, 0)).collect()
}

/// What XSETID is told.
#[derive(Debug, Default)]
struct NewHistory {
    last_id: StreamId,
    entries_added: Option<u64>,
    max_deleted_id: Option<StreamId>,
}

fn xsetid(cx: &mut DataContext<'_>) -> CommandResult {
    let new = parse_new_history(&cx.args[2..])?;
    let key = cx.args[1];
    let stream = cx.db.stream_mut(key).or_wrong_type()?;
    let stream = stream.ok_or(CommandError::NoSuchKey)?;
    let last_entry = stream.last().map(|entry| entry.id);
    contradiction(&new, stream.len(), last_entry).map_or(Ok(()), Err)?;
    stream.set_history(
        new.last_id,
        new.entries_added,
        // 0-0 is as good as not said.
        new.max_deleted_id.filter(|id| *id > StreamId::MIN),
    );
    cx.effects.dirty += 1;
    cx.effects.notify(EventClass::STREAM, "xsetid", key);
    cx.reply.ok();
    Ok(())
}

fn parse_new_history(words: &[&[u8]]) -> Result<NewHistory, CommandError> {
    let mut new = NewHistory {
        last_id: parse_id(words[0], 0)?,
        ..NewHistory::default()
    };
    let mut words = words[1..].iter();
    while let Some(word) = words.next() {
        let value = words.next().ok_or(CommandError::Syntax)?;
        if word.eq_ignore_ascii_case(b"ENTRIESADDED") {
            let added = u64::try_from(parse_integer(value)?);
            let error = CommandError::text("ERR entries_added must be positive");
            new.entries_added = Some(added.map_err(|_| error)?);
        } else if word.eq_ignore_ascii_case(b"MAXDELETEDID") {
            let id = parse_id(value, 0)?;
            if new.last_id < id {
                return Err(CommandError::text(
                    "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
                ));
            }
            new.max_deleted_id = Some(id);
        } else {
            return Err(CommandError::Syntax);
        }
    }
    Ok(new)
}

/// What the stream says against a new history.
fn contradiction(new: &NewHistory, len: u64, last_entry: Option<StreamId>) -> Option<CommandError> {
    let text = if last_entry.is_some_and(|last| new.last_id < last) {
        "ERR The ID specified in XSETID is smaller than the target stream top item"
    } else if last_entry.is_some() && new.entries_added.is_some_and(|added| added < len) {
        "ERR The entries_added specified in XSETID is smaller than the target stream length"
    } else {
        return None;
    };
    Some(CommandError::text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_history_must_agree_with_the_entries() {
        let id = |ms| StreamId::new(ms, 0);
        let judge = |last_id, entries_added, last_entry| {
            let new = NewHistory {
                last_id,
                entries_added,
                max_deleted_id: None,
            };
            contradiction(&new, 2, last_entry).is_some()
        };
        assert!(!judge(id(5), None, Some(id(5))));
        assert!(!judge(id(2), None, None));
        assert!(judge(id(4), None, Some(id(5))));
        assert!(judge(id(5), Some(1), Some(id(5))));
        assert!(!judge(id(5), Some(1), None));
    }
}
