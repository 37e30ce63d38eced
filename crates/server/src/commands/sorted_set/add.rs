//! ZADD and ZINCRBY: members and their scores.

use crate::commands::prelude::*;
use crate::replies::double;
use store::float::parse_double;
use store::value::{SortedSet, Update};

pub(super) static ZADD: Command = Command {
    spec: CommandSpec {
        name: "zadd",
        group: Group::SortedSet,
        summary: "Adds members to a sorted set, or changes their scores.",
        since: "1.2.0",
        complexity: "O(log(N))",
        arity: -4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::UPDATE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::one_of("condition", &[Arg::flag("nx", "NX"), Arg::flag("xx", "XX")])
                .optional()
                .since("3.0.2"),
            Arg::one_of(
                "comparison",
                &[Arg::flag("gt", "GT"), Arg::flag("lt", "LT")],
            )
            .optional()
            .since("6.2.0"),
            Arg::flag("change", "CH").optional().since("3.0.2"),
            Arg::flag("increment", "INCR").optional().since("3.0.2"),
            Arg::block(
                "score_member",
                &[Arg::double("score"), Arg::string("member")],
            )
            .multiple(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zadd)),
};

pub(super) static ZINCRBY: Command = Command {
    spec: CommandSpec {
        name: "zincrby",
        group: Group::SortedSet,
        summary: "Adds to the score of a member.",
        since: "1.2.0",
        complexity: "O(log(N))",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::one(
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
            1,
        )],
        args: &[
            Arg::key("key", 0),
            Arg::integer("increment"),
            Arg::string("member"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(zincrby)),
};

/// The words between key and scores.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// NX: members that exist keep their scores.
    pub(crate) only_new: bool,
    /// XX: no member is added.
    pub(crate) only_existing: bool,
    /// GT: scores only grow.
    pub(crate) only_up: bool,
    /// LT: scores only fall.
    pub(crate) only_down: bool,
    /// CH: the reply counts changed scores too.
    pub(crate) count_changes: bool,
    /// INCR: the number is added to the score.
    pub(crate) increment: bool,
}

impl Options {
    /// Takes the options off the front of `words`.
    fn parse<'w, 'a>(mut self, mut words: &'w [&'a [u8]]) -> (Options, &'w [&'a [u8]]) {
        while let Some((word, rest)) = words.split_first() {
            let option = match word.to_ascii_uppercase().as_slice() {
                b"NX" => &mut self.only_new,
                b"XX" => &mut self.only_existing,
                b"GT" => &mut self.only_up,
                b"LT" => &mut self.only_down,
                b"CH" => &mut self.count_changes,
                b"INCR" => &mut self.increment,
                _ => break,
            };
            *option = true;
            words = rest;
        }
        (self, words)
    }

    fn check(self) -> CommandResult {
        if self.only_new && self.only_existing {
            return Err(CommandError::text(
                "ERR XX and NX options at the same time are not compatible",
            ));
        }
        let directions = [self.only_up, self.only_down, self.only_new];
        if directions.iter().filter(|set| **set).count() > 1 {
            return Err(CommandError::text(
                "ERR GT, LT, and/or NX options at the same time are not compatible",
            ));
        }
        Ok(())
    }

    /// The score a member gets for `number`; `None` if the options keep it as it is.
    fn decide(self, old: Option<f64>, number: f64) -> Result<Option<f64>, CommandError> {
        let Some(old) = old else {
            return Ok((!self.only_existing).then_some(number));
        };
        if self.only_new {
            return Ok(None);
        }
        let new = if self.increment { old + number } else { number };
        if new.is_nan() {
            return Err(CommandError::text(
                "ERR resulting score is not a number (NaN)",
            ));
        }
        let refused = (self.only_up && new <= old) || (self.only_down && new >= old);
        Ok((!refused).then_some(new))
    }
}

fn zadd(cx: &mut DataContext<'_>) -> CommandResult {
    add(cx, Options::default())
}

fn zincrby(cx: &mut DataContext<'_>) -> CommandResult {
    add(
        cx,
        Options {
            increment: true,
            ..Options::default()
        },
    )
}

