//! ACL CAT, DRYRUN, GENPASS, GETUSER, HELP, LIST, USERS and WHOAMI: what there is and what would be allowed.

use super::{ADMIN, PLAIN, too_many_words};
use crate::acl::Selector;
use crate::command::*;
use crate::{FrontContext, FrontHandler};

pub(super) static CAT: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "cat",
        group: Group::Server,
        summary: "Lists the categories, or the commands of a category.",
        since: "6.0.0",
        complexity: "O(1) since the categories and commands are a fixed set.",
        arity: -2,
        flags: PLAIN,
        args: &[Arg::string("categoryname").optional()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(cat),
};

pub(super) static DRYRUN: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "dryrun",
        group: Group::Server,
        summary: "Tells whether a user may run a command, without running it.",
        since: "7.0.0",
        complexity: "O(1).",
        arity: -4,
        flags: ADMIN,
        args: &[
            Arg::string("username"),
            Arg::string("command"),
            Arg::string("arg").optional().multiple(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(dryrun),
};

pub(super) static GENPASS: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "genpass",
        group: Group::Server,
        summary: "Makes a password that nobody guesses.",
        since: "6.0.0",
        complexity: "O(1)",
        arity: -2,
        flags: PLAIN,
        args: &[Arg::integer("bits").optional()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(genpass),
};

pub(super) static GETUSER: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "getuser",
        group: Group::Server,
        summary: "Shows the rules of a user.",
        since: "6.0.0",
        complexity: "O(N). Where N is the number of password, command and pattern rules that the user has.",
        arity: 3,
        flags: ADMIN,
        args: &[Arg::string("username")],
        ..CommandSpec::BLANK
    },
    body: Body::Run(getuser),
};

pub(super) static HELP: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "help",
        group: Group::Server,
        summary: "Explains the subcommands.",
        since: "6.0.0",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE),
        ..CommandSpec::BLANK
    },
    body: Body::Run(help),
};

pub(super) static LIST: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "list",
        group: Group::Server,
        summary: "Shows every user as a line of an ACL file.",
        since: "6.0.0",
        complexity: "O(N). Where N is the number of configured users.",
        arity: 2,
        flags: ADMIN,
        ..CommandSpec::BLANK
    },
    body: Body::Run(list),
};

pub(super) static USERS: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "users",
        group: Group::Server,
        summary: "Lists the names of all users.",
        since: "6.0.0",
        complexity: "O(N). Where N is the number of configured users.",
        arity: 2,
        flags: ADMIN,
        ..CommandSpec::BLANK
    },
    body: Body::Run(users),
};

pub(super) static WHOAMI: Command<FrontHandler> = Command {
    spec: CommandSpec {
        name: "whoami",
        group: Group::Server,
        summary: "Returns the name of the connection's user.",
        since: "6.0.0",
        arity: 2,
        flags: PLAIN,
        ..CommandSpec::BLANK
    },
    body: Body::Run(whoami),
};

fn cat(cx: &mut FrontContext<'_>) -> CommandResult {
    match *cx.args {
        [_, _] => {
            cx.reply.array(Categories::ALL.len());
            for (_, name) in Categories::ALL {
                cx.reply.bulk(name);
            }
        }
        [_, _, name] => {
            let category = Categories::by_name(name)
                .ok_or_else(|| CommandError::quoting(&[b"ERR Unknown category '", name, b"'"]))?;
            let names: Vec<&str> = cx
                .front
                .table
                .iter()
                .filter(|(_, entry)| entry.categories.has(category))
                .map(|(_, entry)| entry.full_name.as_str())
                .collect();
            cx.reply.array(names.len());
            for name in names {
                cx.reply.bulk(name);
            }
        }
        _ => return Err(too_many_words(cx.args[1])),
    }
    Ok(())
}

fn dryrun(cx: &mut FrontContext<'_>) -> CommandResult {
    let (name, request) = (cx.args[2], &cx.args[3..]);
    let table = &cx.front.table;
    let (user, _) = cx
        .front
        .acl
        .by_name(name)
        .ok_or_else(|| CommandError::quoting(&[b"ERR User '", name, b"' not found"]))?;
    let Lookup::Found(command) = table.lookup(request) else {
        let parts: [&[u8]; 3] = [b"ERR Command '", request[0], b"' not found"];
        return Err(CommandError::quoting(&parts));
    };
    let entry = table.entry(command);
    if !entry.arity_accepts(request.len()) {
        return Err(CommandError::WrongArity(entry.full_name.clone()));
    }
    match cx.front.acl.check(table, user, command, request) {
        Ok(()) => cx.reply.ok(),
        Err(denied) => cx
            .reply
            .bulk(denied.dry_run_text(&entry.full_name, request)),
    }
    Ok(())
}

