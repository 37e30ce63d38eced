//! The whole dataset of a server as clients see it, to compare two servers or one before and after.

use std::collections::BTreeMap;

use crate::{Connection, Reply, ReplyError, split_words};

/// Every key of every db with its type, encoding, value and expiry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dataset {
    entries: BTreeMap<(u32, Vec<u8>), Held>,
}

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    kind: String,
    encoding: String,
    /// Items in an order that does not depend on the server.
    value: Reply,
    /// Absolute milliseconds; -1 without.
    expiry: i64,
}

impl Dataset {
    /// Reads dbs 0 up to `dbs`. The connection ends up in db 0.
    ///
    /// # Errors
    /// As [`Connection::read`].
    ///
    /// # Panics
    /// When the server answers an error: it holds something the commands for its type cannot read.
    pub fn read(connection: &mut Connection, dbs: u32) -> Result<Dataset, ReplyError> {
        let mut entries = BTreeMap::new();
        for db in 0..dbs {
            let select = split_words(&format!("SELECT {db}"));
            let replies = connection.pipeline(&[select, split_words("KEYS *")])?;
            let keys: Vec<Vec<u8>> = replies[1]
                .items()
                .iter()
                .filter_map(|key| key.bytes().map(<[u8]>::to_vec))
                .collect();
            for chunk in keys.chunks(1000) {
                for (key, held) in chunk.iter().zip(read_keys(connection, chunk)?) {
                    entries.insert((db, key.clone()), held);
                }
            }
        }
        connection.call(&split_words("SELECT 0"))?;
        Ok(Dataset { entries })
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What differs in `other`, a line for each key. Expiries may differ by `slack_ms`: relative ones become absolute
    /// by the clock of whoever runs the command.
    pub fn differences(&self, other: &Dataset, slack_ms: i64) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, held) in &self.entries {
            match other.entries.get(name) {
                None => lines.push(format!("{} is missing: {held:?}", show(name))),
                Some(found) if !held.equals(found, slack_ms) => lines.push(format!(
                    "{} differs:\n    {held:?}\n    {found:?}",
                    show(name)
                )),
                Some(_) => {}
            }
        }
        let extra = other
            .entries
            .iter()
            .filter(|(name, _)| !self.entries.contains_key(*name));
        lines.extend(extra.map(|(name, held)| format!("{} is extra: {held:?}", show(name))));
        lines
    }
}

impl Held {
    fn equals(&self, other: &Held, slack_ms: i64) -> bool {
        let expiries_agree = (self.expiry < 0) == (other.expiry < 0)
            && self.expiry.abs_diff(other.expiry) <= slack_ms.unsigned_abs();
        expiries_agree
            && (&self.kind, &self.encoding, &self.value)
                == (&other.kind, &other.encoding, &other.value)
    }
}

fn show((db, key): &(u32, Vec<u8>)) -> String {
    format!("\"{}\" in db {db}", key.escape_ascii())
}

fn read_keys(connection: &mut Connection, keys: &[Vec<u8>]) -> Result<Vec<Held>, ReplyError> {
    let command = |words: &[&[u8]]| words.iter().map(|word| word.to_vec()).collect::<Vec<_>>();
    let about: Vec<_> = keys
        .iter()
        .flat_map(|key| {
            [
                command(&[b"TYPE", key]),
                command(&[b"OBJECT", b"ENCODING", key]),
                command(&[b"PEXPIRETIME", key]),
            ]
        })
        .collect();
    let about = connection.pipeline(&about)?;
    let values: Vec<_> = keys
        .iter()
        .zip(about.chunks(3))
        .map(|(key, about)| match about[0].bytes().unwrap_or_default() {
            b"string" => command(&[b"GET", key]),
            b"list" => command(&[b"LRANGE", key, b"0", b"-1"]),
            b"set" => command(&[b"SMEMBERS", key]),
            b"hash" => command(&[b"HGETALL", key]),
            b"zset" => command(&[b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"]),
            b"stream" => command(&[b"XRANGE", key, b"-", b"+"]),
            // Expired since KEYS named it.
            _ => command(&[b"ECHO", b""]),
        })
        .collect();
    let values = connection.pipeline(&values)?;
    Ok(about
        .chunks(3)
        .zip(values)
        .map(|(about, value)| {
            assert!(!value.is_error(), "a value cannot be read: {value:?}");
            let kind = about[0].text();
            Held {
                encoding: about[1].text(),
                value: match kind.as_str() {
                    "set" => value.unordered(),
                    "hash" => value.unordered_chunks(2),
                    _ => value,
                },
                expiry: about[2].integer().unwrap_or(-1),
                kind,
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Server;

    #[test]
    fn datasets_are_equal_until_one_key_differs() {
        let server = Server::redis(&[]);
        let mut connection = server.connect();
        for line in [
            "SET s v PX 100000",
            "RPUSH l a b",
            "SADD set x y z {long*30}",
            "HSET h f v g w",
            "ZADD z 1 a 2.5 b",
            "SELECT 3",
            "XADD x 1-1 f v",
        ] {
            assert!(!connection.run(line).is_error());
        }
        let before = Dataset::read(&mut connection, 16).unwrap();
        assert_eq!(before.len(), 6);
        assert!(!before.is_empty());
        let same = Dataset::read(&mut connection, 16).unwrap();
        assert_eq!(before.differences(&same, 0), [""; 0]);
        for (line, difference) in [
            ("SET s v PX 500000", "\"s\" in db 0 differs"),
            ("DEL l", "\"l\" in db 0 is missing"),
            ("SET new 1", "\"new\" in db 0 is extra"),
        ] {
            connection.run(line);
            let after = Dataset::read(&mut connection, 16).unwrap();
            let lines = before.differences(&after, 1000);
            assert!(
                lines.iter().any(|line| line.starts_with(difference)),
                "{lines:?}"
            );
        }
    }
}
