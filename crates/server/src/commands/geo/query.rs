//! What GEOSEARCH and GEORADIUS ask for, and the places that answer it.

use super::places::{parse_point, parse_unit};
use crate::commands::prelude::*;
use store::float::parse_double;
use store::geohash::{Point, Search, Shape};
use store::value::{Order, ScoreBound, ScoreRange, SortedSet};

/// Which commands ask, and with that which options there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// GEORADIUS: coordinates, radius and unit come first.
    Radius { may_store: bool },
    /// GEORADIUSBYMEMBER: a member, radius and unit come first.
    RadiusByMember { may_store: bool },
    /// GEOSEARCH: everything is an option.
    Search,
    /// GEOSEARCHSTORE: the same, and the result is stored.
    SearchStore,
}

/// ASC or DESC: by distance from the centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    NearestFirst,
    FarthestFirst,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Query<'a> {
    center: Option<Point>,
    /// The centre is a member of a set that does not exist, so nothing is near it.
    nowhere: bool,
    shape: Option<(Shape, f64)>,
    sort: Option<Sort>,
    /// At most so many places; 0 for all.
    count: usize,
    /// ANY: the first places found will do, not the nearest.
    any: bool,
    pub(super) with_distance: bool,
    pub(super) with_hash: bool,
    pub(super) with_coordinates: bool,
    /// Where to store what GEORADIUS finds.
    pub(super) store: Option<&'a [u8]>,
    /// Scores of what is stored are distances.
    pub(super) store_distance: bool,
}

/// A place within the shape.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) member: Vec<u8>,
    pub(super) score: f64,
    pub(super) point: Point,
    /// From the centre, in the units of the request.
    pub(super) distance: f64,
}

fn parse_length(word: &[u8], not_a_number: &'static str) -> Result<f64, CommandError> {
    parse_double(word).ok_or(CommandError::text(not_a_number))
}

fn parse_circle(radius: &[u8], unit: &[u8]) -> Result<(Shape, f64), CommandError> {
    let radius = parse_length(radius, "ERR need numeric radius")?;
    if radius < 0.0 {
        return Err(CommandError::text("ERR radius cannot be negative"));
    }
    Ok((Shape::Circle { radius }, parse_unit(unit)?))
}

fn parse_box(width: &[u8], height: &[u8], unit: &[u8]) -> Result<(Shape, f64), CommandError> {
    let width = parse_length(width, "ERR need numeric width")?;
    let height = parse_length(height, "ERR need numeric height")?;
    if width < 0.0 || height < 0.0 {
        return Err(CommandError::text("ERR height or width cannot be negative"));
    }
    Ok((Shape::Box { width, height }, parse_unit(unit)?))
}

/// The place of a member.
fn point_of(set: &SortedSet, member: &[u8]) -> Result<Point, CommandError> {
    set.score(member)
        .map(Point::from_score)
        .ok_or(CommandError::text(
            "ERR could not decode requested zset member",
        ))
}

impl<'a> Query<'a> {
    /// Reads the words after the key. Members are looked up in `set`, if that exists.
    pub(super) fn parse(
        words: &[&'a [u8]],
        form: Form,
        set: Option<&SortedSet>,
        command: &[u8],
    ) -> Result<Query<'a>, CommandError> {
        let mut query = Query::default();
        let options = match form {
            Form::Radius { .. } => {
                query.center = Some(parse_point(words[0], words[1])?);
                query.shape = Some(parse_circle(words[2], words[3])?);
                &words[4..]
            }
            Form::RadiusByMember { .. } => {
                match set {
                    Some(set) => {
                        query.center = Some(point_of(set, words[0])?);
                        query.shape = Some(parse_circle(words[1], words[2])?);
                    }
                    // Redis does not look at the radius then.
                    None => query.nowhere = true,
                }
                &words[3..]
            }
            Form::Search | Form::SearchStore => words,
        };
        query.parse_options(options, form, set)?;
        query.check(form, command)?;
        Ok(query)
    }

