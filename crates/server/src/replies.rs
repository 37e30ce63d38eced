//! Pieces of replies that several commands share: scores, and members with their scores.

use resp::Writer;
use store::encoding::listpack::Item;
use store::float::{DoubleText, LongDouble, format_fixed};
use store::geohash::Point;
use store::value::{Ranked, RankedMembers};

/// A score, coordinate or other number with a fraction.
#[inline]
pub(crate) fn double(reply: &mut Writer<'_>, value: f64) {
    reply.double_text(DoubleText::new(value).as_bytes());
}

/// A distance, with the four digits that Redis shows of it.
pub(crate) fn distance(reply: &mut Writer<'_>, value: f64) {
    let mut text = Vec::with_capacity(24);
    format_fixed(value, 4, &mut text);
    reply.bulk(text);
}

/// Longitude and latitude, with all the digits that a `long double` has of them.
pub(crate) fn coordinates(reply: &mut Writer<'_>, point: Point) {
    reply.array(2);
    for degrees in [point.longitude, point.latitude] {
        let mut text = Vec::with_capacity(24);
        LongDouble::from(degrees).format(&mut text);
        reply.double_text(text);
    }
}

/// An element as a string.
#[inline]
pub(crate) fn text(reply: &mut Writer<'_>, item: Item<'_>) {
    match item {
        Item::Str(bytes) => reply.bulk(bytes),
        Item::Int(int) => reply.bulk_int(int),
    }
}

/// A member and its score: two words, in RESP3 a pair.
#[inline]
pub(crate) fn score_pair(reply: &mut Writer<'_>, ranked: Ranked<'_>) {
    if reply.is_resp3() {
        reply.array(2);
    }
    text(reply, ranked.member);
    double(reply, ranked.score);
}

/// A list of members and their scores: in RESP2 one after the other, in RESP3 as pairs.
pub(crate) fn members_with_scores(reply: &mut Writer<'_>, members: RankedMembers<'_>) {
    let len = members.len();
    reply.array(if reply.is_resp3() { len } else { 2 * len });
    for ranked in members {
        score_pair(reply, ranked);
    }
}
