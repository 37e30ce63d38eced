//! GEOSEARCH, GEORADIUS and their kin: places in a circle or box, to the client or into another key.

use super::query::{Form, Place, Query};
use crate::commands::prelude::*;
use crate::commands::sorted_set::range::store_result;
use crate::replies::{coordinates, distance};
use store::value::SortedSet;

pub(super) static GEORADIUS: Command = Command {
    spec: CommandSpec {
        name: "georadius",
        group: Group::Geo,
        summary: "Finds places around a point, and may store them.",
        since: "3.2.0",
        complexity: "O(N+log(M))",
        arity: -6,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLE_KEYS),
        categories: Categories::GEO,
        keys: &[
            KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1),
            KeySpec::keyword(
                KeyFlags::OW.and(KeyFlags::UPDATE),
                "STORE",
                6,
                FindKeys::Range {
                    last: 0,
                    step: 1,
                    limit: 0,
                },
            ),
            KeySpec::keyword(
                KeyFlags::OW.and(KeyFlags::UPDATE),
                "STOREDIST",
                6,
                FindKeys::Range {
                    last: 0,
                    step: 1,
                    limit: 0,
                },
            ),
        ],
        args: &[
            Arg::key("key", 0),
            Arg::double("longitude"),
            Arg::double("latitude"),
            Arg::double("radius"),
            Arg::one_of(
                "unit",
                &[
                    Arg::flag("m", "M"),
                    Arg::flag("km", "KM"),
                    Arg::flag("ft", "FT"),
                    Arg::flag("mi", "MI"),
                ],
            ),
            Arg::flag("withcoord", "WITHCOORD").optional(),
            Arg::flag("withdist", "WITHDIST").optional(),
            Arg::flag("withhash", "WITHHASH").optional(),
            Arg::block(
                "count",
                &[
                    Arg::integer("count").token("COUNT"),
                    Arg::flag("any", "ANY").optional().since("6.2.0"),
                ],
            )
            .optional(),
            Arg::one_of(
                "order",
                &[Arg::flag("asc", "ASC"), Arg::flag("desc", "DESC")],
            )
            .optional(),
            Arg::key("key", 1).token("STORE").optional(),
            Arg::key("key", 2).token("STOREDIST").optional(),
        ],
        deprecated: Some((
            "6.2.0",
            "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
        )),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(georadius)),
};

pub(super) static GEORADIUS_RO: Command = Command {
    spec: CommandSpec {
        name: "georadius_ro",
        group: Group::Geo,
        summary: "Finds places around a point.",
        since: "3.2.10",
        complexity: "O(N+log(M))",
        arity: -6,
        flags: Flags::READONLY,
        categories: Categories::GEO,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::double("longitude"),
            Arg::double("latitude"),
            Arg::double("radius"),
            Arg::one_of(
                "unit",
                &[
                    Arg::flag("m", "M"),
                    Arg::flag("km", "KM"),
                    Arg::flag("ft", "FT"),
                    Arg::flag("mi", "MI"),
                ],
            ),
            Arg::flag("withcoord", "WITHCOORD").optional(),
            Arg::flag("withdist", "WITHDIST").optional(),
            Arg::flag("withhash", "WITHHASH").optional(),
            Arg::block(
                "count",
                &[
                    Arg::integer("count").token("COUNT"),
                    Arg::flag("any", "ANY").optional().since("6.2.0"),
                ],
            )
            .optional(),
            Arg::one_of(
                "order",
                &[Arg::flag("asc", "ASC"), Arg::flag("desc", "DESC")],
            )
            .optional(),
        ],
        deprecated: Some(("6.2.0", "`GEOSEARCH` with the `BYRADIUS` argument")),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(georadius_ro)),
};

