//! Places on earth as scores of a sorted set, and searches among them, with the numbers of Redis
//! 7.0.
//!
//! A score has 52 bits: latitude and longitude, each as 26 bits of its range, interleaved. Nearby
//! places mostly share a prefix, so a search reads at most nine ranges of scores and then measures.
//! Distances treat the earth as a sphere. The order of floating-point operations is part of the
//! result, as are the order of ranges and their exact borders.

use std::f64::consts::PI;

/// Bits per coordinate in a score.
const STEP_MAX: u32 = 26;

const LONGITUDES: Span = Span {
    min: -180.0,
    max: 180.0,
};
/// The square part of the Web Mercator map: the poles are not on it.
const LATITUDES: Span = Span {
    min: -85.05112878,
    max: 85.05112878,
};
/// The latitudes of standard geohash texts.
const ALL_LATITUDES: Span = Span {
    min: -90.0,
    max: 90.0,
};

const EARTH_RADIUS_METERS: f64 = 6372797.560856;
/// Half the earth's circumference on the Mercator map, in meters.
const MERCATOR_MAX_METERS: f64 = 20037726.37;

/// A place, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// East of Greenwich.
    pub longitude: f64,
    /// North of the equator.
    pub latitude: f64,
}

/// What a search covers around its centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Everything within a distance.
    Circle {
        /// In units of the search.
        radius: f64,
    },
    /// Half of each side to either direction, measured along parallel and meridian.
    Box {
        /// West to east, in units of the search.
        width: f64,
        /// South to north, in units of the search.
        height: f64,
    },
}

/// A search of GEOSEARCH and GEORADIUS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// The middle of the shape.
    pub center: Point,
    /// What to cover.
    pub shape: Shape,
    /// Meters in one unit of the shape: see [`meters_per_unit`].
    pub meters_per_unit: f64,
}

/// Meters in a unit as clients name it: `m`, `km`, `ft` or `mi` in any case.
pub fn meters_per_unit(name: &[u8]) -> Option<f64> {
    let units: [(&[u8], f64); 4] = [
        (b"m", 1.0),
        (b"km", 1000.0),
        (b"ft", 0.3048),
        (b"mi", 1609.34),
    ];
    units
        .iter()
        .find(|(unit, _)| unit.eq_ignore_ascii_case(name))
        .map(|&(_, meters)| meters)
}

impl Point {
    /// Whether this is a place a score can hold.
    pub fn is_valid(&self) -> bool {
        LONGITUDES.contains(self.longitude) && LATITUDES.contains(self.latitude)
    }

    /// The score of a valid place.
    pub fn to_score(&self) -> f64 {
        Cell::around(self, LATITUDES, STEP_MAX).bits as f64
    }

    /// The middle of the smallest cell a score stands for. Any number is taken, as sorted sets may
    /// hold scores that no GEOADD made.
    pub fn from_score(score: f64) -> Self {
        const MIN: i128 = i64::MIN as i128;
        const MAX: i128 = u64::MAX as i128;
        // What x86 makes of a double that C code converts to 64 unsigned bits.
        let bits = match score as i128 {
            ..MIN => 1 << 63,
            whole @ MIN..=MAX => whole as u64,
            _ => 0,
        };
        let (longitudes, latitudes) = Cell {
            bits,
            step: STEP_MAX,
        }
        .spans();
        Self {
            longitude: LONGITUDES.clamp(longitudes.middle()),
            latitude: LATITUDES.clamp(latitudes.middle()),
        }
    }

    /// Meters to another place along the surface (haversine formula).
    pub fn distance_meters(&self, other: &Self) -> f64 {
        let [lat1, lon1] = [radians(self.latitude), radians(self.longitude)];
        let [lat2, lon2] = [radians(other.latitude), radians(other.longitude)];
        let v = ((lon2 - lon1) / 2.0).sin();
        if v == 0.0 {
            return EARTH_RADIUS_METERS * (lat2 - lat1).abs();
        }
        let u = ((lat2 - lat1) / 2.0).sin();
        2.0 * EARTH_RADIUS_METERS * (u * u + lat1.cos() * lat2.cos() * v * v).sqrt().asin()
    }

    /// The standard geohash text of GEOHASH: 11 letters, the last always `0` for lack of bits.
    pub fn to_text(&self) -> [u8; 11] {
        const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
        let bits = Cell::around(self, ALL_LATITUDES, STEP_MAX).bits;
        std::array::from_fn(|i| match i {
            10 => b'0',
            _ => LETTERS[(bits >> (47 - 5 * i)) as usize % 32],
        })
    }
}

