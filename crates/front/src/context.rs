//! What a command of this crate gets to work with.

use crate::command::CommandResult;

/// A command that needs only what every RESP-speaking process has.
pub type FrontHandler = fn(&mut FrontContext<'_>) -> CommandResult;

/// Everything such a command may touch.
pub struct FrontContext<'a> {
    /// The request, command name first.
    pub args: &'a [&'a [u8]],
    /// Where the reply goes.
    pub reply: resp::Writer<'a>,
}
