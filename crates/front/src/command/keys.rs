//! Which arguments of a request are keys: derived from the key specs, so ACL checks, client-side caching and COMMAND
//! GETKEYS agree with what COMMAND INFO promises.

use super::spec::{BeginSearch, CommandSpec, FindKeys, KeyFlags, KeySpec};

/// One key among the arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Index among the arguments; the command name is 0.
    pub position: usize,
    /// What the command does with it.
    pub flags: KeyFlags,
}

/// The arguments do not have the form that the key specs describe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadKeys;

/// The most key specs a command has; GEORADIUS and SORT need them all.
pub const MAX_KEY_SPECS: usize = 3;

/// The keys of a request, without allocation unless the command has an own key function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPositions {
    /// What each key spec found; unused places are empty ranges.
    Ranges([KeyRange; MAX_KEY_SPECS]),
    /// What the command's own function found.
    Listed(Vec<Key>),
}

/// Every `step`-th argument from `start` to before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRange {
    start: usize,
    end: usize,
    step: usize,
    flags: KeyFlags,
}

impl KeyRange {
    const EMPTY: KeyRange = KeyRange {
        start: 0,
        end: 0,
        step: 1,
        flags: KeyFlags::NONE,
    };

    fn iter(self) -> impl Iterator<Item = Key> {
        let flags = self.flags;
        (self.start..self.end)
            .step_by(self.step)
            .map(move |position| Key { position, flags })
    }
}

impl KeyPositions {
    /// The keys in the order in which COMMAND GETKEYS lists them.
    pub fn iter(&self) -> impl Iterator<Item = Key> {
        let (ranges, listed): (&[KeyRange], &[Key]) = match self {
            KeyPositions::Ranges(ranges) => (ranges, &[]),
            KeyPositions::Listed(keys) => (&[], keys),
        };
        ranges
            .iter()
            .flat_map(|range| range.iter())
            .chain(listed.iter().copied())
    }

    /// How many keys there are.
    pub fn count(&self) -> usize {
        self.iter().count()
    }

    /// Whether the request names no key.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

/// The keys of a request. A command without keys has none; that is no error.
///
/// # Errors
/// If the arguments do not fit the key specs, as when a count of keys is no number or too large.
pub fn key_positions(spec: &CommandSpec, args: &[&[u8]]) -> Result<KeyPositions, BadKeys> {
    if let Some(keys_fn) = spec.keys_fn {
        let keys = keys_fn(args).ok_or(BadKeys)?;
        let keys = keys
            .into_iter()
            .map(|(position, flags)| Key { position, flags });
        return Ok(KeyPositions::Listed(keys.collect()));
    }
    let mut ranges = [KeyRange::EMPTY; MAX_KEY_SPECS];
    let real_keys = spec
        .keys
        .iter()
        .filter(|key| !key.flags.has(KeyFlags::NOT_KEY));
    for (range, key_spec) in ranges.iter_mut().zip(real_keys) {
        *range = range_of(key_spec, args)?;
    }
    Ok(KeyPositions::Ranges(ranges))
}

/// Where the first key probably is: a hint for loading it into the cache ahead, cheap and without checks of the rest.
#[inline]
pub fn first_key(spec: &CommandSpec, args: &[&[u8]]) -> Option<usize> {
    let key_spec = spec.keys.first()?;
    let BeginSearch::Index(begin) = key_spec.begin else {
        return None;
    };
    let position = match key_spec.find {
        FindKeys::Range { .. } => begin as usize,
        FindKeys::KeyNum { first, .. } => (begin + first) as usize,
        FindKeys::Unknown => return None,
    };
    (position < args.len()).then_some(position)
}

/// Whether the command can name keys at all.
pub fn has_keys(spec: &CommandSpec) -> bool {
    spec.keys_fn.is_some()
        || spec
            .keys
            .iter()
            .any(|key| !key.flags.has(KeyFlags::NOT_KEY))
}

fn range_of(spec: &KeySpec, args: &[&[u8]]) -> Result<KeyRange, BadKeys> {
    let Some(begin) = begin_of(spec.begin, args)? else {
        return Ok(KeyRange::EMPTY);
    };
    let count = args.len() as i64;
    let (first, last, step) = match spec.find {
        FindKeys::Range { last, step, limit } => {
            let last = i64::from(last);
            let last = match limit {
                _ if last >= 0 => begin + last,
                // Below 2 there is no limit.
                0 | 1 => count + last,
                limit => begin + (count - begin) / i64::from(limit) + last,
            };
            (begin, last, step)
        }
        FindKeys::KeyNum {
            keynum,
            first,
            step,
        } => {
            let keys = usize::try_from(begin + i64::from(keynum))
                .ok()
                .and_then(|at| args.get(at))
                .and_then(|digits| key_count(digits))
                .ok_or(BadKeys)?;
            let first = begin + i64::from(first);
            (first, first + keys - 1, step)
        }
        FindKeys::Unknown => return Err(BadKeys),
    };
    let complete = !spec.flags.has(KeyFlags::INCOMPLETE);
    if !(complete && 0 < first && first <= last && last < count) {
        return Err(BadKeys);
    }
    let step = step.max(1) as usize;
    Ok(KeyRange {
        start: first as usize,
        end: last as usize + 1,
        step,
        flags: spec.flags,
    })
}

/// A number of keys as Redis writes integers: digits, no leading zero. Nine digits are more than any request has words.
fn key_count(digits: &[u8]) -> Option<i64> {
    match digits {
        [b'1'..=b'9', rest @ ..] if rest.len() < 9 && rest.iter().all(u8::is_ascii_digit) => Some(
            digits
                .iter()
                .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')),
        ),
        _ => None,
    }
}

/// The index where the keys of a spec begin, or `None` if its keyword is absent.
fn begin_of(begin: BeginSearch, args: &[&[u8]]) -> Result<Option<i64>, BadKeys> {
    let is = |word: &str, at: &usize| args[*at].eq_ignore_ascii_case(word.as_bytes());
    let keyword = match begin {
        BeginSearch::Index(index) => return Ok(Some(index.into())),
        BeginSearch::Unknown => return Err(BadKeys),
        // The last argument cannot be the keyword: nothing follows it.
        BeginSearch::Keyword(word, from) if from >= 0 => {
            (from as usize..args.len().saturating_sub(1)).find(|at| is(word, at))
        }
        BeginSearch::Keyword(word, from) => {
            let from = args.len().saturating_sub(from.unsigned_abs() as usize);
            (1..=from).rev().find(|at| is(word, at))
        }
    };
    Ok(keyword.map(|at| at as i64 + 1))
}

/// The keys in the form COMMAND INFO had before key specs: first, last (negative from the end), step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct KeyShape {
    pub first: i32,
    pub last: i32,
    pub step: i32,
    /// Whether these three cannot tell all keys: the `movablekeys` flag.
    pub movable: bool,
}

