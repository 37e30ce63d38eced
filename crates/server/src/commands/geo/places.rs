//! GEOADD, GEODIST, GEOHASH, GEOPOS: places by name.

use crate::commands::prelude::*;
use crate::commands::sorted_set::add::{Options, set_scores};
use crate::replies::{coordinates, distance};
use store::float::{format_double, parse_double};
use store::geohash::{Point, meters_per_unit};

pub(super) static GEOADD: Command = Command {
    spec: CommandSpec {
        name: "geoadd",
        group: Group::Geo,
        summary: "Adds places to a sorted set, or moves them.",
        since: "3.2.0",
        complexity: "O(log(N))",
        arity: -5,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::GEO,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::UPDATE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::one_of("condition", &[Arg::flag("nx", "NX"), Arg::flag("xx", "XX")])
                .optional()
                .since("6.2.0"),
            Arg::flag("change", "CH").optional().since("6.2.0"),
            Arg::block(
                "longitude_latitude_member",
                &[
                    Arg::double("longitude"),
                    Arg::double("latitude"),
                    Arg::string("member"),
                ],
            )
            .multiple(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(geoadd)),
};

pub(super) static GEODIST: Command = Command {
    spec: CommandSpec {
        name: "geodist",
        group: Group::Geo,
        summary: "Returns the distance between two places.",
        since: "3.2.0",
        complexity: "O(1)",
        arity: -4,
        flags: Flags::READONLY,
        categories: Categories::GEO,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::string("member1"),
            Arg::string("member2"),
            Arg::one_of(
                "unit",
                &[
                    Arg::flag("m", "M"),
                    Arg::flag("km", "KM"),
                    Arg::flag("ft", "FT"),
                    Arg::flag("mi", "MI"),
                ],
            )
            .optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(geodist)),
};

pub(super) static GEOHASH: Command = Command {
    spec: CommandSpec {
        name: "geohash",
        group: Group::Geo,
        summary: "Returns places as standard geohash texts.",
        since: "3.2.0",
        complexity: "O(1)",
        arity: -2,
        flags: Flags::READONLY,
        categories: Categories::GEO,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0), Arg::string("member").multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(geohash)),
};

pub(super) static GEOPOS: Command = Command {
    spec: CommandSpec {
        name: "geopos",
        group: Group::Geo,
        summary: "Returns the coordinates of places.",
        since: "3.2.0",
        complexity: "O(1)",
        arity: -2,
        flags: Flags::READONLY,
        categories: Categories::GEO,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[Arg::key("key", 0), Arg::string("member").multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(geopos)),
};

/// Two coordinates that a score can hold.
///
/// # Errors
/// Not numbers, or none of the places that scores have room for.
pub(super) fn parse_point(longitude: &[u8], latitude: &[u8]) -> Result<Point, CommandError> {
    let [longitude, latitude] = [longitude, latitude].map(parse_double);
    let (Some(longitude), Some(latitude)) = (longitude, latitude) else {
        return Err(CommandError::NotFloat);
    };
    let point = Point {
        longitude,
        latitude,
    };
    if !point.is_valid() {
        return Err(CommandError::err(format_args!(
            "invalid longitude,latitude pair {longitude:.6},{latitude:.6}"
        )));
    }
    Ok(point)
}

/// Meters in a unit.
///
/// # Errors
/// A unit that is none.
pub(super) fn parse_unit(word: &[u8]) -> Result<f64, CommandError> {
    meters_per_unit(word).ok_or(CommandError::text(
        "ERR unsupported unit provided. please use M, KM, FT, MI",
    ))
}

fn geoadd(cx: &mut DataContext<'_>) -> CommandResult {
    let (args, key) = (cx.args, cx.args[1]);
    let mut options = Options::default();
    let mut words = &args[2..];
    while let [word, rest @ ..] = words {
        let option = match word.to_ascii_uppercase().as_slice() {
            b"NX" => &mut options.only_new,
            b"XX" => &mut options.only_existing,
            b"CH" => &mut options.count_changes,
            _ => break,
        };
        *option = true;
        words = rest;
    }
    if words.is_empty()
        || !words.len().is_multiple_of(3)
        || (options.only_new && options.only_existing)
    {
        return Err(CommandError::Syntax);
    }
    let mut pairs: Vec<(f64, &[u8])> = Vec::with_capacity(words.len() / 3);
    for place in words.chunks_exact(3) {
        let score = parse_point(place[0], place[1])?.to_score();
        pairs.push((score, place[2]));
    }
    if set_scores(cx, key, options, pairs.iter().copied())? > 0 {
        propagate_scores(cx, &args[2..args.len() - words.len()], &pairs);
    }
    Ok(())
}

/// Replicas and the AOF hear of scores, so that they need not compute them.
fn propagate_scores(cx: &mut DataContext<'_>, options: &[&[u8]], pairs: &[(f64, &[u8])]) {
    let scores: Vec<Vec<u8>> = pairs
        .iter()
        .map(|(score, _)| {
            let mut text = Vec::new();
            format_double(*score, &mut text);
            text
        })
        .collect();
    let mut command: Vec<&[u8]> = vec![b"zadd", cx.args[1]];
    command.extend_from_slice(options);
    for (score, (_, member)) in scores.iter().zip(pairs) {
        command.extend_from_slice(&[score, member]);
    }
    cx.effects.propagate_as(&command);
}

fn geodist(cx: &mut DataContext<'_>) -> CommandResult {
    let meters = match &cx.args[4..] {
        [] => 1.0,
        [unit] => parse_unit(unit)?,
        _ => return Err(CommandError::Syntax),
    };
    let set = cx.db.sorted_set(cx.args[1]).or_wrong_type()?;
    let point = |member: &[u8]| set?.score(member).map(Point::from_score);
    match (point(cx.args[2]), point(cx.args[3])) {
        (Some(from), Some(to)) => distance(&mut cx.reply, from.distance_meters(&to) / meters),
        _ => cx.reply.null(),
    }
    Ok(())
}

fn geohash(cx: &mut DataContext<'_>) -> CommandResult {
    let set = cx.db.sorted_set(cx.args[1]).or_wrong_type()?;
    cx.reply.array(cx.args.len() - 2);
    for member in &cx.args[2..] {
        match set.and_then(|set| set.score(member)) {
            Some(score) => cx.reply.bulk(Point::from_score(score).to_text()),
            None => cx.reply.null(),
        }
    }
    Ok(())
}

fn geopos(cx: &mut DataContext<'_>) -> CommandResult {
    let set = cx.db.sorted_set(cx.args[1]).or_wrong_type()?;
    cx.reply.array(cx.args.len() - 2);
    for member in &cx.args[2..] {
        match set.and_then(|set| set.score(member)) {
            Some(score) => coordinates(&mut cx.reply, Point::from_score(score)),
            None => cx.reply.null_array(),
        }
    }
    Ok(())
}
