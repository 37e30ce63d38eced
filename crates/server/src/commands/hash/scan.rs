//! HSCAN and HRANDFIELD: some fields of a hash.

use crate::commands::generic::scan::{parse_cursor, parse_scan_options};
use crate::commands::prelude::*;
use crate::random_choice::{Choice, parse_choice};

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
    let cursor = parse_cursor(cx.args[2])?;
    let options = parse_scan_options(&cx.args[3..], false)?;
    let mut found: Vec<Vec<u8>> = Vec::new();
    let hash = cx.db.hash(cx.args[1]).or_wrong_type()?;
    let next = hash.map_or(0, |hash| {
        hash.scan(cursor, options.count, |field, value| {
            if options.matches(field) {
                found.extend([field.to_vec(), value.to_vec()]);
            }
        })
    });
    cx.reply.array(2);
    cx.reply.bulk(next.to_string());
    cx.reply.array(found.len());
    for word in found {
        cx.reply.bulk(word);
    }
    Ok(())
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
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    match choice {
        Choice::Repeating(count) => {
            while pairs.len() < count
                && let Some((field, value)) = hash.random(&mut rng)
            {
                pairs.push((field.into_owned(), value.into_owned()));
            }
        }
        Choice::Distinct(count) => {
            hash.for_each(|field, value| pairs.push((field.to_vec(), value.to_vec())));
            crate::random_choice::keep_some(&mut pairs, count, &mut rng);
        }
    }
    let nested = with_values && cx.reply.is_resp3();
    cx.reply.array(if with_values && !nested {
        pairs.len() * 2
    } else {
        pairs.len()
    });
    for (field, value) in pairs {
        if nested {
            cx.reply.array(2);
        }
        cx.reply.bulk(field);
        if with_values {
            cx.reply.bulk(value);
        }
    }
    Ok(())
}
