//! LCS: what two strings have in common, in order.

use crate::commands::prelude::*;
use store::lcs::{Common, Run};

pub(super) static LCS: Command = Command {
    spec: CommandSpec {
        name: "lcs",
        group: Group::String,
        summary: "Finds the longest common subsequence of two strings.",
        since: "7.0.0",
        complexity: "O(N*M)",
        arity: -3,
        flags: Flags::READONLY,
        categories: Categories::STRING,
        keys: &[KeySpec::range(KeyFlags::RO.and(KeyFlags::ACCESS), 1, 1, 1)],
        args: &[
            Arg::key("key1", 0),
            Arg::key("key2", 0),
            Arg::flag("len", "LEN").optional(),
            Arg::flag("idx", "IDX").optional(),
            Arg::integer("len").token("MINMATCHLEN").optional(),
            Arg::flag("withmatchlen", "WITHMATCHLEN").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(lcs)),
};

#[derive(Default)]
struct Options {
    only_len: bool,
    indices: bool,
    with_len: bool,
    /// Runs shorter than this are not shown.
    min_len: usize,
}

impl Options {
    fn parse(mut words: &[&[u8]]) -> Result<Options, CommandError> {
        let mut options = Options::default();
        while let [option, rest @ ..] = words {
            words = rest;
            match (option.to_ascii_uppercase().as_slice(), rest) {
                (b"LEN", _) => options.only_len = true,
                (b"IDX", _) => options.indices = true,
                (b"WITHMATCHLEN", _) => options.with_len = true,
                (b"MINMATCHLEN", [len, rest @ ..]) => {
                    options.min_len = usize::try_from(parse_integer(len)?).unwrap_or(0);
                    words = rest;
                }
                _ => return Err(CommandError::Syntax),
            }
        }
        if options.only_len && options.indices {
            return Err(CommandError::text(
                "ERR If you want both the length and indexes, please just use IDX.",
            ));
        }
        Ok(options)
    }
}

fn lcs(cx: &mut DataContext<'_>) -> CommandResult {
    let args = cx.args;
    // Both are looked up before either may be wrong: what listens hears of both.
    let texts = [args[1], args[2]].map(|key| {
        let string = cx.db.string(key)?;
        Ok(string.map(|string| string.to_vec()).unwrap_or_default())
    });
    let not_strings = |_: store::db::WrongType| {
        CommandError::text("ERR The specified keys must contain string values")
    };
    let [a, b] = texts;
    let texts: [Vec<u8>; 2] = [a.map_err(not_strings)?, b.map_err(not_strings)?];
    let options = Options::parse(&args[3..])?;
    let [a, b] = &texts;
    let too_large = Common::table_bytes(a, b) > cx.settings.proto_max_bulk_len as u64;
    if too_large {
        return Err(CommandError::text(
            "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
        ));
    }
    if options.only_len {
        cx.reply.integer(store::lcs::length(a, b) as i64);
        return Ok(());
    }
    let common = Common::of(a, b);
    if !options.indices {
        cx.reply.bulk(common.text(a));
        return Ok(());
    }
    let shown = |run: &&Run| run.len >= options.min_len;
    let reply = &mut cx.reply;
    reply.map(2);
    reply.bulk("matches");
    reply.array(common.runs.iter().filter(shown).count());
    // The last run comes first: it is found first.
    for run in common.runs.iter().rev().filter(shown) {
        reply.array(if options.with_len { 3 } else { 2 });
        for start in [run.in_first, run.in_second] {
            reply.array(2);
            reply.integer(start as i64);
            reply.integer((start + run.len - 1) as i64);
        }
        if options.with_len {
            reply.integer(run.len as i64);
        }
    }
    reply.bulk("len");
    reply.integer(common.len() as i64);
    Ok(())
}