fn add(cx: &mut DataContext<'_>, options: Options) -> CommandResult {
    let (args, key) = (cx.args, cx.args[1]);
    let (options, words) = options.parse(&args[2..]);
    if words.is_empty() || !words.len().is_multiple_of(2) {
        return Err(CommandError::Syntax);
    }
    options.check()?;
    if options.increment && words.len() > 2 {
        return Err(CommandError::text(
            "ERR INCR option supports a single increment-element pair",
        ));
    }
    // Every score is read before anything changes.
    let mut numbers = Numbers::default();
    for pair in words.chunks_exact(2) {
        numbers.push(parse_double(pair[0]).ok_or(CommandError::NotFloat)?);
    }
    let members = words.chunks_exact(2).map(|pair| pair[1]);
    set_scores(cx, key, options, numbers.iter().zip(members))?;
    Ok(())
}

/// Gives members their scores, as far as the options allow, and replies what ZADD does. Returns how many were added or
/// changed.
///
/// # Errors
/// The key holds something else, or an increment makes a score that is no number.
pub(crate) fn set_scores<'a>(
    cx: &mut DataContext<'_>,
    key: &[u8],
    options: Options,
    pairs: impl Iterator<Item = (f64, &'a [u8])>,
) -> Result<u64, CommandError> {
    if options.only_existing && cx.db.sorted_set(key).or_wrong_type()?.is_none() {
        match options.increment {
            true => cx.reply.null(),
            false => cx.reply.integer(0),
        }
        return Ok(0);
    }
    let limits = cx.settings.sorted_set_limits();
    let set = cx
        .db
        .sorted_set_or_create(key, SortedSet::default)
        .or_wrong_type()?;
    let (mut added, mut changed) = (0, 0);
    let mut score = None;
    for (number, member) in pairs {
        let mut decision = Ok(None);
        let update = set.update(member, limits, |old| {
            decision = options.decide(old, number);
            *decision.as_ref().unwrap_or(&None)
        });
        score = decision?;
        match update {
            Update::Added(_) => added += 1,
            Update::Changed(_) => changed += 1,
            Update::Kept(_) => {}
        }
    }
    if added + changed > 0 {
        cx.effects.changed_by(key, added + changed);
        let event = if options.increment { "zincr" } else { "zadd" };
        cx.effects.notify(EventClass::SORTED_SET, event, key);
        cx.effects.ready(key);
    }
    match (options.increment, score) {
        (true, Some(score)) => double(&mut cx.reply, score),
        (true, None) => cx.reply.null(),
        (false, _) if options.count_changes => cx.reply.integer((added + changed) as i64),
        (false, _) => cx.reply.integer(added as i64),
    }
    Ok(added + changed)
}

/// The scores of one request; most requests have one, and those need no allocation.
#[derive(Default)]
struct Numbers {
    first: Option<f64>,
    rest: Vec<f64>,
}

impl Numbers {
    #[inline]
    fn push(&mut self, number: f64) {
        match self.first {
            None => self.first = Some(number),
            Some(_) => self.rest.push(number),
        }
    }

    #[inline]
    fn iter(&self) -> impl Iterator<Item = f64> {
        self.first.iter().chain(&self.rest).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_decide_between_old_and_new_scores() {
        let nx = Options {
            only_new: true,
            ..Options::default()
        };
        assert_eq!(nx.decide(Some(1.0), 2.0), Ok(None));
        assert_eq!(nx.decide(None, 2.0), Ok(Some(2.0)));
        let xx = Options {
            only_existing: true,
            ..Options::default()
        };
        assert_eq!(xx.decide(None, 2.0), Ok(None));
        let gt = Options {
            only_up: true,
            ..Options::default()
        };
        assert_eq!(gt.decide(Some(2.0), 2.0), Ok(None));
        assert_eq!(gt.decide(Some(2.0), 3.0), Ok(Some(3.0)));
        let lt = Options {
            only_down: true,
            increment: true,
            ..Options::default()
        };
        assert_eq!(lt.decide(Some(2.0), -1.0), Ok(Some(1.0)));
        assert_eq!(lt.decide(Some(2.0), 1.0), Ok(None));
        let incr = Options {
            increment: true,
            ..Options::default()
        };
        assert!(incr.decide(Some(f64::INFINITY), f64::NEG_INFINITY).is_err());
    }
}
