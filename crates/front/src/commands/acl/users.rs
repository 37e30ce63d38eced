//! ACL SETUSER, DELUSER, LOAD and SAVE: changing users.

use super::ADMIN;
use crate::acl::{UserRuleError, merge_selector_words};
use crate::command::*;
use crate::{FrontContext, FrontHandler};

pub(super) static DELUSER: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "deluser",
        group: Group::Server,
        summary: "Deletes users and closes their connections.",
        since: "6.0.0",
        complexity: "O(1) amortized time considering the typical user.",
        arity: -3,
        flags: ADMIN,
        args: &[Arg::string("username").multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(deluser),
};

pub(super) static LOAD: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "load",
        group: Group::Server,
        summary: "Reads the users from the ACL file again.",
        since: "6.0.0",
        complexity: "O(N). Where N is the number of configured users.",
        arity: 2,
        flags: ADMIN,
        ..CommandSpec::BLANK
    },
    body: Body::Run(load),
};

pub(super) static SAVE: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "save",
        group: Group::Server,
        summary: "Writes the users to the ACL file.",
        since: "6.0.0",
        complexity: "O(N). Where N is the number of configured users.",
        arity: 2,
        flags: ADMIN,
        ..CommandSpec::BLANK
    },
    body: Body::Run(save),
};

pub(super) static SETUSER: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "setuser",
        group: Group::Server,
        summary: "Makes a user or changes its rules.",
        since: "6.0.0",
        complexity: "O(N). Where N is the number of rules provided.",
        arity: -3,
        flags: ADMIN,
        args: &[
            Arg::string("username"),
            Arg::string("rule").optional().multiple(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(setuser),
};

fn setuser(cx: &mut FrontContext<'_>) -> CommandResult {
    let name = cx.args[2];
    let unwritable = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, 0 | 0x0b);
    if name.iter().any(unwritable) {
        return Err(CommandError::text(
            "ERR Usernames can't contain spaces or null characters",
        ));
    }
    let rules = merge_selector_words(&cx.args[3..]).map_err(|selector| {
        CommandError::quoting(&[
            b"ERR Unmatched parenthesis in acl selector starting at '",
            &selector,
            b"'.",
        ])
    })?;
    let front = &mut *cx.front;
    let user = front.acl.set_user(&front.table, name, &rules).map_err(
        |UserRuleError { rule, error }| {
            CommandError::quoting(&[
                b"ERR Error in ACL SETUSER modifier '",
                &rule,
                b"': ",
                error.to_string().as_bytes(),
            ])
        },
    )?;
    front.close_listeners_without_permission(user, cx.client);
    cx.reply.ok();
    Ok(())
}

fn deluser(cx: &mut FrontContext<'_>) -> CommandResult {
    let names = &cx.args[2..];
    if names.contains(&b"default".as_slice()) {
        return Err(CommandError::text(
            "ERR The 'default' user cannot be removed",
        ));
    }
    let mut deleted = 0;
    for name in names {
        if let Some(user) = cx.front.acl.delete_user(name) {
            cx.front.close_clients_of(&[user], cx.client);
            deleted += 1;
        }
    }
    cx.reply.integer(deleted);
    Ok(())
}

fn need_a_file(cx: &FrontContext<'_>) -> CommandResult {
    match cx.front.acl.file.is_empty() {
        false => Ok(()),
        true => Err(CommandError::text(
            "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL \
             SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in \
             order to store users in the Redis configuration.",
        )),
    }
}

fn load(cx: &mut FrontContext<'_>) -> CommandResult {
    need_a_file(cx)?;
    let front = &mut *cx.front;
    let gone = front
        .acl
        .load(&front.table)
        .map_err(|report| CommandError::err(report.replace(['\r', '\n'], " ")))?;
    front.close_clients_of(&gone, cx.client);
    cx.reply.ok();
    Ok(())
}

fn save(cx: &mut FrontContext<'_>) -> CommandResult {
    need_a_file(cx)?;
    if let Err(error) = cx.front.acl.save(&cx.front.table) {
        crate::log_warning!("Saving the users to {}: {error}", cx.front.acl.file);
        return Err(CommandError::text(
            "ERR There was an error trying to save the ACLs. Please check the server logs for more information",
        ));
    }
    cx.reply.ok();
    Ok(())
}