    fn parse_options(
        &mut self,
        mut words: &[&'a [u8]],
        form: Form,
        set: Option<&SortedSet>,
    ) -> CommandResult {
        let by_options = matches!(form, Form::Search | Form::SearchStore);
        // An option may come again, but not with the one that excludes it.
        let (mut by_member, mut by_coordinates) = (by_options, by_options);
        let (mut by_radius, mut by_box) = (by_options, by_options);
        let may_store = matches!(
            form,
            Form::Radius { may_store: true } | Form::RadiusByMember { may_store: true }
        );
        while let [option, rest @ ..] = words {
            words = rest;
            match (option.to_ascii_uppercase().as_slice(), rest) {
                (b"WITHDIST", _) => self.with_distance = true,
                (b"WITHHASH", _) => self.with_hash = true,
                (b"WITHCOORD", _) => self.with_coordinates = true,
                (b"ANY", _) => self.any = true,
                (b"ASC", _) => self.sort = Some(Sort::NearestFirst),
                (b"DESC", _) => self.sort = Some(Sort::FarthestFirst),
                (b"COUNT", [count, rest @ ..]) => {
                    self.count = usize::try_from(parse_integer(count)?)
                        .ok()
                        .filter(|&count| count > 0)
                        .ok_or(CommandError::text("ERR COUNT must be > 0"))?;
                    words = rest;
                }
                (b"STORE", [key, rest @ ..]) if may_store => {
                    (self.store, self.store_distance) = (Some(*key), false);
                    words = rest;
                }
                (b"STOREDIST", [key, rest @ ..]) if may_store => {
                    (self.store, self.store_distance) = (Some(*key), true);
                    words = rest;
                }
                (b"STOREDIST", _) if form == Form::SearchStore => self.store_distance = true,
                (b"FROMMEMBER", [member, rest @ ..]) if by_member => {
                    by_coordinates = false;
                    match set {
                        Some(set) => self.center = Some(point_of(set, member)?),
                        None => self.nowhere = true,
                    }
                    words = rest;
                }
                (b"FROMLONLAT", [longitude, latitude, rest @ ..]) if by_coordinates => {
                    by_member = false;
                    self.center = Some(parse_point(longitude, latitude)?);
                    words = rest;
                }
                (b"BYRADIUS", [radius, unit, rest @ ..]) if by_radius => {
                    by_box = false;
                    self.shape = Some(parse_circle(radius, unit)?);
                    words = rest;
                }
                (b"BYBOX", [width, height, unit, rest @ ..]) if by_box => {
                    by_radius = false;
                    self.shape = Some(parse_box(width, height, unit)?);
                    words = rest;
                }
                _ => return Err(CommandError::Syntax),
            }
        }
        Ok(())
    }

    /// What can only be said of all options together.
    fn check(&self, form: Form, command: &[u8]) -> CommandResult {
        let shows = self.with_distance || self.with_hash || self.with_coordinates;
        let stores = self.store.is_some() || form == Form::SearchStore;
        if stores && shows {
            let subject = match form {
                Form::SearchStore => "GEOSEARCHSTORE",
                _ => "STORE option in GEORADIUS",
            };
            return Err(CommandError::err(format_args!(
                "{subject} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            )));
        }
        if matches!(form, Form::Search | Form::SearchStore) {
            if self.center.is_none() && !self.nowhere {
                return Err(CommandError::quoting(&[
                    b"ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ",
                    command,
                ]));
            }
            if self.shape.is_none() {
                return Err(CommandError::quoting(&[
                    b"ERR exactly one of BYRADIUS and BYBOX can be specified for ",
                    command,
                ]));
            }
        }
        if self.any && self.count == 0 {
            return Err(CommandError::text(
                "ERR the ANY argument requires COUNT argument",
            ));
        }
        Ok(())
    }

    /// The places of a set that answer.
    pub(super) fn places(&self, set: &SortedSet) -> Vec<Place> {
        let (Some(center), Some((shape, meters_per_unit))) = (self.center, self.shape) else {
            return Vec::new();
        };
        let search = Search {
            center,
            shape,
            meters_per_unit,
        };
        let enough = if self.any { self.count } else { usize::MAX };
        let mut places = Vec::new();
        for (min, max) in search.score_ranges() {
            let range = ScoreRange {
                min: ScoreBound {
                    score: min,
                    exclusive: false,
                },
                max: ScoreBound {
                    score: max,
                    exclusive: true,
                },
            };
            for ranked in set.iter_ranks(set.ranks_by_score(&range), Order::Ascending) {
                if places.len() >= enough {
                    break;
                }
                let point = Point::from_score(ranked.score);
                if let Some(meters) = search.distance_within(&point) {
                    places.push(Place {
                        member: ranked.member.to_vec(),
                        score: ranked.score,
                        point,
                        distance: meters / meters_per_unit,
                    });
                }
            }
        }
        self.sort_and_cut(&mut places);
        places
    }

    fn sort_and_cut(&self, places: &mut Vec<Place>) {
        // The nearest are wanted unless any will do.
        let sort = match self.sort {
            None if self.count > 0 && !self.any => Some(Sort::NearestFirst),
            sort => sort,
        };
        let ascending = |a: &Place, b: &Place| a.distance.total_cmp(&b.distance);
        match sort {
            Some(Sort::NearestFirst) => places.sort_by(ascending),
            Some(Sort::FarthestFirst) => places.sort_by(|a, b| ascending(b, a)),
            None => {}
        }
        if self.count > 0 {
            places.truncate(self.count);
        }
    }
}