impl Search {
    /// The score ranges (first included, second not) that together hold all places of the search,
    /// in the order in which Redis reads them.
    pub fn score_ranges(&self) -> Vec<(f64, f64)> {
        let (longitudes, latitudes) = self.bounds();
        let mut cell = Cell::around(&self.center, LATITUDES, self.step());
        if cell.step > 1 && !cell.neighbours_reach(longitudes, latitudes) {
            cell = Cell::around(&self.center, LATITUDES, cell.step - 1);
        }
        let (own_longitudes, own_latitudes) = cell.spans();
        let needed = |x: i8, y: i8| {
            cell.step < 2
                || !((x < 0 && own_longitudes.min < longitudes.min)
                    || (x > 0 && own_longitudes.max > longitudes.max)
                    || (y < 0 && own_latitudes.min < latitudes.min)
                    || (y > 0 && own_latitudes.max > latitudes.max))
        };
        let around = [
            (0, 1),
            (0, -1),
            (1, 0),
            (-1, 0),
            (1, 1),
            (-1, 1),
            (1, -1),
            (-1, -1),
        ];
        let mut neighbours: Vec<_> = around
            .into_iter()
            .filter(|&(x, y)| needed(x, y))
            .map(|(x, y)| cell.moved(x, y))
            .collect();
        // Among few large cells, the neighbours on two sides can be the same one.
        neighbours.dedup();
        [cell]
            .iter()
            .chain(&neighbours)
            .map(Cell::score_range)
            .collect()
    }

    /// Meters from the centre, if the place is within the shape.
    pub fn distance_within(&self, place: &Point) -> Option<f64> {
        let center = &self.center;
        match self.shape {
            Shape::Circle { radius } => {
                let distance = center.distance_meters(place);
                (distance <= radius * self.meters_per_unit).then_some(distance)
            }
            Shape::Box { width, height } => {
                let on_parallel = Point {
                    longitude: center.longitude,
                    ..*place
                };
                let on_meridian = Point {
                    latitude: center.latitude,
                    ..*place
                };
                let inside = place.distance_meters(&on_parallel)
                    <= width * self.meters_per_unit / 2.0
                    && place.distance_meters(&on_meridian) <= height * self.meters_per_unit / 2.0;
                inside.then(|| center.distance_meters(place))
            }
        }
    }

    /// Half of width and height of the shape, in units.
    fn half_sides(&self) -> (f64, f64) {
        match self.shape {
            Shape::Circle { radius } => (radius, radius),
            Shape::Box { width, height } => (width / 2.0, height / 2.0),
        }
    }

    /// The longitudes and latitudes the shape extends over.
    fn bounds(&self) -> (Span, Span) {
        let Point {
            longitude,
            latitude,
        } = self.center;
        let (width, height) = self.half_sides();
        let (width, height) = (self.meters_per_unit * width, self.meters_per_unit * height);
        let lat_delta = degrees(height / EARTH_RADIUS_METERS);
        // Parallels are shortest at the edge nearer to the pole.
        let outer = if latitude < 0.0 {
            latitude - lat_delta
        } else {
            latitude + lat_delta
        };
        let lon_delta = degrees(width / EARTH_RADIUS_METERS / radians(outer).cos());
        (
            Span {
                min: longitude - lon_delta,
                max: longitude + lon_delta,
            },
            Span {
                min: latitude - lat_delta,
                max: latitude + lat_delta,
            },
        )
    }

    /// Bits per coordinate of cells about as large as the shape.
    fn step(&self) -> u32 {
        let radius = match self.shape {
            Shape::Circle { radius } => radius,
            Shape::Box { width, height } => {
                ((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0)).sqrt()
            }
        };
        let mut meters = (radius * self.meters_per_unit).abs();
        if meters == 0.0 {
            return STEP_MAX;
        }
        let mut step = -1;
        while meters < MERCATOR_MAX_METERS {
            meters *= 2.0;
            step += 1;
        }
        // Cells get narrower towards the poles.
        let latitude = self.center.latitude.abs();
        step -= i32::from(latitude > 66.0) + i32::from(latitude > 80.0);
        step.clamp(1, STEP_MAX as i32) as u32
    }
}

/// A range of degrees.
#[derive(Clone, Copy)]
struct Span {
    min: f64,
    max: f64,
}

impl Span {
    fn contains(self, degrees: f64) -> bool {
        self.min <= degrees && degrees <= self.max
    }

    fn middle(self) -> f64 {
        (self.min + self.max) / 2.0
    }

    fn clamp(self, degrees: f64) -> f64 {
        degrees.max(self.min).min(self.max)
    }

    /// Which of the 2^step equal parts has this position. The far end counts as one part more.
    fn part(self, degrees: f64, step: u32) -> u32 {
        let share = (degrees - self.min) / (self.max - self.min);
        (share * f64::from(1 << step)) as u32
    }

