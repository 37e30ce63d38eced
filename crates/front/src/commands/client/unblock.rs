//! CLIENT UNBLOCK: ends another client's wait.

use super::ADMIN_ANY_TIME;
use crate::client::BlockReason;
use crate::command::*;
use crate::{FrontContext, FrontHandler, OwnerTask};

pub(super) static UNBLOCK: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "unblock",
        group: Group::Connection,
        summary: "Ends the wait of a blocked client.",
        since: "5.0.0",
        complexity: "O(log N) where N is the number of connections",
        arity: -3,
        flags: ADMIN_ANY_TIME,
        categories: Categories::CONNECTION,
        args: &[
            Arg::integer("client-id"),
            Arg::one_of(
                "timeout_error",
                &[Arg::flag("timeout", "TIMEOUT"), Arg::flag("error", "ERROR")],
            )
            .optional(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(unblock),
};

fn unblock(cx: &mut FrontContext<'_>) -> CommandResult {
    let with_error = match cx.args[3..] {
        [] => false,
        [reason] if reason.eq_ignore_ascii_case(b"timeout") => false,
        [reason] if reason.eq_ignore_ascii_case(b"error") => true,
        [_] => {
            return Err(CommandError::text(
                "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR",
            ));
        }
        _ => return Err(unknown_subcommand_or_arity(cx.args)),
    };
    let id = parse_integer(cx.args[2])?;
    let clients = &cx.front.clients;
    let waiting = u64::try_from(id)
        .ok()
        .and_then(|id| clients.by_id(id))
        .filter(|&key| {
            let blocked = clients.get(key).and_then(|client| client.blocked.as_ref());
            // A pause or a shutdown is nobody's to end for one client.
            blocked.is_some_and(|blocked| {
                matches!(
                    blocked.reason,
                    BlockReason::Keys | BlockReason::Replicas { .. }
                )
            })
        });
    if let Some(client) = waiting {
        cx.front
            .ask_owner(OwnerTask::EndWait { client, with_error });
    }
    cx.reply.integer(i64::from(waiting.is_some()));
    Ok(())
}
