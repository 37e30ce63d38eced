//! DEBUG's ways to end the process, for tests of what a crash leaves behind.

use crate::commands::prelude::*;

pub(super) fn assert_failure(_: &mut ServerContext<'_>) -> CommandResult {
    panic!("assertion failed: DEBUG ASSERT was called");
}

pub(super) fn panic(_: &mut ServerContext<'_>) -> CommandResult {
    panic!("called by DEBUG PANIC");
}

pub(super) fn out_of_memory(_: &mut ServerContext<'_>) -> CommandResult {
    panic!("Out Of Memory allocating {} bytes!", usize::MAX / 2);
}

pub(super) fn segfault(_: &mut ServerContext<'_>) -> CommandResult {
    let failed = signal_hook::low_level::raise(signal_hook::consts::SIGSEGV);
    Err(CommandError::err(format_args!(
        "the process survived: {failed:?}"
    )))
}
