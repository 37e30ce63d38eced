//! CONFIG: see and change directives while the node runs.

use crate::commands::prelude::*;
use crate::config::{self, Config, DIRECTIVES, Directive, DirectiveFlag, DirectiveId, Extent};
use crate::server::Server;

pub(super) static CONFIG: Command = Command {
    spec: CommandSpec {
        name: "config",
        group: Group::Server,
        summary: "Holds the commands that see and change the configuration.",
        since: "2.0.0",
        complexity: "Depends on subcommand.",
        arity: -2,
        ..CommandSpec::BLANK
    },
    body: Body::Container(&[&GET, &HELP, &RESETSTAT, &REWRITE, &SET]),
};

const ADMIN: Flags = Flags::ADMIN
    .and(Flags::NOSCRIPT)
    .and(Flags::LOADING)
    .and(Flags::STALE);

static GET: Command = Command {
    spec: CommandSpec {
        name: "get",
        group: Group::Server,
        summary: "Returns the values of the directives that match.",
        since: "2.0.0",
        complexity: "O(N)",
        arity: -3,
        flags: ADMIN,
        args: &[Arg::block("parameter", &[Arg::string("parameter")]).multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(get)),
};

static SET: Command = Command {
    spec: CommandSpec {
        name: "set",
        group: Group::Server,
        summary: "Changes directives, all of them or none.",
        since: "2.0.0",
        complexity: "O(N)",
        arity: -4,
        flags: ADMIN,
        args: &[Arg::block(
            "parameter_value",
            &[Arg::string("parameter"), Arg::string("value")],
        )
        .multiple()],
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(set)),
};

static RESETSTAT: Command = Command {
    spec: CommandSpec {
        name: "resetstat",
        group: Group::Server,
        summary: "Sets the counters of INFO back to zero.",
        since: "2.0.0",
        arity: 2,
        flags: ADMIN,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(resetstat)),
};

static REWRITE: Command = Command {
    spec: CommandSpec {
        name: "rewrite",
        group: Group::Server,
        summary: "Writes the running configuration into its file.",
        since: "2.8.0",
        arity: 2,
        flags: ADMIN,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(rewrite)),
};

static HELP: Command = Command {
    spec: CommandSpec {
        name: "help",
        group: Group::Server,
        summary: "Explains the subcommands.",
        since: "5.0.0",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE),
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Server(help)),
};

fn get(cx: &mut ServerContext<'_>) -> CommandResult {
    // Names as the request spells them where it names one, as the table spells them where a pattern finds them.
    let mut shown: Vec<(String, DirectiveId)> = Vec::new();
    for (index, directive) in DIRECTIVES.iter().enumerate() {
        let id = DirectiveId(index as u16);
        for name in [directive.name, directive.alias] {
            if name.is_empty() {
                continue;
            }
            let found = cx.args[2..].iter().find_map(|pattern| {
                if pattern.eq_ignore_ascii_case(name.as_bytes()) {
                    return Some(String::from_utf8_lossy(pattern).into_owned());
                }
                (is_visible(directive, pattern)
                    && front::glob::matches(pattern, name.as_bytes(), true))
                .then(|| name.to_string())
            });
            if let Some(name) = found {
                shown.push((name, id));
            }
        }
    }
    cx.reply.map(shown.len());
    for (name, id) in shown {
        cx.reply.bulk(name);
        cx.reply.bulk(cx.server.config.print(id));
    }
    Ok(())
}

/// Whether a pattern may find the directive.
fn is_visible(directive: &Directive, pattern: &[u8]) -> bool {
    if directive.has(DirectiveFlag::Own) {
        return pattern.to_ascii_lowercase().starts_with(config::OWN_PREFIX);
    }
    !directive.has(DirectiveFlag::Hidden)
}

