//! CLIENT LIST and CLIENT INFO: the facts about connections.

use super::{ADMIN_ANY_TIME, ANY_TIME, parse_class};
use crate::command::*;
use crate::{ClientKey, client_info};
use crate::{FrontContext, FrontHandler};

pub(super) static LIST: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "list",
        group: Group::Connection,
        summary: "Returns the facts about all connections, or some of them.",
        since: "2.4.0",
        complexity: "O(N) where N is the number of connections",
        arity: -2,
        flags: ADMIN_ANY_TIME,
        categories: Categories::CONNECTION,
        args: &[
            Arg::one_of(
                "normal_master_replica_pubsub",
                &[
                    Arg::flag("normal", "NORMAL"),
                    Arg::flag("master", "MASTER"),
                    Arg::flag("replica", "REPLICA"),
                    Arg::flag("pubsub", "PUBSUB"),
                ],
            )
            .token("TYPE")
            .optional()
            .since("5.0.0"),
            Arg::block("id", &[Arg::integer("client-id").multiple()])
                .token("ID")
                .optional()
                .since("6.2.0"),
        ],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(list),
};

pub(super) static INFO: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "info",
        group: Group::Connection,
        summary: "Returns the facts about this connection.",
        since: "6.2.0",
        complexity: "O(1)",
        arity: 2,
        flags: ANY_TIME,
        categories: Categories::CONNECTION,
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(info),
};

fn info(cx: &mut FrontContext<'_>) -> CommandResult {
    let text = lines(cx, &[cx.client]);
    cx.reply.verbatim(b"txt", text);
    Ok(())
}

fn list(cx: &mut FrontContext<'_>) -> CommandResult {
    let clients = &cx.front.clients;
    let chosen = match &cx.args[2..] {
        [] => clients.keys_by_age(),
        [option, class] if option.eq_ignore_ascii_case(b"type") => {
            let class = parse_class(class)?;
            let is_of = |key: &ClientKey| {
                clients
                    .get(*key)
                    .is_some_and(|client| client.shown_class() == class)
            };
            clients.keys_by_age().into_iter().filter(is_of).collect()
        }
        [option, ids @ ..] if option.eq_ignore_ascii_case(b"id") && !ids.is_empty() => {
            let ids: Option<Vec<i64>> = ids.iter().map(|word| parse_integer(word).ok()).collect();
            let ids = ids.ok_or(CommandError::text("ERR Invalid client ID"))?;
            let by_id = ids.into_iter().filter_map(|id| u64::try_from(id).ok());
            by_id.filter_map(|id| clients.by_id(id)).collect()
        }
        _ => return Err(CommandError::Syntax),
    };
    let text = lines(cx, &chosen);
    cx.reply.verbatim(b"txt", text);
    Ok(())
}

/// A line for each of these clients, but for those on their way out.
fn lines(cx: &FrontContext<'_>, chosen: &[ClientKey]) -> Vec<u8> {
    let front = &cx.front;
    let mut text = Vec::new();
    for &key in chosen {
        let Some(client) = front.clients.get(key).filter(|client| !client.close_asap) else {
            continue;
        };
        let argument_bytes = match key == cx.client {
            true => cx.args.iter().map(|arg| arg.len()).sum(),
            false => client.argument_bytes(),
        };
        client_info::write_line(&mut text, client, argument_bytes, front);
        text.push(b'\n');
    }
    text
}
