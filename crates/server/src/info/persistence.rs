//! The Persistence section. Its fields stand beside what they tell of.

use crate::persistence::info;
use crate::server::Server;
use std::fmt::Write;

pub(super) fn persistence(server: &Server, out: &mut String) {
    field!(out, "loading", u8::from(server.is_loading()));
    for (name, value) in [info::rdb, info::aof, info::aof_files, info::loading]
        .into_iter()
        .flat_map(|fields| fields(server))
    {
        field!(out, name, value);
    }
}
