//! HSCAN and HRANDFIELD: some fields of a hash.

use crate::commands::generic::scan::scan_value;
use crate::commands::prelude::*;
use crate::random_choice::{Choice, parse_choice};
use store::db::Db;

pub(super) static HSCAN: Command = Command {
    spec: CommandSpec {
        name: "hscan",
        group: Group::Hash,
        summary: "Walks over the fields of a hash in steps.",
        since: "2.8.0",
        complexity: "O(1)",
        arity: -3,
        flags: Flags::READONLY,
        categories: Categories::HASH,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::integer("cursor"),
            Arg::pattern("pattern").token("MATCH").optional(),
            Arg::integer("count").token("COUNT").optional(),
        ],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(hscan)),
};

pub(super) static HRANDFIELD: Command = Command {
    spec: CommandSpec {
        name: "hrandfield",
        group: Group::Hash,
        summary: "Returns random fields of a hash.",
        since: "6.2.0",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::READONLY,
        categories: Categories::HASH,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::block(
                "options",
                &[
                    Arg::integer("count"),
                    Arg::flag("withvalues", "WITHVALUES").optional(),
                ],
            )
            .optional(),
        ],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(hrandfield)),
};

fn hscan(cx: &mut DataContext<'_>) -> CommandResult {
    scan_value(cx, Db::hash, |hash, cursor, options, found| {
        hash.scan(cursor, options.count, |field, value| {
            if options.matches(field) {
                found.push(field);
                found.push(value);
            }
        })
    })
}

fn hrandfield(cx: &mut DataContext<'_>) -> CommandResult {
    let mut rng = cx.db.random_source();
    let Some(count) = cx.args.get(2) else {
        match cx
            .db
            .hash(cx.args[1])
            .or_wrong_type()?
            .and_then(|hash| hash.random(&mut rng))
        {
            Some((field, _)) => cx.reply.bulk(field),
            None => cx.reply.null(),
        }
        return Ok(());
    };
    let choice = parse_choice(count)?;
    let with_values = match &cx.args[3..] {
        [] => false,
        // Twice as many words as fields must still be countable.
        [word] if word.eq_ignore_ascii_case(b"WITHVALUES") && !choice.can_double() => {
            return Err(CommandError::OutOfRange);
        }
        [word] if word.eq_ignore_ascii_case(b"WITHVALUES") => true,
        _ => return Err(CommandError::Syntax),
    };
    let Some(hash) = cx.db.hash(cx.args[1]).or_wrong_type()? else {
        cx.reply.array(0);
        return Ok(());
    };
    let count = match choice {
        Choice::Distinct(count) => count.min(hash.len()),
        Choice::Repeating(count) => count,
    };
    let reply = &mut cx.reply;
    let nested = with_values && reply.is_resp3();
    reply.array(match with_values && !nested {
        true => count * 2,
        false => count,
    });
    let mut emit = |field: &[u8], value: &[u8]| {
        if nested {
            reply.array(2);
        }
        reply.bulk(field);
        if with_values {
            reply.bulk(value);
        }
        !reply.is_full()
    };
    match choice {
        Choice::Distinct(_) => {
            let mut digits = [itoa::Buffer::new(), itoa::Buffer::new()];
            hash.choose(count, &mut rng, |field, value| {
                let [field_digits, value_digits] = &mut digits;
                let _ = emit(field.as_bytes(field_digits), value.as_bytes(value_digits));
            });
        }
        Choice::Repeating(_) => {
            for _ in 0..count {
                let (field, value) = hash.random(&mut rng).expect("an empty hash is never kept");
                if !emit(&field, &value) {
                    break;
                }
            }
        }
    }
    Ok(())
}
