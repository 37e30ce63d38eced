//! PFDEBUG and PFSELFTEST: a look inside HyperLogLogs, for tests.

use super::count::{load, save, wire_error};
use crate::commands::prelude::*;
use store::hyperloglog::{self, Encoding};

pub(super) static PFDEBUG: Command = Command {
    spec: CommandSpec {
        name: "pfdebug",
        group: Group::HyperLogLog,
        summary: "Shows how a HyperLogLog is kept, for tests.",
        since: "2.8.9",
        complexity: "O(N)",
        arity: 3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::ADMIN),
        categories: Categories::HYPERLOGLOG,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::ACCESS), 2)],
        args: &[Arg::string("subcommand"), Arg::key("key", 0)],
        internal: true,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(pfdebug)),
};

pub(super) static PFSELFTEST: Command = Command {
    spec: CommandSpec {
        name: "pfselftest",
        group: Group::HyperLogLog,
        summary: "Checks the HyperLogLog arithmetic, for tests.",
        since: "2.8.9",
        complexity: "O(N)",
        arity: 1,
        flags: Flags::ADMIN,
        categories: Categories::HYPERLOGLOG,
        internal: true,
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(pfselftest)),
};

fn pfdebug(cx: &mut DataContext<'_>) -> CommandResult {
    let key = cx.args[2];
    let Some(mut bytes) = load(cx, key)? else {
        return Err(CommandError::text("ERR The specified key does not exist"));
    };
    let mut become_dense = |cx: &mut DataContext<'_>| {
        let changed = hyperloglog::to_dense(&mut bytes).map_err(wire_error)?;
        if changed {
            save(cx, key, bytes.clone());
            cx.effects.changed(key);
        }
        Ok(changed)
    };
    match cx.args[1].to_ascii_uppercase().as_slice() {
        b"GETREG" => {
            become_dense(cx)?;
            let registers = hyperloglog::registers(&bytes).map_err(wire_error)?;
            cx.reply.array(registers.len());
            for register in registers {
                cx.reply.integer(i64::from(register));
            }
        }
        b"DECODE" => match hyperloglog::describe_sparse(&bytes).map_err(wire_error)? {
            Some(text) => cx.reply.bulk(text),
            None => return Err(CommandError::text("ERR HLL encoding is not sparse")),
        },
        b"ENCODING" => {
            let encoding = hyperloglog::encoding(&bytes).map_err(wire_error)?;
            cx.reply.simple(match encoding {
                Encoding::Dense => "dense",
                Encoding::Sparse => "sparse",
            });
        }
        b"TODENSE" => {
            let changed = become_dense(cx)?;
            cx.reply.integer(i64::from(changed));
        }
        _ => {
            return Err(CommandError::quoting(&[
                b"ERR Unknown PFDEBUG subcommand '",
                cx.args[1],
                b"'",
            ]));
        }
    }
    Ok(())
}

fn pfselftest(cx: &mut DataContext<'_>) -> CommandResult {
    hyperloglog::self_test()
        .map_err(|failure| CommandError::Text(format!("TESTFAILED {failure}").into()))?;
    cx.reply.ok();
    Ok(())
}
