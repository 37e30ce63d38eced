//! The patterns of SORT: `weight_*`, `user_*->name`, `#`.

use store::db::Db;

/// Where to look for what belongs to an element.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pattern<'a> {
    /// `#`: the element itself.
    Element,
    /// Without a star it finds nothing.
    Nothing,
    /// The string at the key with the element in the star's place, or a field of the hash there.
    Key {
        before: &'a [u8],
        behind: &'a [u8],
        field: Option<&'a [u8]>,
    },
}

impl<'a> Pattern<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Pattern<'a> {
        if text == b"#" {
            return Pattern::Element;
        }
        // Redis looks for these marks in a C string.
        let visible = text.split(|&byte| byte == 0).next().unwrap_or_default();
        let Some(star) = memchr::memchr(b'*', visible) else {
            return Pattern::Nothing;
        };
        let arrow = memchr::memmem::find(&visible[star + 1..], b"->")
            .map(|at| star + 1 + at)
            .filter(|at| at + 2 < visible.len());
        Pattern::Key {
            before: &text[..star],
            behind: &text[star + 1..arrow.unwrap_or(text.len())],
            field: arrow.map(|at| &text[at + 2..]),
        }
    }

    /// Whether a star makes this depend on the element.
    pub(super) fn has_star(&self) -> bool {
        matches!(self, Pattern::Key { .. })
    }

    /// What the pattern finds for an element.
    pub(super) fn lookup(&self, db: &mut Db, element: &[u8]) -> Option<Vec<u8>> {
        match self {
            Pattern::Element => Some(element.to_vec()),
            Pattern::Nothing => None,
            Pattern::Key {
                before,
                behind,
                field,
            } => {
                let key = [before, element, behind].concat();
                match field {
                    Some(field) => db
                        .hash(&key)
                        .ok()??
                        .get(field)
                        .map(|value| value.into_owned()),
                    None => db.string(&key).ok()?.map(|string| string.to_vec()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key<'a>(before: &'a str, behind: &'a str, field: Option<&'a str>) -> Pattern<'a> {
        Pattern::Key {
            before: before.as_bytes(),
            behind: behind.as_bytes(),
            field: field.map(str::as_bytes),
        }
    }

    #[test]
    fn a_pattern_is_a_key_around_a_star_and_maybe_a_field() {
        assert_eq!(Pattern::parse(b"#"), Pattern::Element);
        assert_eq!(Pattern::parse(b"##"), Pattern::Nothing);
        assert_eq!(Pattern::parse(b""), Pattern::Nothing);
        assert_eq!(Pattern::parse(b"*"), key("", "", None));
        assert_eq!(Pattern::parse(b"a*b*"), key("a", "b*", None));
        assert_eq!(Pattern::parse(b"a_*->f"), key("a_", "", Some("f")));
        assert_eq!(Pattern::parse(b"a->*b->->f"), key("a->", "b", Some("->f")));
        assert_eq!(Pattern::parse(b"a*->"), key("a", "->", None));
        assert_eq!(Pattern::parse(b"a->b"), Pattern::Nothing);
        assert_eq!(Pattern::parse(b"a\0*"), Pattern::Nothing);
    }
}