    fn of_part(self, part: u32, step: u32) -> Self {
        let (scale, parts) = (self.max - self.min, f64::from(1 << step));
        Self {
            min: self.min + f64::from(part) / parts * scale,
            max: self.min + (f64::from(part) + 1.0) / parts * scale,
        }
    }
}

/// One of the 2^step by 2^step cells of the map.
#[derive(Clone, Copy, PartialEq)]
struct Cell {
    /// Latitude part in the even bits, longitude part in the odd ones.
    bits: u64,
    step: u32,
}

const LATITUDE_BITS: u64 = 0x5555_5555_5555_5555;
const LONGITUDE_BITS: u64 = !LATITUDE_BITS;

impl Cell {
    fn around(point: &Point, latitudes: Span, step: u32) -> Self {
        let x = LONGITUDES.part(point.longitude, step);
        let y = latitudes.part(point.latitude, step);
        Self {
            bits: spread(y) | spread(x) << 1,
            step,
        }
    }

    fn spans(self) -> (Span, Span) {
        (
            LONGITUDES.of_part(gather(self.bits >> 1), self.step),
            LATITUDES.of_part(gather(self.bits), self.step),
        )
    }

    /// The cell one to the east (`x` 1) or west (-1) and one to the north (`y` 1) or south (-1).
    /// At its edges the map continues on the other side.
    fn moved(self, x: i8, y: i8) -> Self {
        let mask = u64::MAX >> (64 - 2 * self.step);
        let moved = |coordinate: u64, by: i8| {
            let own = self.bits & coordinate;
            match by {
                // Ones in the bits between carry over them.
                1.. => (own | !coordinate).wrapping_add(1) & coordinate & mask,
                0 => own,
                ..0 => own.wrapping_sub(1) & coordinate & mask,
            }
        };
        Self {
            bits: moved(LONGITUDE_BITS, x) | moved(LATITUDE_BITS, y),
            step: self.step,
        }
    }

    /// Whether the four neighbours extend at least as far as these bounds.
    fn neighbours_reach(self, longitudes: Span, latitudes: Span) -> bool {
        let longitudes_of = |x| self.moved(x, 0).spans().0;
        let latitudes_of = |y| self.moved(0, y).spans().1;
        latitudes_of(1).max >= latitudes.max
            && latitudes_of(-1).min <= latitudes.min
            && longitudes_of(1).max >= longitudes.max
            && longitudes_of(-1).min <= longitudes.min
    }

    fn score_range(&self) -> (f64, f64) {
        let shift = 2 * (STEP_MAX - self.step);
        (
            (self.bits << shift) as f64,
            ((self.bits + 1) << shift) as f64,
        )
    }
}

/// Spreads the bits of a number to the even places.
fn spread(number: u32) -> u64 {
    [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, LATITUDE_BITS),
    ]
    .iter()
    .fold(u64::from(number), |bits, (shift, mask)| {
        (bits | bits << shift) & mask
    })
}

/// Collects the bits in the even places.
fn gather(bits: u64) -> u32 {
    [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff),
    ]
    .iter()
    .fold(bits & LATITUDE_BITS, |bits, (shift, mask)| {
        (bits | bits >> shift) & mask
    }) as u32
}

/// Degrees as radians. The standard library's conversions round differently.
fn radians(degrees: f64) -> f64 {
    degrees * (PI / 180.0)
}