pub(super) static GEORADIUSBYMEMBER: Command = Command {
    spec: CommandSpec {
        name: "georadiusbymember",
        group: Group::Geo,
        summary: "Finds places around a place of the set, and may store them.",
        since: "3.2.0",
        complexity: "O(N+log(M))",
        arity: -5,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLE_KEYS),
        categories: Categories::GEO,
        keys: &[
            KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1),
            KeySpec::keyword(
                KeyFlags::OW.and(KeyFlags::UPDATE),
                "STORE",
                5,
                FindKeys::Range {
                    last: 0,
                    step: 1,
                    limit: 0,
                },
            ),
            KeySpec::keyword(
                KeyFlags::OW.and(KeyFlags::UPDATE),
                "STOREDIST",
                5,
                FindKeys::Range {
                    last: 0,
                    step: 1,
                    limit: 0,
                },
            ),
        ],
        args: &[
            Arg::key("key", 0),
            Arg::string("member"),
            Arg::double("radius"),
            Arg::one_of(
                "unit",
                &[
                    Arg::flag("m", "M"),
                    Arg::flag("km", "KM"),
                    Arg::flag("ft", "FT"),
                    Arg::flag("mi", "MI"),
                ],
            ),
            Arg::flag("withcoord", "WITHCOORD").optional(),
            Arg::flag("withdist", "WITHDIST").optional(),
            Arg::flag("withhash", "WITHHASH").optional(),
            Arg::block(
                "count",
                &[
                    Arg::integer("count").token("COUNT"),
                    Arg::flag("any", "ANY").optional(),
                ],
            )
            .optional(),
            Arg::one_of(
                "order",
                &[Arg::flag("asc", "ASC"), Arg::flag("desc", "DESC")],
            )
            .optional(),
            Arg::key("key", 1).token("STORE").optional(),
            Arg::key("key", 2).token("STOREDIST").optional(),
        ],
        deprecated: Some((
            "6.2.0",
            "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
        )),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(georadiusbymember)),
};

pub(super) static GEORADIUSBYMEMBER_RO: Command = Command {
    spec: CommandSpec {
        name: "georadiusbymember_ro",
        group: Group::Geo,
        summary: "Finds places around a place of the set.",
        since: "3.2.10",
        complexity: "O(N+log(M))",
        arity: -5,
        flags: Flags::READONLY,
        categories: Categories::GEO,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::string("member"),
            Arg::double("radius"),
            Arg::one_of(
                "unit",
                &[
                    Arg::flag("m", "M"),
                    Arg::flag("km", "KM"),
                    Arg::flag("ft", "FT"),
                    Arg::flag("mi", "MI"),
                ],
            ),
            Arg::flag("withcoord", "WITHCOORD").optional(),
            Arg::flag("withdist", "WITHDIST").optional(),
            Arg::flag("withhash", "WITHHASH").optional(),
            Arg::block(
                "count",
                &[
                    Arg::integer("count").token("COUNT"),
                    Arg::flag("any", "ANY").optional(),
                ],
            )
            .optional(),
            Arg::one_of(
                "order",
                &[Arg::flag("asc", "ASC"), Arg::flag("desc", "DESC")],
            )
            .optional(),
        ],
        deprecated: Some((
            "6.2.0",
            "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
        )),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(georadiusbymember_ro)),
};

