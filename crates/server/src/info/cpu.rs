//! The CPU section: seconds of processor time.

use crate::server::Server;
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeVal;
use std::fmt::Write;

pub(super) fn cpu(_: &Server, out: &mut String) {
    let groups = [
        ("", UsageWho::RUSAGE_SELF),
        ("_children", UsageWho::RUSAGE_CHILDREN),
        // The data thread is the one that asks.
        ("_main_thread", UsageWho::RUSAGE_THREAD),
    ];
    for (suffix, who) in groups {
        let usage = getrusage(who).ok();
        let seconds = |of: fn(&Usage) -> TimeVal| {
            let time = usage.as_ref().map_or(TimeVal::new(0, 0), of);
            format!("{}.{:06}", time.tv_sec(), time.tv_usec())
        };
        field!(
            out,
            format!("used_cpu_sys{suffix}"),
            seconds(Usage::system_time)
        );
        field!(
            out,
            format!("used_cpu_user{suffix}"),
            seconds(Usage::user_time)
        );
    }
}
