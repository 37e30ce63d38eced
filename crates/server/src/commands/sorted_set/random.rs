//! ZRANDMEMBER: some members, by chance.

use crate::commands::prelude::*;
use crate::random_choice::{Choice, parse_choice};
use crate::replies::{score_pair, text};
use store::random::distinct_below;
use store::value::{Order, Ranked, SortedSet};

pub(super) static ZRANDMEMBER: Command = Command {
    spec: CommandSpec {
        name: "zrandmember",
        group: Group::SortedSet,
        summary: "Returns random members of a sorted set.",
        since: "6.2.0",
        complexity: "O(M*log(N))",
        arity: -2,
        flags: Flags::READONLY,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::block(
                "options",
                &[
                    Arg::integer("count"),
                    Arg::flag("withscores", "WITHSCORES").optional(),
                ],
            )
            .optional(),
        ],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zrandmember)),
};

fn zrandmember(cx: &mut DataContext<'_>) -> CommandResult {
    let mut rng = cx.db.random_source();
    let Some(count) = cx.args.get(2) else {
        let set = cx.db.sorted_set(cx.args[1]).or_wrong_type()?;
        match set.and_then(|set| set.random(&mut rng)) {
            Some(ranked) => text(&mut cx.reply, ranked.member),
            None => cx.reply.null(),
        }
        return Ok(());
    };
    let choice = parse_choice(count)?;
    let with_scores = match &cx.args[3..] {
        [] => false,
        // Twice as many words as members must still be countable.
        [word] if word.eq_ignore_ascii_case(b"WITHSCORES") && !choice.can_double() => {
            return Err(CommandError::OutOfRange);
        }
        [word] if word.eq_ignore_ascii_case(b"WITHSCORES") => true,
        _ => return Err(CommandError::Syntax),
    };
    let set = cx.db.sorted_set(cx.args[1]).or_wrong_type()?;
    let Some(set) = set else {
        cx.reply.array(0);
        return Ok(());
    };
    match choice {
        Choice::Distinct(count) if count >= set.len() => {
            start(&mut cx.reply, set.len(), with_scores);
            for ranked in set.iter() {
                emit(&mut cx.reply, ranked, with_scores);
            }
        }
        Choice::Distinct(count) => {
            start(&mut cx.reply, count, with_scores);
            for rank in distinct_below(set.len(), count, &mut rng) {
                let ranked = at_rank(set, rank);
                emit(&mut cx.reply, ranked, with_scores);
            }
        }
        Choice::Repeating(count) => {
            start(&mut cx.reply, count, with_scores);
            for _ in 0..count {
                if cx.reply.is_full() {
                    break;
                }
                let rank = (rng() % set.len() as u64) as usize;
                emit(&mut cx.reply, at_rank(set, rank), with_scores);
            }
        }
    }
    Ok(())
}

fn at_rank(set: &SortedSet, rank: usize) -> Ranked<'_> {
    set.iter_ranks(rank..rank + 1, Order::Ascending)
        .next()
        .expect("the rank is below the length")
}

fn start(reply: &mut resp::Writer<'_>, count: usize, with_scores: bool) {
    let nested = !with_scores || reply.is_resp3();
    reply.array(if nested { count } else { 2 * count });
}

fn emit(reply: &mut resp::Writer<'_>, ranked: Ranked<'_>, with_scores: bool) {
    if with_scores {
        score_pair(reply, ranked);
    } else {
        text(reply, ranked.member);
    }
}
