//! XTRIM, and the trimming options it shares with XADD.

use super::ids::{NewId, parse_id, parse_new_id, until_nul};
use crate::commands::prelude::*;
use crate::effects::Effects;
use store::value::{History, Stream, Trim, TrimTo};

pub(super) static XTRIM: Command = Command {
    spec: CommandSpec {
        name: "xtrim",
        group: Group::Stream,
        summary: "Deletes entries from the beginning of a stream.",
        since: "5.0.0",
        complexity: "O(N)",
        arity: -4,
        flags: Flags::WRITE,
        categories: Categories::STREAM,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::DELETE), 1)],
        args: &[Arg::key("key", 0), Arg::block("trim", TRIM_ARGS)],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(xtrim)),
};

pub(super) const TRIM_ARGS: &[Arg] = &[
    Arg::one_of(
        "strategy",
        &[
            Arg::flag("maxlen", "MAXLEN"),
            Arg::flag("minid", "MINID").since("6.2.0"),
        ],
    ),
    Arg::one_of(
        "operator",
        &[Arg::flag("equal", "="), Arg::flag("approximately", "~")],
    )
    .optional(),
    Arg::string("threshold"),
    Arg::integer("count")
        .token("LIMIT")
        .optional()
        .since("6.2.0"),
];

/// The words of XADD or XTRIM that are neither key nor entry.
pub(super) struct Options {
    pub(super) trim: Option<TrimOption>,
    pub(super) no_make: bool,
    /// The new entry's id; None for XTRIM.
    pub(super) id: Option<NewId>,
    /// Where the options end: the id's place for XADD.
    pub(super) end: usize,
}

pub(super) struct TrimOption {
    pub(super) trim: Trim,
    /// Where the threshold stands.
    threshold_at: usize,
}

/// Reads the options of XADD (up to and including the id) or XTRIM.
///
/// # Errors
/// Whatever is wrong with them.
pub(super) fn parse_options(cx: &DataContext<'_>, adds: bool) -> Result<Options, CommandError> {
    let args = cx.args;
    let (mut to, mut approximate, mut threshold_at) = (None, false, 0);
    let (mut limit, mut no_make, mut id) = (None, false, None);
    let mut at = 2;
    while at < args.len() {
        let word = args[at];
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let has_value = at + 1 < args.len();
        if adds && until_nul(word) == b"*" {
            id = Some(NewId::Auto);
            break;
        } else if (is(b"MAXLEN") || is(b"MINID")) && has_value {
            if to.is_some() {
                return Err(CommandError::text(
                    "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
                ));
            }
            let operator = Some(args[at + 1]).filter(|_| at + 2 < args.len());
            approximate = operator == Some(b"~".as_slice());
            threshold_at = at + 1 + usize::from(matches!(operator, Some(b"~" | b"=")));
            let threshold = args[threshold_at];
            to = Some(if is(b"MAXLEN") {
                let max = not_negative(threshold, "ERR The MAXLEN argument must be >= 0.")?;
                TrimTo::MaxLen(max)
            } else {
                TrimTo::MinId(parse_id(threshold, 0)?)
            });
            at = threshold_at;
        } else if is(b"LIMIT") && has_value {
            limit = Some(not_negative(
                args[at + 1],
                "ERR The LIMIT argument must be >= 0.",
            )?);
            at += 1;
        } else if adds && is(b"NOMKSTREAM") {
            no_make = true;
        } else if adds {
            id = Some(parse_new_id(word)?);
            break;
        } else {
            return Err(CommandError::Syntax);
        }
        at += 1;
    }
    if limit.is_some_and(|limit| limit > 0) && to.is_none() {
        return Err(CommandError::text(
            "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
        ));
    }
    if !adds && to.is_none() {
        return Err(CommandError::text(
            "ERR syntax error, XTRIM must be called with a trimming strategy",
        ));
    }
    let limit = match limit {
        // The master has cut where it did; its limit was of another moment.
        _ if cx.from_master => 0,
        Some(_) if !approximate => {
            return Err(CommandError::text(
                "ERR syntax error, LIMIT cannot be used without the special ~ option",
            ));
        }
        Some(limit) => limit,
        None if approximate => default_limit(cx.settings.stream_node_max_entries),
        None => 0,
    };
    let trim = to.map(|to| TrimOption {
        trim: Trim {
            to,
            approximate,
            limit,
        },
        threshold_at,
    });
    Ok(Options {
        trim,
        no_make,
        id,
        end: at,
    })
}

fn not_negative(word: &[u8], error: &'static str) -> Result<u64, CommandError> {
    u64::try_from(parse_integer(word)?).map_err(|_| CommandError::text(error))
}

/// An approximate trim that names no limit stops after a hundred nodes or so.
fn default_limit(node_max_entries: usize) -> u64 {
    match (node_max_entries as u64).saturating_mul(100) {
        0 => 10_000,
        limit => limit.min(1_000_000),
    }
}

impl TrimOption {
    /// Trims and notes it. Returns how many entries went.
    pub(super) fn perform(&self, stream: &mut Stream, effects: &mut Effects, key: &[u8]) -> u64 {
        let deleted = stream.trim(self.trim);
        if deleted > 0 {
            effects.notify(EventClass::STREAM, "xtrim", key);
        }
        deleted
    }

    /// Nodes are parted elsewhere at a replica: what an approximate trim left is told exactly. The words to replace, with
    /// their places.
    pub(super) fn exact_words(&self, left: History) -> Vec<(usize, Vec<u8>)> {
        if !self.trim.approximate {
            return Vec::new();
        }
        let threshold = match self.trim.to {
            TrimTo::MaxLen(_) => left.len.to_string(),
            TrimTo::MinId(_) => left.first_id.to_string(),
        };
        vec![
            (self.threshold_at - 1, b"=".to_vec()),
            (self.threshold_at, threshold.into_bytes()),
        ]
    }
}

/// The request with some words replaced.
pub(super) fn propagate_with(effects: &mut Effects, args: &[&[u8]], words: &[(usize, Vec<u8>)]) {
    let mut args = args.to_vec();
    for (at, word) in words {
        args[*at] = word;
    }
    effects.propagate_as(&args);
}

fn xtrim(cx: &mut DataContext<'_>) -> CommandResult {
    let options = parse_options(cx, false)?;
    let key = cx.args[1];
    let (Some(trim), Some(stream)) = (options.trim, cx.db.stream_mut(key).or_wrong_type()?) else {
        cx.reply.integer(0);
        return Ok(());
    };
    let deleted = trim.perform(stream, cx.effects, key);
    if deleted > 0 {
        let words = trim.exact_words(stream.history());
        cx.effects.changed_by(key, deleted);
        if !words.is_empty() {
            propagate_with(cx.effects, cx.args, &words);
        }
    }
    cx.reply.integer(deleted as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approximate_trim_without_a_limit_has_one_by_node_size() {
        assert_eq!(default_limit(0), 10_000);
        assert_eq!(default_limit(1), 100);
        assert_eq!(default_limit(100), 10_000);
        assert_eq!(default_limit(1_000_000), 1_000_000);
        assert_eq!(default_limit(usize::MAX), 1_000_000);
    }
}
