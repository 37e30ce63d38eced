//! XADD.

use super::ids::NewId;
use super::trim::{TRIM_ARGS, parse_options, propagate_with};
use crate::commands::prelude::*;
use store::value::{AddError, ENTRY_BYTES_MAX, NodeLimits, Stream, StreamId};

pub(super) static XADD: Command = Command {
    spec: CommandSpec {
        name: "xadd",
        group: Group::Stream,
        summary: "Adds an entry to a stream.",
        since: "5.0.0",
        complexity: "O(1), and O(N) for N entries trimmed",
        arity: -5,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::STREAM,
        // Not INSERT: it may trim.
        keys: &[KeySpec::one(KeyFlags::RW.and(KeyFlags::UPDATE), 1)],
        args: &[
            Arg::key("key", 0),
            Arg::flag("nomkstream", "NOMKSTREAM")
                .optional()
                .since("6.2.0"),
            Arg::block("trim", TRIM_ARGS).optional(),
            Arg::one_of(
                "id_or_auto",
                &[Arg::flag("auto_id", "*"), Arg::string("id")],
            ),
            Arg::block("field_value", &[Arg::string("field"), Arg::string("value")]).multiple(),
        ],
        tips: &["nondeterministic_output"],
        ..CommandSpec::BLANK
    },
    body: Body::Run(Handler::Data(xadd)),
};

const TOO_SMALL: CommandError = CommandError::text(
    "ERR The ID specified in XADD is equal or smaller than the target stream top item",
);

const EXHAUSTED: CommandError = CommandError::text(
    "ERR The stream has exhausted the last possible ID, unable to add more items",
);

const TOO_LARGE: CommandError = CommandError::text("ERR Elements are too large to be stored");

/// When macro nodes are full.
pub(super) fn node_limits(settings: &crate::DataSettings) -> NodeLimits {
    NodeLimits {
        bytes: settings.stream_node_max_bytes,
        entries: settings.stream_node_max_entries,
    }
}

fn xadd(cx: &mut DataContext<'_>) -> CommandResult {
    let options = parse_options(cx, true)?;
    let pairs = cx.args.get(options.end + 1..).unwrap_or_default();
    let Some(id) = options
        .id
        .filter(|_| !pairs.is_empty() && pairs.len() % 2 == 0)
    else {
        return Err(CommandError::WrongArity("xadd".into()));
    };
    if id == NewId::Given(StreamId::MIN) {
        return Err(CommandError::text(
            "ERR The ID specified in XADD must be greater than 0-0",
        ));
    }
    let key = cx.args[1];
    if options.no_make && cx.db.stream(key).or_wrong_type()?.is_none() {
        cx.reply.null();
        return Ok(());
    }
    // Now, because nothing else can go wrong with a stream that is yet to be made.
    if pairs.iter().map(|item| item.len()).sum::<usize>() > ENTRY_BYTES_MAX {
        return Err(TOO_LARGE);
    }
    let now_ms = cx.now.max(0).cast_unsigned();
    let stream = cx
        .db
        .stream_or_create(key, Stream::default)
        .or_wrong_type()?;
    let id = choose_id(stream, id, now_ms)?;
    add(stream, id, pairs, node_limits(cx.settings))?;
    cx.reply.bulk(id.text());
    cx.effects.changed(key);
    cx.effects.notify(EventClass::STREAM, "xadd", key);
    let mut words = Vec::new();
    if let Some(trim) = options.trim {
        trim.perform(stream, cx.effects, key);
        words = trim.exact_words(stream.history());
    }
    if !matches!(options.id, Some(NewId::Given(_))) {
        words.push((options.end, id.text().as_ref().to_vec()));
    }
    if cx.effects.wanted.propagation && !words.is_empty() {
        propagate_with(cx.effects, cx.args, &words);
    }
    cx.effects.ready(key);
    Ok(())
}

/// The id the new entry gets.
fn choose_id(stream: &Stream, id: NewId, now_ms: u64) -> Result<StreamId, CommandError> {
    let last = stream.history().last_id;
    if last == StreamId::MAX {
        return Err(EXHAUSTED);
    }
    match id {
        NewId::Given(id) => Ok(id),
        NewId::Auto => stream.next_id(now_ms).ok_or(EXHAUSTED),
        NewId::Within(ms) if ms == last.ms => {
            // Not the fitting complaint, but Redis's.
            let seq = last.seq.checked_add(1).ok_or(TOO_LARGE)?;
            Ok(StreamId::new(ms, seq))
        }
        NewId::Within(ms) => Ok(StreamId::new(ms, 0)),
    }
}

fn add(stream: &mut Stream, id: StreamId, pairs: &[&[u8]], limits: NodeLimits) -> CommandResult {
    stream.add(id, pairs, limits).map_err(|error| match error {
        AddError::IdTooSmall => TOO_SMALL,
        AddError::TooLarge => TOO_LARGE,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_id_follows_the_clock_but_never_goes_back() {
        let mut stream = Stream::default();
        let limits = NodeLimits {
            bytes: 4096,
            entries: 100,
        };
        let choose = |stream: &Stream, id| choose_id(stream, id, 100);
        assert_eq!(choose(&stream, NewId::Auto), Ok(StreamId::new(100, 0)));
        assert_eq!(choose(&stream, NewId::Within(0)), Ok(StreamId::new(0, 1)));
        add(&mut stream, StreamId::new(200, 5), &[b"f", b"v"], limits).unwrap();
        assert_eq!(choose(&stream, NewId::Auto), Ok(StreamId::new(200, 6)));
        assert_eq!(
            choose(&stream, NewId::Within(200)),
            Ok(StreamId::new(200, 6))
        );
        assert_eq!(
            choose(&stream, NewId::Within(300)),
            Ok(StreamId::new(300, 0))
        );
        let full = StreamId::new(200, u64::MAX);
        add(&mut stream, full, &[b"f", b"v"], limits).unwrap();
        assert_eq!(choose(&stream, NewId::Within(200)), Err(TOO_LARGE));
        assert_eq!(choose(&stream, NewId::Auto), Ok(StreamId::new(201, 0)));
        add(&mut stream, StreamId::MAX, &[b"f", b"v"], limits).unwrap();
        for id in [NewId::Auto, NewId::Within(5), NewId::Given(full)] {
            assert_eq!(choose(&stream, id), Err(EXHAUSTED));
        }
    }
}