fn set(cx: &mut ServerContext<'_>) -> CommandResult {
    let words = &cx.args[2..];
    if !words.len().is_multiple_of(2) {
        return Err(CommandError::Syntax);
    }
    let mut changes: Vec<(DirectiveId, &[u8], String)> = Vec::new();
    for pair in words.chunks(2) {
        let name = String::from_utf8_lossy(pair[0]);
        let id = config::by_name(&name).ok_or_else(|| {
            CommandError::quoting(&[
                b"ERR Unknown option or number of arguments for CONFIG SET - '",
                pair[0],
                b"'",
            ])
        })?;
        if config::directive(id).has(DirectiveFlag::DenyLoading) && cx.server.is_loading() {
            return Err(CommandError::Loading);
        }
        let refusal = if changes.iter().any(|(other, ..)| *other == id) {
            Some("duplicate parameter")
        } else {
            refusal(cx, id)
        };
        if let Some(reason) = refusal {
            return Err(failed(&name, reason));
        }
        changes.push((id, pair[0], String::from_utf8_lossy(pair[1]).into_owned()));
    }
    let before = cx.server.config.clone();
    for (id, name, value) in &changes {
        if let Err(reason) = cx.server.config.set(*id, &[value]) {
            cx.server.config = before;
            return Err(failed(&String::from_utf8_lossy(name), &reason));
        }
    }
    if let Err((id, reason)) = cx.server.apply_config() {
        restore(cx.server, before);
        return Err(failed(config::directive(id).name, &reason));
    }
    if let Err((id, reason)) = cx.server.follow_addresses(&before) {
        restore(cx.server, before);
        return Err(failed(config::directive(id).name, &reason));
    }
    if let Err(reason) = cx.server.follow_appendonly() {
        restore(cx.server, before);
        return Err(failed("appendonly", &reason));
    }
    if cx.server.config.title_differs(&before) {
        crate::process_title::show(&cx.server.config);
    }
    cx.reply.ok();
    Ok(())
}

fn restore(server: &mut Server, before: Config) {
    server.config = before;
    if let Err((id, reason)) = server.apply_config() {
        front::log_warning!(
            "Restoring {} after a failed CONFIG SET: {reason}",
            config::directive(id).name
        );
    }
}

fn refusal(cx: &mut ServerContext<'_>, id: DirectiveId) -> Option<&'static str> {
    let directive = config::directive(id);
    if directive.has(DirectiveFlag::Immutable) {
        return Some("can't set immutable config");
    }
    if directive.has(DirectiveFlag::Protected) {
        let client = cx.server.front.clients.get(cx.client);
        let allowed = client.is_some_and(|client| {
            cx.server
                .allows_protected(config::ENABLE_PROTECTED_CONFIGS, client)
        });
        return (!allowed).then_some("can't set protected config");
    }
    None
}

fn failed(name: &str, reason: &str) -> CommandError {
    CommandError::err(format_args!(
        "CONFIG SET failed (possibly related to argument '{name}') - {reason}"
    ))
}

fn resetstat(cx: &mut ServerContext<'_>) -> CommandResult {
    cx.server.reset_stats();
    cx.reply.ok();
    Ok(())
}

fn rewrite(cx: &mut ServerContext<'_>) -> CommandResult {
    match cx.server.rewrite_config_file(Extent::Changed) {
        Ok(()) => {
            front::log_notice!("CONFIG REWRITE executed with success.");
            cx.reply.ok();
            Ok(())
        }
        Err(reason) => {
            front::log_warning!("CONFIG REWRITE failed: {reason}");
            Err(CommandError::err(reason))
        }
    }
}

fn help(cx: &mut ServerContext<'_>) -> CommandResult {
    let lines = [
        "CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "GET <pattern>",
        "    Show the directives whose names match the glob pattern.",
        "SET <directive> <value>",
        "    Change a directive.",
        "RESETSTAT",
        "    Set the counters of INFO back to zero.",
        "REWRITE",
        "    Write the running configuration into its file.",
        "HELP",
        "    Print this help.",
    ];
    cx.reply.array(lines.len());
    for line in lines {
        cx.reply.simple(line);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_directives_are_found_only_by_who_spells_their_prefix() {
        let own = config::directive(config::PLATFORM_KV_CONTAINER_GUARD);
        assert!(is_visible(own, b"platform-kv-*") && is_visible(own, b"Platform-KV-c*"));
        assert!(!is_visible(own, b"*") && !is_visible(own, b"p*"));
        assert!(is_visible(config::directive(config::PORT), b"*"));
    }
}
