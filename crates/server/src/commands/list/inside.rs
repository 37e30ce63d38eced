//! Reading and changing the inside of a list: LLEN, LINDEX, LRANGE, LPOS, LSET, LINSERT, LREM, LTRIM.

use super::end::remove_if_empty;
use crate::commands::prelude::*;
use std::ops::ControlFlow;
use store::encoding::listpack::Item;
use store::value::List;

pub(super) static LLEN: Command = Command {
    spec: CommandSpec {
        name: "llen",
        group: Group::List,
        summary: "Counts the elements of a list.",
        since: "1.0.0",
        complexity: "O(1)",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::LIST,
        keys: &[KeySpec::one(KeyFlags::RO, 1)],
        args: &[Arg::key("key", 0)],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(llen)),
};

pub(super) static LINDEX: Command = Command {
    spec: CommandSpec {
        name: "lindex",
        group: Group::List,
        summary: "Returns an element by its position.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: 3,
        flags: Flags::READONLY,
        categories: Categories::LIST,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0), Arg::integer("index")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(lindex)),
};

pub(super) static LRANGE: Command = Command {
    spec: CommandSpec {
        name: "lrange",
        group: Group::List,
        summary: "Returns the elements between two positions.",
        since: "1.0.0",
        complexity: "O(S+N)",
        arity: 4,
        flags: Flags::READONLY,
        categories: Categories::LIST,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("start"),
            Arg::integer("stop"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(lrange)),
};

pub(super) static LPOS: Command = Command {
    spec: CommandSpec {
        name: "lpos",
        group: Group::List,
        summary: "Returns the positions of elements equal to a value.",
        since: "6.0.6",
        complexity: "O(N)",
        arity: -3,
        flags: Flags::READONLY,
        categories: Categories::LIST,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::string("element"),
            Arg::integer("rank").token("RANK").optional(),
            Arg::integer("num-matches").token("COUNT").optional(),
            Arg::integer("len").token("MAXLEN").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(lpos)),
};

pub(super) static LSET: Command = Command {
    spec: CommandSpec {
        name: "lset",
        group: Group::List,
        summary: "Replaces an element by its position.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::LIST,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::UPDATE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("index"),
            Arg::string("element"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(lset)),
};

pub(super) static LINSERT: Command = Command {
    spec: CommandSpec {
        name: "linsert",
        group: Group::List,
        summary: "Adds an element before or after another.",
        since: "2.2.0",
        complexity: "O(N)",
        arity: 5,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::LIST,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::INSERT), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::one_of(
                "where",
                &[Arg::flag("before", "BEFORE"), Arg::flag("after", "AFTER")],
            ),
            Arg::string("pivot"),
            Arg::string("element"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(linsert)),
};

pub(super) static LREM: Command = Command {
    spec: CommandSpec {
        name: "lrem",
        group: Group::List,
        summary: "Removes elements equal to a value.",
        since: "1.0.0",
        complexity: "O(N+M)",
        arity: 4,
        flags: Flags::WRITE,
        categories: Categories::LIST,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::DELETE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("count"),
            Arg::string("element"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(lrem)),
};

pub(super) static LTRIM: Command = Command {
    spec: CommandSpec {
        name: "ltrim",
        group: Group::List,
        summary: "Keeps only the elements between two positions.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: 4,
        flags: Flags::WRITE,
        categories: Categories::LIST,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::DELETE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("start"),
            Arg::integer("stop"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(ltrim)),
};

fn reply_item(reply: &mut resp::Writer<'_>, item: Item<'_>) {
    match item {
        Item::Str(bytes) => reply.bulk(bytes),
        Item::Int(int) => reply.bulk_int(int),
    }
}

/// The positions from `start` to `end` (inclusive, negative from the tail) of a sequence as (first, count).
fn positions(start: i64, end: i64, len: usize) -> (usize, usize) {
    let len = len as i64;
    let absolute = |position: i64| {
        if position < 0 {
            (len + position).max(0)
        } else {
            position
        }
    };
    // A negative end before the head is before everything.
    let end = if end < 0 { len + end } else { end }.min(len - 1);
    let start = absolute(start);
    if start > end || start >= len {
        (0, 0)
    } else {
        (start as usize, (end - start + 1) as usize)
    }
}

fn llen(cx: &mut DataContext<'_>) -> CommandResult {
    let len = cx.db.list(cx.args[1]).or_wrong_type()?.map_or(0, List::len);
    cx.reply.integer(len as i64);
    Ok(())
}

fn lindex(cx: &mut DataContext<'_>) -> CommandResult {
    let Some(list) = cx.db.list(cx.args[1]).or_wrong_type()? else {
        cx.reply.null();
        return Ok(());
    };
    let index = parse_integer(cx.args[2])?;
    let reply = &mut cx.reply;
    if list
        .items
        .get_with(index, |item| reply_item(reply, item))
        .is_none()
    {
        reply.null();
    }
    Ok(())
}

fn lrange(cx: &mut DataContext<'_>) -> CommandResult {
    let (start, end) = (parse_integer(cx.args[2])?, parse_integer(cx.args[3])?);
    let Some(list) = cx.db.list(cx.args[1]).or_wrong_type()? else {
        cx.reply.array(0);
        return Ok(());
    };
    let (first, count) = positions(start, end, list.len());
    cx.reply.array(count);
    let reply = &mut cx.reply;
    list.items
        .range(first, count, |item| reply_item(reply, item));
    Ok(())
}

/// The options of LPOS.
struct Search {
    /// How many matches to pass over before the first that counts.
    skip: u64,
    from_tail: bool,
    /// None: one position or null; Some(0): all of them.
    count: Option<u64>,
    /// Comparisons allowed; 0 means any number.
    max_comparisons: u64,
}

fn parse_search(words: &[&[u8]]) -> Result<Search, CommandError> {
    let mut search = Search {
        skip: 0,
        from_tail: false,
        count: None,
        max_comparisons: 0,
    };
    for pair in words.chunks(2) {
        let [name, value] = pair else {
            return Err(CommandError::Syntax);
        };
        if name.eq_ignore_ascii_case(b"RANK") {
            let rank = parse_integer(value)?;
            if rank == 0 {
                return Err(CommandError::text(
                    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use \
                     negative to start from the end of the list",
                ));
            }
            search.from_tail = rank < 0;
            // The most negative rank has no opposite; it finds the last match.
            search.skip = rank.checked_abs().unwrap_or(1) as u64 - 1;
        } else if name.eq_ignore_ascii_case(b"COUNT") {
            search.count = Some(parse_limit(value, "ERR COUNT can't be negative")?);
        } else if name.eq_ignore_ascii_case(b"MAXLEN") {
            search.max_comparisons = parse_limit(value, "ERR MAXLEN can't be negative")?;
        } else {
            return Err(CommandError::Syntax);
        }
    }
    Ok(search)
}

/// A number that may be 0; everything else has one text.
fn parse_limit(word: &[u8], refusal: &'static str) -> Result<u64, CommandError> {
    store::int::parse_i64(word)
        .and_then(|number| u64::try_from(number).ok())
        .ok_or(CommandError::text(refusal))
}

fn lpos(cx: &mut DataContext<'_>) -> CommandResult {
    let element = cx.args[2];
    let search = parse_search(&cx.args[3..])?;
    let Some(list) = cx.db.list(cx.args[1]).or_wrong_type()? else {
        match search.count {
            Some(_) => cx.reply.array(0),
            None => cx.reply.null(),
        }
        return Ok(());
    };
    let wanted = match search.count {
        None => 1,
        Some(0) => u64::MAX,
        Some(count) => count,
    };
    let mut found: Vec<usize> = Vec::new();
    let (mut skip, mut compared) = (search.skip, 0);
    let mut visit = |index: usize, item: Item<'_>| {
        if search.max_comparisons > 0 && compared >= search.max_comparisons {
            return ControlFlow::Break(());
        }
        compared += 1;
        if item.eq_bytes(element) {
            if skip > 0 {
                skip -= 1;
            } else {
                found.push(index);
                if found.len() as u64 >= wanted {
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    };
    // How the search ended does not matter, only what it found.
    let _ = match search.from_tail {
        true => list.items.scan_rev(list.len() - 1, &mut visit),
        false => list.items.scan(0, &mut visit),
    };
    match search.count {
        Some(_) => {
            cx.reply.array(found.len());
            found
                .iter()
                .for_each(|&index| cx.reply.integer(index as i64));
        }
        None => match found.first() {
            Some(&index) => cx.reply.integer(index as i64),
            None => cx.reply.null(),
        },
    }
    Ok(())
}

fn lset(cx: &mut DataContext<'_>) -> CommandResult {
    let key = cx.args[1];
    let Some(list) = cx.db.list_mut(key).or_wrong_type()? else {
        return Err(CommandError::NoSuchKey);
    };
    let index = parse_integer(cx.args[2])?;
    if !list.items.set(index, cx.args[3]) {
        return Err(CommandError::IndexOutOfRange);
    }
    cx.effects.changed(key);
    cx.effects.notify(EventClass::LIST, "lset", key);
    cx.reply.ok();
    Ok(())
}

fn linsert(cx: &mut DataContext<'_>) -> CommandResult {
    let (key, pivot, element) = (cx.args[1], cx.args[3], cx.args[4]);
    let before = match cx.args[2].to_ascii_uppercase().as_slice() {
        b"BEFORE" => true,
        b"AFTER" => false,
        _ => return Err(CommandError::Syntax),
    };
    let Some(list) = cx.db.list_mut(key).or_wrong_type()? else {
        cx.reply.integer(0);
        return Ok(());
    };
    let found = list
        .items
        .scan(0, |index, item| match item.eq_bytes(pivot) {
            true => ControlFlow::Break(index),
            false => ControlFlow::Continue(()),
        });
    let Some(index) = found else {
        cx.reply.integer(-1);
        return Ok(());
    };
    match before {
        true => list.items.insert_before(index, element),
        false => list.items.insert_after(index, element),
    };
    let len = list.len();
    cx.effects.changed(key);
    cx.effects.notify(EventClass::LIST, "linsert", key);
    cx.reply.integer(len as i64);
    Ok(())
}

fn lrem(cx: &mut DataContext<'_>) -> CommandResult {
    let (key, element) = (cx.args[1], cx.args[3]);
    let count = parse_integer(cx.args[2])?;
    let Some(list) = cx.db.list_mut(key).or_wrong_type()? else {
        cx.reply.integer(0);
        return Ok(());
    };
    let limit = match count {
        0 => usize::MAX,
        count => count.unsigned_abs() as usize,
    };
    let removed = list.items.remove_matching(element, limit, count < 0);
    if removed > 0 {
        cx.effects.changed_by(key, removed as u64);
        cx.effects.notify(EventClass::LIST, "lrem", key);
        remove_if_empty(cx, key);
    }
    cx.reply.integer(removed as i64);
    Ok(())
}

fn ltrim(cx: &mut DataContext<'_>) -> CommandResult {
    let key = cx.args[1];
    let (start, end) = (parse_integer(cx.args[2])?, parse_integer(cx.args[3])?);
    if let Some(list) = cx.db.list_mut(key).or_wrong_type()? {
        let len = list.len();
        let (first, count) = positions(start, end, len);
        let kept_end = first + count;
        let removed =
            list.items.remove_range(kept_end, len - kept_end) + list.items.remove_range(0, first);
        cx.effects.changed_by(key, removed as u64);
        cx.effects.notify(EventClass::LIST, "ltrim", key);
        remove_if_empty(cx, key);
    }
    cx.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::positions;

    #[test]
    fn positions_are_clamped_to_the_list() {
        assert_eq!(positions(0, -1, 3), (0, 3));
        assert_eq!(positions(-2, 100, 3), (1, 2));
        assert_eq!(positions(-100, 0, 3), (0, 1));
        for (start, end) in [(3, 5), (2, 1), (0, -4), (-1, -2)] {
            assert_eq!(positions(start, end, 3), (0, 0), "{start} {end}");
        }
    }
}
