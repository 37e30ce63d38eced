//! CLIENT KILL: closes connections, by address or by filters.

use super::{ADMIN_ANY_TIME, parse_class};
use crate::acl::{Acl, UserId};
use crate::command::*;
use crate::{Client, ClientClass, ClientKey};
use crate::{FrontContext, FrontHandler};

pub(super) static KILL: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "kill",
        group: Group::Connection,
        summary: "Closes connections.",
        since: "2.4.0",
        complexity: "O(N) where N is the number of connections",
        arity: -3,
        flags: ADMIN_ANY_TIME,
        categories: Categories::CONNECTION,
        args: &[Arg::one_of(
            "filter",
            &[
                Arg::string("ip:port").deprecated_since("2.8.12"),
                Arg::one_of(
                    "new-format",
                    &[
                        Arg::integer("client-id")
                            .token("ID")
                            .optional()
                            .since("2.8.12"),
                        Arg::one_of(
                            "normal_master_slave_pubsub",
                            &[
                                Arg::flag("normal", "NORMAL"),
                                Arg::flag("master", "MASTER").since("3.2.0"),
                                Arg::flag("slave", "SLAVE"),
                                Arg::flag("replica", "REPLICA").since("5.0.0"),
                                Arg::flag("pubsub", "PUBSUB"),
                            ],
                        )
                        .token("TYPE")
                        .optional()
                        .since("2.8.12"),
                        Arg::string("username").token("USER").optional(),
                        Arg::string("ip:port").token("ADDR").optional(),
                        Arg::string("ip:port")
                            .token("LADDR")
                            .optional()
                            .since("6.2.0"),
                        Arg::string("yes/no").token("SKIPME").optional(),
                    ],
                )
                .multiple(),
            ],
        )],
        ..CommandSpec::BLANK
    },
    body: Body::Run(kill),
};

/// Which clients a request means; each filter that is given must fit.
#[derive(Debug, Default, PartialEq)]
struct Filters<'a> {
    id: Option<u64>,
    class: Option<ClientClass>,
    user: Option<UserId>,
    addr: Option<&'a [u8]>,
    laddr: Option<&'a [u8]>,
    /// Also the client that asks.
    including_me: bool,
}

impl<'a> Filters<'a> {
    fn parse(words: &[&'a [u8]], acl: &Acl) -> Result<Filters<'a>, CommandError> {
        let mut filters = Filters::default();
        for pair in words.chunks(2) {
            let [option, value] = *pair else {
                return Err(CommandError::Syntax);
            };
            match option.to_ascii_lowercase().as_slice() {
                b"id" => filters.id = Some(parse_id(value)?),
                b"type" => filters.class = Some(parse_class(value)?),
                b"addr" => filters.addr = Some(value),
                b"laddr" => filters.laddr = Some(value),
                b"user" => filters.user = Some(known_user(value, acl)?),
                b"skipme" => {
                    filters.including_me = match value.to_ascii_lowercase().as_slice() {
                        b"yes" => false,
                        b"no" => true,
                        _ => return Err(CommandError::Syntax),
                    }
                }
                _ => return Err(CommandError::Syntax),
            }
        }
        Ok(filters)
    }

    fn fit(&self, client: &Client, me: ClientKey) -> bool {
        self.id.is_none_or(|id| client.id == id)
            && self.class.is_none_or(|class| client.shown_class() == class)
            && self.user.is_none_or(|user| client.user == user)
            && self.addr.is_none_or(|addr| client.addr.as_bytes() == addr)
            && self
                .laddr
                .is_none_or(|addr| client.laddr.as_bytes() == addr)
            && (self.including_me || client.key != me)
    }
}

fn parse_id(word: &[u8]) -> Result<u64, CommandError> {
    parse_integer(word)
        .ok()
        .and_then(|id| u64::try_from(id).ok())
        .filter(|&id| id > 0)
        .ok_or(CommandError::text("ERR client-id should be greater than 0"))
}

fn known_user(name: &[u8], acl: &Acl) -> Result<UserId, CommandError> {
    match acl.by_name(name) {
        Some((id, _)) => Ok(id),
        None => Err(CommandError::quoting(&[b"ERR No such user '", name, b"'"])),
    }
}

fn kill(cx: &mut FrontContext<'_>) -> CommandResult {
    let (filters, old_form) = match &cx.args[2..] {
        // The old form names one client, itself included, and complains if there is none.
        [addr] => (
            Filters {
                addr: Some(addr),
                including_me: true,
                ..Filters::default()
            },
            true,
        ),
        words => (Filters::parse(words, &cx.front.acl)?, false),
    };
    let mut chosen: Vec<ClientKey> = cx
        .front
        .clients
        .iter()
        .filter(|client| !client.close_asap && filters.fit(client, cx.client))
        .map(|client| client.key)
        .collect();
    if old_form {
        chosen.truncate(1);
    }
    for &key in &chosen {
        if key == cx.client {
            // It still gets the answer.
            cx.client().close_after_reply = true;
        } else {
            cx.front.close_soon(key);
        }
    }
    match (old_form, chosen.len()) {
        (true, 0) => return Err(CommandError::text("ERR No such client")),
        (true, _) => cx.reply.ok(),
        (false, count) => cx.reply.integer(count as i64),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse<'a>(words: &[&'a [u8]]) -> Result<Filters<'a>, CommandError> {
        Filters::parse(words, &Acl::default())
    }

    #[test]
    fn filters_come_in_pairs_and_the_last_of_a_kind_counts() {
        let parsed = parse(&[b"ID", b"7", b"skipme", b"NO", b"id", b"8"]);
        let expected = Filters {
            id: Some(8),
            including_me: true,
            ..Filters::default()
        };
        assert_eq!(parsed, Ok(expected));
        assert_eq!(parse(&[b"ID"]), Err(CommandError::Syntax));
        assert_eq!(parse(&[b"MAXAGE", b"1"]), Err(CommandError::Syntax));
        assert!(parse(&[b"id", b"0"]).is_err());
        assert!(parse(&[b"id", b"-1"]).is_err());
        assert!(parse(&[b"user", b"nobody"]).is_err());
        assert!(parse(&[b"user", b"default"]).is_ok());
    }
}
