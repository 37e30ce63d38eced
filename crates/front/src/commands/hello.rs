//! HELLO and AUTH: the beginning of a session.

use crate::command::*;
use crate::process::REDIS_VERSION;
use crate::{FrontContext, FrontHandler};

pub(crate) static HELLO: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "hello",
        group: Group::Connection,
        summary: "Introduces the client: protocol version, password, name.",
        since: "6.0.0",
        complexity: "O(1)",
        arity: -1,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::NO_AUTH)
            .and(Flags::ALLOW_BUSY),
        categories: Categories::CONNECTION,
        args: &[Arg::block(
            "arguments",
            &[
                Arg::integer("protover"),
                Arg::block(
                    "username_password",
                    &[Arg::string("username"), Arg::string("password")],
                )
                .token("AUTH")
                .optional(),
                Arg::string("clientname").token("SETNAME").optional(),
            ],
        )
        .optional()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(hello),
};

pub(crate) static AUTH: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "auth",
        group: Group::Connection,
        summary: "Gives the password.",
        since: "1.0.0",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::NO_AUTH)
            .and(Flags::ALLOW_BUSY),
        categories: Categories::CONNECTION,
        args: &[
            Arg::string("username").optional().since("6.0.0"),
            Arg::string("password"),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(auth),
};

const WRONG_PASSWORD: CommandError =
    CommandError::text("WRONGPASS invalid username-password pair or user is disabled.");

/// Logs the client in as a user.
fn authenticate(cx: &mut FrontContext<'_>, user: &[u8], password: &[u8]) -> CommandResult {
    let Some(user) = cx.front.acl.authenticate(user, password) else {
        cx.front.log_failed_login(cx.client, cx.args[0], user);
        return Err(WRONG_PASSWORD);
    };
    let client = cx.client();
    client.user = user;
    client.authenticated = true;
    Ok(())
}

fn auth(cx: &mut FrontContext<'_>) -> CommandResult {
    match *cx.args {
        [_, password] => {
            if cx.front.acl.default_user_needs_no_password() {
                return Err(CommandError::text(
                    "ERR AUTH <password> called without any password configured for the default user. Are you \
                     sure your configuration is correct?",
                ));
            }
            authenticate(cx, b"default", password)?;
        }
        [_, user, password] => authenticate(cx, user, password)?,
        _ => return Err(CommandError::Syntax),
    }
    cx.reply.ok();
    Ok(())
}

fn hello(cx: &mut FrontContext<'_>) -> CommandResult {
    let args = cx.args;
    let mut resp3 = cx.client().resp3;
    if let Some(version) = args.get(1) {
        resp3 = match parse_integer(version).ok() {
            Some(2) => false,
            Some(3) => true,
            Some(_) => return Err(CommandError::NoProto),
            None => {
                return Err(CommandError::text(
                    "ERR Protocol version is not an integer or out of range",
                ));
            }
        };
    }
    let mut name = None;
    let mut words = args.get(2..).unwrap_or_default().iter();
    while let Some(option) = words.next() {
        let rest = words.as_slice();
        if option.eq_ignore_ascii_case(b"AUTH") && rest.len() >= 2 {
            authenticate(cx, rest[0], rest[1])?;
            words = rest[2..].iter();
        } else if option.eq_ignore_ascii_case(b"SETNAME") && !rest.is_empty() {
            name = Some(rest[0].to_vec());
            words = rest[1..].iter();
        } else {
            return Err(CommandError::quoting(&[
                b"ERR Syntax error in HELLO option '",
                option,
                b"'",
            ]));
        }
    }
    if cx.front.needs_login(cx.client) {
        return Err(CommandError::text(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH \
             <user> <pass> option can be used to authenticate the client and select the RESP protocol version at \
             the same time",
        ));
    }
    if let Some(name) = name {
        check_name(&name)?;
        cx.client().name = name;
    }
    let identity = cx.front.identity;
    let client = cx.client();
    client.resp3 = resp3;
    let id = client.id as i64;
    cx.reply.set_resp3(resp3);
    cx.reply.map(6 + usize::from(identity.role.is_some()));
    for (field, value) in [("server", "redis"), ("version", REDIS_VERSION)] {
        cx.reply.bulk(field);
        cx.reply.bulk(value);
    }
    cx.reply.bulk("proto");
    cx.reply.integer(if resp3 { 3 } else { 2 });
    cx.reply.bulk("id");
    cx.reply.integer(id);
    cx.reply.bulk("mode");
    cx.reply.bulk(identity.mode);
    if let Some(role) = identity.role {
        cx.reply.bulk("role");
        cx.reply.bulk(role);
    }
    cx.reply.bulk("modules");
    cx.reply.array(0);
    Ok(())
}

/// A name shows up in CLIENT LIST, whose fields end at spaces and lines at newlines.
pub(crate) fn check_name(name: &[u8]) -> CommandResult {
    match name.iter().all(|byte| (b'!'..=b'~').contains(byte)) {
        true => Ok(()),
        false => Err(CommandError::text(
            "ERR Client names cannot contain spaces, newlines or special characters.",
        )),
    }
}