fn genpass(cx: &mut FrontContext<'_>) -> CommandResult {
    const MAX_BITS: i64 = 4096;
    let bits = match *cx.args {
        [_, _] => 256,
        [_, _, bits] => parse_integer(bits)?,
        _ => return Err(too_many_words(cx.args[1])),
    };
    if !(1..=MAX_BITS).contains(&bits) {
        return Err(CommandError::err(format_args!(
            "ACL GENPASS argument must be the number of bits for the output password, a positive number up to {MAX_BITS}"
        )));
    }
    let digits = (bits as usize).div_ceil(4);
    let mut random = vec![0; digits.div_ceil(2)];
    let mut filled = 0;
    while filled < random.len() {
        let flags = rustix::rand::GetRandomFlags::empty();
        filled += rustix::rand::getrandom(&mut random[filled..], flags)
            .map_err(|error| CommandError::err(format_args!("No randomness: {error}")))?;
    }
    let mut password: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    password.truncate(digits);
    cx.reply.bulk(password);
    Ok(())
}

fn getuser(cx: &mut FrontContext<'_>) -> CommandResult {
    let Some((_, user)) = cx.front.acl.by_name(cx.args[2]) else {
        cx.reply.null();
        return Ok(());
    };
    let (table, reply) = (&cx.front.table, &mut cx.reply);
    let permissions = |reply: &mut resp::Writer<'_>, selector: &Selector| {
        for (field, text) in [
            ("commands", selector.commands_text(table).into_bytes()),
            ("keys", selector.keys_text()),
            ("channels", selector.channels_text()),
        ] {
            reply.bulk(field);
            reply.bulk(text);
        }
    };
    let (root, selectors) = user
        .selectors()
        .split_first()
        .expect("there is a root selector");
    reply.map(6);
    reply.bulk("flags");
    reply.set(user.flags().count());
    for flag in user.flags() {
        reply.bulk(flag);
    }
    reply.bulk("passwords");
    reply.array(user.password_hashes().len());
    for hash in user.password_hashes() {
        reply.bulk(hash);
    }
    permissions(reply, root);
    reply.bulk("selectors");
    reply.array(selectors.len());
    for selector in selectors {
        reply.map(3);
        permissions(reply, selector);
    }
    Ok(())
}

fn list(cx: &mut FrontContext<'_>) -> CommandResult {
    let lines = cx.front.acl.lines(&cx.front.table);
    cx.reply.array(lines.len());
    for line in lines {
        cx.reply.bulk(line);
    }
    Ok(())
}

fn users(cx: &mut FrontContext<'_>) -> CommandResult {
    cx.reply.array(cx.front.acl.iter().count());
    for (name, _) in cx.front.acl.iter() {
        cx.reply.bulk(name);
    }
    Ok(())
}

fn whoami(cx: &mut FrontContext<'_>) -> CommandResult {
    let user = cx.client().user;
    cx.reply.bulk(cx.front.acl.name_of(user));
    Ok(())
}

fn help(cx: &mut FrontContext<'_>) -> CommandResult {
    let lines = [
        "ACL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "CAT [<category>]",
        "    List the categories, or the commands of one.",
        "DELUSER <username> [<username> ...]",
        "    Delete users and close their connections.",
        "DRYRUN <username> <command> [<arg> ...]",
        "    Tell whether a user may run a command.",
        "GETUSER <username>",
        "    Show the rules of a user.",
        "GENPASS [<bits>]",
        "    Make a random password, of 256 bits or as many as asked.",
        "LIST",
        "    Show every user as a line of an ACL file.",
        "LOAD",
        "    Read the users from the ACL file again.",
        "LOG [<count> | RESET]",
        "    Show what was denied lately, or forget it.",
        "SAVE",
        "    Write the users to the ACL file.",
        "SETUSER <username> <rule> [<rule> ...]",
        "    Make or change a user.",
        "USERS",
        "    List the names of all users.",
        "WHOAMI",
        "    Return the connection's user.",
        "HELP",
        "    Print this help.",
    ];
    cx.reply.array(lines.len());
    for line in lines {
        cx.reply.simple(line);
    }
    Ok(())
}