pub(super) static GEOSEARCH: Command = Command {
    spec: CommandSpec {
        name: "geosearch",
        group: Group::Geo,
        summary: "Finds places in a circle or box.",
        since: "6.2.0",
        complexity: "O(N+log(M))",
        arity: -7,
        flags: Flags::READONLY,
        categories: Categories::GEO,
        keys: &[KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::one_of(
                "from",
                &[
                    Arg::string("member").token("FROMMEMBER"),
                    Arg::block(
                        "longitude_latitude",
                        &[Arg::double("longitude"), Arg::double("latitude")],
                    )
                    .token("FROMLONLAT"),
                ],
            ),
            Arg::one_of(
                "by",
                &[
                    Arg::block(
                        "circle",
                        &[
                            Arg::double("radius").token("BYRADIUS"),
                            Arg::one_of(
                                "unit",
                                &[
                                    Arg::flag("m", "M"),
                                    Arg::flag("km", "KM"),
                                    Arg::flag("ft", "FT"),
                                    Arg::flag("mi", "MI"),
                                ],
                            ),
                        ],
                    ),
                    Arg::block(
                        "box",
                        &[
                            Arg::double("width").token("BYBOX"),
                            Arg::double("height"),
                            Arg::one_of(
                                "unit",
                                &[
                                    Arg::flag("m", "M"),
                                    Arg::flag("km", "KM"),
                                    Arg::flag("ft", "FT"),
                                    Arg::flag("mi", "MI"),
                                ],
                            ),
                        ],
                    ),
                ],
            ),
            Arg::one_of(
                "order",
                &[Arg::flag("asc", "ASC"), Arg::flag("desc", "DESC")],
            )
            .optional(),
            Arg::block(
                "count",
                &[
                    Arg::integer("count").token("COUNT"),
                    Arg::flag("any", "ANY").optional(),
                ],
            )
            .optional(),
            Arg::flag("withcoord", "WITHCOORD").optional(),
            Arg::flag("withdist", "WITHDIST").optional(),
            Arg::flag("withhash", "WITHHASH").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(geosearch)),
};

pub(super) static GEOSEARCHSTORE: Command = Command {
    spec: CommandSpec {
        name: "geosearchstore",
        group: Group::Geo,
        summary: "Stores the places in a circle or box in another key.",
        since: "6.2.0",
        complexity: "O(N+log(M))",
        arity: -8,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::GEO,
        keys: &[
            KeySpec::one(KeyFlags::OW.and(KeyFlags::UPDATE), 1),
            KeySpec::one(KeyFlags::RO.and(KeyFlags::ACCESS), 2),
        ],
        args: &[
            Arg::key("destination", 0),
            Arg::key("source", 1),
            Arg::one_of(
                "from",
                &[
                    Arg::string("member").token("FROMMEMBER"),
                    Arg::block(
                        "longitude_latitude",
                        &[Arg::double("longitude"), Arg::double("latitude")],
                    )
                    .token("FROMLONLAT"),
                ],
            ),
            Arg::one_of(
                "by",
                &[
                    Arg::block(
                        "circle",
                        &[
                            Arg::double("radius").token("BYRADIUS"),
                            Arg::one_of(
                                "unit",
                                &[
                                    Arg::flag("m", "M"),
                                    Arg::flag("km", "KM"),
                                    Arg::flag("ft", "FT"),
                                    Arg::flag("mi", "MI"),
                                ],
                            ),
                        ],
                    ),
                    Arg::block(
                        "box",
                        &[
                            Arg::double("width").token("BYBOX"),
                            Arg::double("height"),
                            Arg::one_of(
                                "unit",
                                &[
                                    Arg::flag("m", "M"),
                                    Arg::flag("km", "KM"),
                                    Arg::flag("ft", "FT"),
                                    Arg::flag("mi", "MI"),
                                ],
                            ),
                        ],
                    ),
                ],
            ),
            Arg::one_of(
                "order",
                &[Arg::flag("asc", "ASC"), Arg::flag("desc", "DESC")],
            )
            .optional(),
            Arg::block(
                "count",
                &[
                    Arg::integer("count").token("COUNT"),
                    Arg::flag("any", "ANY").optional(),
                ],
            )
            .optional(),
            Arg::flag("storedist", "STOREDIST").optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(geosearchstore)),
};

fn georadius(cx: &mut DataContext<'_>) -> CommandResult {
    search(cx, Form::Radius { may_store: true })
}

fn georadius_ro(cx: &mut DataContext<'_>) -> CommandResult {
    search(cx, Form::Radius { may_store: false })
}

fn georadiusbymember(cx: &mut DataContext<'_>) -> CommandResult {
    search(cx, Form::RadiusByMember { may_store: true })
}

fn georadiusbymember_ro(cx: &mut DataContext<'_>) -> CommandResult {
    search(cx, Form::RadiusByMember { may_store: false })
}

fn geosearch(cx: &mut DataContext<'_>) -> CommandResult {
    search(cx, Form::Search)
}

fn geosearchstore(cx: &mut DataContext<'_>) -> CommandResult {
    search(cx, Form::SearchStore)
}

fn search(cx: &mut DataContext<'_>, form: Form) -> CommandResult {
    let args = cx.args;
    let source = if form == Form::SearchStore { 2 } else { 1 };
    let set = cx.db.sorted_set(args[source]).or_wrong_type()?;
    let query = Query::parse(&args[source + 1..], form, set, args[0])?;
    let places = set.map_or_else(Vec::new, |set| query.places(set));
    match (form, query.store) {
        (Form::SearchStore, _) => store_places(cx, args[1], places, &query, "geosearchstore"),
        (_, Some(target)) => store_places(cx, target, places, &query, "georadiusstore"),
        (_, None) => reply_places(cx, &places, &query),
    }
    Ok(())
}

fn reply_places(cx: &mut DataContext<'_>, places: &[Place], query: &Query<'_>) {
    let shown = [query.with_distance, query.with_hash, query.with_coordinates];
    let extras = shown.iter().filter(|shown| **shown).count();
    let reply = &mut cx.reply;
    reply.array(places.len());
    for place in places {
        if extras > 0 {
            reply.array(1 + extras);
        }
        reply.bulk(&place.member);
        if query.with_distance {
            distance(reply, place.distance);
        }
        if query.with_hash {
            reply.integer(place.score as i64);
        }
        if query.with_coordinates {
            coordinates(reply, place.point);
        }
    }
}

fn store_places(
    cx: &mut DataContext<'_>,
    target: &[u8],
    places: Vec<Place>,
    query: &Query<'_>,
    event: &'static str,
) {
    let limits = cx.settings.sorted_set_limits();
    let mut result = SortedSet::default();
    for place in &places {
        let score = match query.store_distance {
            true => place.distance,
            false => place.score,
        };
        result.insert(&place.member, score, limits);
    }
    let stored = places.len() as u64;
    store_result(cx, target, result, event);
    // Redis counts each place as a change.
    cx.effects.dirty += stored.saturating_sub(1);
}
