//! DEBUG PROTOCOL: an example of each reply type, for the tests of client libraries.

use crate::commands::prelude::*;

const TYPES: &str =
    "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false";

pub(super) fn protocol(cx: &mut ServerContext<'_>) -> CommandResult {
    let reply = &mut cx.reply;
    match cx.args[2].to_ascii_lowercase().as_slice() {
        b"string" => reply.bulk("Hello World"),
        b"integer" => reply.integer(12345),
        b"double" => reply.double_text("3.141"),
        b"bignum" => reply.big_number("1234567999999999999999999999999999999"),
        b"null" => reply.null(),
        b"array" => {
            reply.array(3);
            (0..3).for_each(|number| reply.integer(number));
        }
        b"set" => {
            reply.set(3);
            (0..3).for_each(|number| reply.integer(number));
        }
        b"map" => {
            reply.map(3);
            for number in 0..3 {
                reply.integer(number);
                reply.bool(number == 1);
            }
        }
        b"attrib" => {
            // RESP2 has no attributes: the reply comes alone.
            if reply.is_resp3() {
                reply.attribute(1);
                reply.bulk("key-popularity");
                reply.array(2);
                reply.bulk("key:123");
                reply.integer(90);
            }
            reply.bulk("Some real reply following the attribute");
        }
        b"push" => {
            if !reply.is_resp3() {
                return Err(CommandError::text(
                    "ERR RESP2 is not supported by this command",
                ));
            }
            reply.push(2);
            reply.bulk("server-cpu-usage");
            reply.integer(42);
            reply.bulk("Some real reply following the push reply");
        }
        b"verbatim" => reply.verbatim(b"txt", "This is a verbatim\nstring"),
        b"true" => reply.bool(true),
        b"false" => reply.bool(false),
        _ => {
            return Err(CommandError::err(format_args!(
                "Wrong protocol type name. Please use one of the following: {TYPES}"
            )));
        }
    }
    Ok(())
}
