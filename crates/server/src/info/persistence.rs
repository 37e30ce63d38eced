//! The Persistence section. Its fields stand beside what they tell of.

use crate::persistence::info;
use crate::server::Server;
use std::fmt::Write;

pub(super) fn persistence(server: &Server, out: &mut String) {
    field!(out, "loading", u8::from(server.is_loading()));
    // No dataset is loaded beside the one that is served.
    field!(out, "async_loading", 0);
    let groups = [
        info::snapshot,
        info::rdb,
        info::aof,
        info::aof_files,
        info::loading,
    ];
    for (name, value) in groups.into_iter().flat_map(|fields| fields(server)) {
        field!(out, name, value);
    }
}