impl KeyShape {
    /// Merges the key specs that follow each other and have fixed places; any other makes the keys movable.
    pub fn of(specs: &[KeySpec]) -> KeyShape {
        let mut shape = KeyShape::default();
        for spec in specs {
            shape.movable |= spec.flags.has(KeyFlags::INCOMPLETE);
            let (BeginSearch::Index(first), FindKeys::Range { last, step, .. }) =
                (spec.begin, spec.find)
            else {
                shape.movable = true;
                continue;
            };
            let last = if last >= 0 { first + last } else { last };
            if specs.len() == 1 {
                return KeyShape {
                    first,
                    last,
                    step,
                    ..shape
                };
            }
            if step != 1 || (shape.last != 0 && shape.last != first - 1) {
                shape.movable = true;
                continue;
            }
            if shape.first == 0 {
                shape = KeyShape {
                    first,
                    step,
                    ..shape
                };
            }
            shape.last = last;
        }
        shape
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&[u8]> {
        text.split(' ').map(str::as_bytes).collect()
    }

    fn keys(specs: &'static [KeySpec], request: &str) -> Option<Vec<usize>> {
        let spec = CommandSpec {
            keys: specs,
            ..CommandSpec::BLANK
        };
        let found = key_positions(&spec, &words(request)).ok()?;
        Some(found.iter().map(|key| key.position).collect())
    }

    const RO: KeyFlags = KeyFlags::RO;

    #[test]
    fn a_range_ends_at_a_relative_place_or_counts_from_the_end() {
        assert_eq!(
            keys(const { &[KeySpec::one(RO, 1)] }, "get a"),
            Some(vec![1])
        );
        assert_eq!(
            keys(const { &[KeySpec::range(RO, 1, -1, 2)] }, "mset a 1 b 2"),
            Some(vec![1, 3])
        );
        assert_eq!(
            keys(const { &[KeySpec::range(RO, 1, -2, 1)] }, "blpop a b 0"),
            Some(vec![1, 2])
        );
        assert_eq!(
            keys(
                const { &[KeySpec::one(RO, 1), KeySpec::one(RO, 2)] },
                "copy a b"
            ),
            Some(vec![1, 2])
        );
        assert_eq!(keys(const { &[KeySpec::one(RO, 2)] }, "get a"), None);
        assert_eq!(
            keys(const { &[KeySpec::range(RO, 1, -2, 1)] }, "blpop 0"),
            None
        );
    }

    #[test]
    fn a_count_of_keys_must_fit_the_arguments() {
        const EVAL: &[KeySpec] = &[KeySpec::keynum(RO, 2)];
        assert_eq!(keys(EVAL, "eval script 2 a b c"), Some(vec![3, 4]));
        for bad in [
            "0",
            "-1",
            "4",
            "x",
            "9223372036854775807",
            "99999999999999999999",
        ] {
            assert_eq!(
                keys(EVAL, &format!("eval script {bad} a b c")),
                None,
                "{bad}"
            );
        }
        assert_eq!(keys(EVAL, "eval script"), None);
    }

    #[test]
    fn a_keyword_may_be_absent_and_a_limit_takes_a_fraction() {
        const FIND: FindKeys = FindKeys::Range {
            last: -1,
            step: 1,
            limit: 2,
        };
        const XREAD: &[KeySpec] = &[KeySpec::keyword(RO, "STREAMS", 1, FIND)];
        assert_eq!(
            keys(XREAD, "xread count 2 streams a b 0 0"),
            Some(vec![4, 5])
        );
        assert_eq!(keys(XREAD, "xread count 2"), Some(vec![]));
        assert_eq!(keys(XREAD, "xread count streams"), Some(vec![]));
        assert_eq!(keys(XREAD, "xread streams a"), None);
        const TAIL: FindKeys = FindKeys::Range {
            last: -1,
            step: 1,
            limit: 0,
        };
        const MIGRATE: &[KeySpec] = &[KeySpec::keyword(RO, "KEYS", -2, TAIL)];
        assert_eq!(keys(MIGRATE, "migrate h p x KEYS a b"), Some(vec![5, 6]));
        assert_eq!(keys(MIGRATE, "migrate"), Some(vec![]));
    }

    #[test]
    fn words_that_only_look_like_keys_are_left_out() {
        const SPEC: &[KeySpec] = &[KeySpec::one(RO.and(KeyFlags::NOT_KEY), 1)];
        assert_eq!(keys(SPEC, "spublish channel"), Some(vec![]));
        assert!(!has_keys(&CommandSpec {
            keys: SPEC,
            ..CommandSpec::BLANK
        }));
    }

    #[test]
    fn keys_that_no_spec_finds_come_from_the_commands_function() {
        let spec = CommandSpec {
            keys: const { &[KeySpec::unknown(KeyFlags::INCOMPLETE)] },
            keys_fn: Some(|args| (args.len() > 1).then(|| vec![(1, KeyFlags::RW)])),
            ..CommandSpec::BLANK
        };
        let found = key_positions(&spec, &words("sort k")).expect("it has an argument");
        assert_eq!(
            found,
            KeyPositions::Listed(vec![Key {
                position: 1,
                flags: KeyFlags::RW
            }])
        );
        assert_eq!(found.count(), 1);
        assert_eq!(key_positions(&spec, &words("sort")), Err(BadKeys));
    }

    #[test]
    fn the_first_key_is_known_without_reading_the_request() {
        let first = |keys, request| {
            first_key(
                &CommandSpec {
                    keys,
                    ..CommandSpec::BLANK
                },
                &words(request),
            )
        };
        assert_eq!(first(const { &[KeySpec::one(RO, 1)] }, "get a"), Some(1));
        assert_eq!(first(const { &[KeySpec::one(RO, 2)] }, "get a"), None);
        assert_eq!(
            first(const { &[KeySpec::keynum(RO, 1)] }, "zunion 1 a"),
            Some(2)
        );
        assert_eq!(first(&[], "ping"), None);
    }

    #[test]
    fn the_old_shape_merges_neighbours_and_calls_the_rest_movable() {
        let shape = |first, last, step, movable| KeyShape {
            first,
            last,
            step,
            movable,
        };
        assert_eq!(KeyShape::of(&[]), shape(0, 0, 0, false));
        assert_eq!(
            KeyShape::of(&[KeySpec::range(RO, 1, -1, 2)]),
            shape(1, -1, 2, false)
        );
        assert_eq!(
            KeyShape::of(&[KeySpec::one(RO, 1), KeySpec::range(RO, 2, -1, 1)]),
            shape(1, -1, 1, false)
        );
        assert_eq!(
            KeyShape::of(&[KeySpec::one(RO, 1), KeySpec::keynum(RO, 2)]),
            shape(1, 1, 1, true)
        );
        assert_eq!(
            KeyShape::of(&[KeySpec::keynum(RO, 2)]),
            shape(0, 0, 0, true)
        );
    }
}
