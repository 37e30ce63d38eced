//! PFADD, PFCOUNT, PFMERGE: counting distinct elements in little memory.

use crate::commands::prelude::*;
use store::db::Expiry;
use store::hyperloglog::{self, HllError, Union};
use store::value::{StringValue, Value};

pub(super) static PFADD: Command = Command {
    spec: CommandSpec {
        name: "pfadd",
        group: Group::HyperLogLog,
        summary: "Counts elements in.",
        since: "2.8.9",
        complexity: "O(1)",
        arity: -2,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::HYPERLOGLOG,
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::INSERT), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::string("element").optional().multiple(),
        ],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(pfadd)),
};

pub(super) static PFCOUNT: Command = Command {
    spec: CommandSpec {
        name: "pfcount",
        group: Group::HyperLogLog,
        summary: "Returns the estimated number of distinct elements.",
        since: "2.8.9",
        complexity: "O(1)",
        arity: -2,
        flags: Flags::READONLY.and(Flags::MAY_REPLICATE),
        categories: Categories::HYPERLOGLOG,
        keys: &[KeySpec::range(KeyFlags::RW.and(KeyFlags::ACCESS), 1, -1, 1)],
        args: &[Arg::key("key", 0).multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(pfcount)),
};

pub(super) static PFMERGE: Command = Command {
    spec: CommandSpec {
        name: "pfmerge",
        group: Group::HyperLogLog,
        summary: "Makes a key count what several others counted.",
        since: "2.8.9",
        complexity: "O(N)",
        arity: -2,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::HYPERLOGLOG,
        keys: &[
            KeySpec::one(KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::INSERT), 1),
            KeySpec::range(KeyFlags::RO.and(KeyFlags::ACCESS), 2, -1, 1),
        ],
        args: &[Arg::key("destkey", 0), Arg::key("sourcekey", 1).multiple()],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(pfmerge)),
};

pub(super) fn wire_error(error: HllError) -> CommandError {
    match error {
        HllError::NotHyperLogLog => {
            CommandError::text("WRONGTYPE Key is not a valid HyperLogLog string value.")
        }
        HllError::Corrupted => CommandError::text("INVALIDOBJ Corrupted HLL object detected"),
    }
}

/// The bytes of a key that holds a HyperLogLog; None without the key.
pub(super) fn load(cx: &mut DataContext<'_>, key: &[u8]) -> Result<Option<Vec<u8>>, CommandError> {
    let Some(string) = cx.db.string(key).or_wrong_type()? else {
        return Ok(None);
    };
    let bytes = string.to_vec();
    hyperloglog::encoding(&bytes).map_err(wire_error)?;
    Ok(Some(bytes))
}

pub(super) fn save(cx: &mut DataContext<'_>, key: &[u8], bytes: Vec<u8>) {
    let value = StringValue::Bytes { bytes, raw: true };
    cx.db.set(key, Value::String(value), Expiry::Keep);
}

fn pfadd(cx: &mut DataContext<'_>) -> CommandResult {
    let (args, key) = (cx.args, cx.args[1]);
    let stored = load(cx, key)?;
    let mut changed = stored.is_none();
    let mut bytes = stored.unwrap_or_else(hyperloglog::new_sparse);
    let mut added = 0;
    for element in &args[2..] {
        if hyperloglog::add(&mut bytes, element, cx.settings.hll_sparse_max_bytes)
            .map_err(wire_error)?
        {
            added += 1;
        }
    }
    let created = changed;
    changed |= added > 0;
    if changed {
        hyperloglog::mark_outdated(&mut bytes);
        save(cx, key, bytes);
        cx.effects.changed_by(key, added + u64::from(created));
        cx.effects.notify(EventClass::STRING, "pfadd", key);
    }
    cx.reply.integer(i64::from(changed));
    Ok(())
}

fn pfcount(cx: &mut DataContext<'_>) -> CommandResult {
    let args = cx.args;
    if let [_, key] = *args {
        let Some(mut bytes) = load(cx, key)? else {
            cx.reply.integer(0);
            return Ok(());
        };
        let (count, renewed) = hyperloglog::count(&mut bytes).map_err(wire_error)?;
        if renewed {
            save(cx, key, bytes);
            cx.effects.changed(key);
            // Replicas keep the same bytes, though clients see a command that only reads.
            cx.effects.propagate_as(args);
        }
        cx.reply.integer(count as i64);
        return Ok(());
    }
    let mut union = Union::default();
    // One after the other: the first that is wrong says what is wrong.
    for key in &args[1..] {
        if let Some(hll) = load(cx, key)? {
            union.add(&hll).map_err(wire_error)?;
        }
    }
    let count = union.count();
    cx.reply.integer(count as i64);
    Ok(())
}

fn pfmerge(cx: &mut DataContext<'_>) -> CommandResult {
    let (args, target) = (cx.args, cx.args[1]);
    // It reads the target as it reads the sources.
    cx.db.access.quiet = false;
    let mut union = Union::default();
    let stored = load(cx, target)?;
    if let Some(hll) = &stored {
        union.add(hll).map_err(wire_error)?;
    }
    for key in &args[2..] {
        if let Some(hll) = load(cx, key)? {
            union.add(&hll).map_err(wire_error)?;
        }
    }
    let mut bytes = stored.unwrap_or_else(hyperloglog::new_sparse);
    union
        .store(&mut bytes, cx.settings.hll_sparse_max_bytes)
        .map_err(wire_error)?;
    save(cx, target, bytes);
    cx.effects.changed(target);
    // The same event as PFADD: what was added is all that others counted.
    cx.effects.notify(EventClass::STRING, "pfadd", target);
    cx.reply.ok();
    Ok(())
}