fn degrees(radians: f64) -> f64 {
    radians / (PI / 180.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(longitude: f64, latitude: f64) -> Point {
        Point {
            longitude,
            latitude,
        }
    }

    const PALERMO: Point = Point {
        longitude: 13.361389,
        latitude: 38.115556,
    };
    const CATANIA: Point = Point {
        longitude: 15.087269,
        latitude: 37.502669,
    };

    #[test]
    fn scores_positions_and_texts_are_those_of_redis() {
        // GEOADD, then ZSCORE, GEOPOS and GEOHASH on redis-server 7.0.15.
        let facts = [
            (
                PALERMO,
                3479099956230698.0,
                point(13.361389338970184, 38.1155563954963),
                b"sqc8b49rny0",
            ),
            (
                CATANIA,
                3479447370796909.0,
                point(15.087267458438873, 37.50266842333162),
                b"sqdtr74hyu0",
            ),
            (
                point(0.0, 0.0),
                3377699720527872.0,
                point(2.682209014892578e-6, 1.2673605809254695e-6),
                b"s0000000000",
            ),
            (
                point(-180.0, -85.05112878),
                0.0,
                point(-179.99999731779099, -85.05112751263943),
                b"00bh0hbj200",
            ),
            // The far corner is one part beyond the last.
            (
                point(180.0, 85.05112878),
                13510798882111488.0,
                point(180.0, 85.05112878),
                b"bp05b5048p0",
            ),
        ];
        for (place, score, position, text) in facts {
            assert!(place.is_valid());
            assert_eq!(place.to_score(), score);
            let decoded = Point::from_score(score);
            assert_eq!(decoded, position);
            assert_eq!(&decoded.to_text(), text);
        }
    }

    #[test]
    fn places_beyond_the_map_are_invalid() {
        for (longitude, latitude) in [(180.1, 0.0), (-180.1, 0.0), (0.0, 85.06), (f64::NAN, 0.0)] {
            assert!(!point(longitude, latitude).is_valid());
        }
    }

    #[test]
    fn scores_that_are_no_places_still_decode() {
        let (first, last) = (Point::from_score(0.0), point(180.0, 85.05112878));
        let beyond_east = point(180.0, first.latitude);
        let facts = [
            (-1.0, last),
            (9.3e18, last),
            (f64::INFINITY, first),
            (1e300, first),
            (-1e300, beyond_east),
        ];
        for (score, place) in facts {
            assert_eq!(Point::from_score(score), place, "{score}");
        }
    }

    #[test]
    fn distances_are_those_on_a_sphere() {
        let (palermo, catania) = (
            Point::from_score(PALERMO.to_score()),
            Point::from_score(CATANIA.to_score()),
        );
        let meters = palermo.distance_meters(&catania);
        assert_eq!((meters * 10_000.0).round(), 1_662_741_516.0);
        assert_eq!(palermo.distance_meters(&palermo), 0.0);
        assert_eq!(
            point(5.0, -1.0).distance_meters(&point(5.0, 1.0)),
            EARTH_RADIUS_METERS * (PI / 90.0)
        );
        assert_eq!(meters_per_unit(b"KM"), Some(1000.0));
        assert_eq!(meters_per_unit(b"miles"), None);
    }

    fn search(center: Point, shape: Shape) -> Search {
        Search {
            center,
            shape,
            meters_per_unit: 1.0,
        }
    }

    #[test]
    fn a_small_search_away_from_borders_reads_few_cells() {
        let ranges = search(point(15.0, 37.0), Shape::Circle { radius: 200_000.0 }).score_ranges();
        assert_eq!(ranges.len(), 4);
        for place in [PALERMO, CATANIA] {
            let score = place.to_score();
            assert!(ranges.iter().any(|&(from, to)| from <= score && score < to));
        }
    }

    #[test]
    fn a_box_is_measured_along_parallel_and_meridian() {
        let square = search(
            point(0.0, 0.0),
            Shape::Box {
                width: 200_000.0,
                height: 100_000.0,
            },
        );
        assert!(square.distance_within(&point(0.89, 0.44)).is_some());
        assert_eq!(square.distance_within(&point(0.91, 0.0)), None);
        assert_eq!(square.distance_within(&point(0.0, 0.46)), None);
    }

    proptest! {
        #[test]
        fn a_search_reads_each_place_within_it_once(
            center in (-180.0..180.0, -80.0..80.0),
            away in (-3.0..3.0, -3.0..3.0),
            radius in 1.0..300_000.0,
            is_box: bool,
        ) {
            let center = point(center.0, center.1);
            let place = point(center.longitude + away.0, center.latitude + away.1);
            prop_assume!(place.is_valid());
            let shape = if is_box {
                Shape::Box { width: radius * 2.0, height: radius }
            } else {
                Shape::Circle { radius }
            };
            let search = search(center, shape);
            let score = place.to_score();
            let reads = search.score_ranges().iter().filter(|&&(from, to)| from <= score && score < to).count();
            let inside = search.distance_within(&Point::from_score(score)).is_some();
            prop_assert!(reads <= 1);
            prop_assert!(!inside || reads == 1);
        }

        #[test]
        fn decoding_finds_the_cell_again(longitude in -180.0..180.0, latitude in -85.05..85.05) {
            let score = point(longitude, latitude).to_score();
            let decoded = Point::from_score(score);
            prop_assert_eq!(decoded.to_score(), score);
            prop_assert!((decoded.longitude - longitude).abs() < 1e-5);
            prop_assert!((decoded.latitude - latitude).abs() < 1e-5);
        }

        #[test]
        fn no_score_or_shape_upsets_it(score: f64, width: f64, height: f64, unit: f64) {
            let center = Point::from_score(score);
            for shape in [Shape::Circle { radius: width }, Shape::Box { width, height }] {
                let search = Search { center, shape, meters_per_unit: unit };
                let _ = search.distance_within(&PALERMO);
                prop_assert!(search.score_ranges().len() <= 9);
            }
        }
    }
}
