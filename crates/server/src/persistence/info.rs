//! The fields of INFO's Persistence section about loading, RDB files and the AOF.

use super::aof::writer::{Health, Writer};
use super::snapshot::Running;
use crate::config;
use crate::server::Server;

/// A field's name and value.
pub(crate) type Field = (&'static str, String);

fn number(value: impl ToString) -> String {
    value.to_string()
}

fn flag(value: bool) -> String {
    u8::from(value).to_string()
}

fn status(good: bool) -> String {
    String::from(if good { "ok" } else { "err" })
}

/// What the snapshot that is being written has come to: `current_cow_peak` to `current_save_keys_total`.
pub(crate) fn snapshot(server: &Server) -> Vec<Field> {
    let progress = server.snapshot.as_ref().map(Running::progress);
    let (written, total, copied) = progress.map_or((0, 0, 0), |progress| {
        (
            progress.keys_written,
            progress.keys_total,
            progress.copied_bytes,
        )
    });
    let percent = match total {
        0 => 0.0,
        total => written as f64 * 100.0 / total as f64,
    };
    let now = server.front.clock.now();
    let age = server.snapshot.as_ref().map_or(0, |run| run.seconds(now));
    vec![
        ("current_cow_peak", number(copied)),
        ("current_cow_size", number(copied)),
        ("current_cow_size_age", number(age)),
        ("current_fork_perc", format!("{percent:.2}")),
        ("current_save_keys_processed", number(written)),
        ("current_save_keys_total", number(total)),
    ]
}

/// `rdb_changes_since_last_save` to `rdb_last_load_keys_loaded`.
pub(crate) fn rdb(server: &Server) -> Vec<Field> {
    let rdb = &server.rdb;
    let save = server.snapshot.as_ref().filter(|_| server.is_saving());
    let current_seconds = save.map_or(-1, |run| run.seconds(server.front.clock.now()));
    vec![
        ("rdb_changes_since_last_save", number(server.stats.dirty)),
        ("rdb_bgsave_in_progress", flag(server.is_saving())),
        ("rdb_last_save_time", number(rdb.last_save / 1000)),
        ("rdb_last_bgsave_status", status(!rdb.last_failed)),
        (
            "rdb_last_bgsave_time_sec",
            number(rdb.last_seconds.unwrap_or(-1)),
        ),
        ("rdb_current_bgsave_time_sec", number(current_seconds)),
        ("rdb_saves", number(rdb.saves)),
        (
            "rdb_last_cow_size",
            number(server.snapshot_stats.dump_copied_bytes),
        ),
        ("rdb_last_load_keys_expired", number(rdb.loaded_expired)),
        ("rdb_last_load_keys_loaded", number(rdb.loaded_keys)),
    ]
}

/// `aof_enabled` to `aof_last_cow_size`.
pub(crate) fn aof(server: &Server) -> Vec<Field> {
    let aof = &server.aof;
    let good = aof
        .writer()
        .is_none_or(|w| matches!(w.health(), Health::Good));
    let stats = &aof.rewrite_stats;
    let current_seconds = stats.current_seconds(server.front.clock.now());
    vec![
        ("aof_enabled", flag(aof.is_on())),
        ("aof_rewrite_in_progress", flag(server.is_rewriting())),
        ("aof_rewrite_scheduled", flag(aof.rewrite_scheduled)),
        ("aof_last_rewrite_time_sec", number(stats.last_seconds)),
        ("aof_current_rewrite_time_sec", number(current_seconds)),
        ("aof_last_bgrewrite_status", status(stats.last_ok)),
        ("aof_rewrites", number(stats.count)),
        (
            "aof_rewrites_consecutive_failures",
            number(stats.consecutive_failures),
        ),
        ("aof_last_write_status", status(good)),
        (
            "aof_last_cow_size",
            number(server.snapshot_stats.base_copied_bytes),
        ),
    ]
}

/// `aof_current_size` to `aof_delayed_fsync`: shown with `appendonly yes`.
pub(crate) fn aof_files(server: &Server) -> Vec<Field> {
    let aof = &server.aof;
    if !server.config.bool(config::APPENDONLY) {
        return Vec::new();
    }
    let writer = aof.writer();
    vec![
        ("aof_current_size", number(aof.current_size())),
        ("aof_base_size", number(aof.rewrite_base_size)),
        ("aof_pending_rewrite", number(0)),
        (
            "aof_buffer_length",
            number(writer.map_or(0, Writer::buffered)),
        ),
        (
            "aof_pending_bio_fsync",
            flag(writer.is_some_and(Writer::is_syncing)),
        ),
        (
            "aof_delayed_fsync",
            number(writer.map_or(0, |writer| writer.delayed_syncs)),
        ),
    ]
}

/// `loading_start_time` to `loading_eta_seconds`: shown while loading.
pub(crate) fn loading(server: &Server) -> Vec<Field> {
    let Some(loading) = &server.loading else {
        return Vec::new();
    };
    let (loaded, total) = (loading.loaded_bytes(), loading.total_bytes.max(1));
    let elapsed = server.front.clock.now() / 1000 - loading.started_seconds;
    let left = total.saturating_sub(loaded);
    let eta = match elapsed {
        ..=0 => 1,
        elapsed => elapsed as u64 * left / (loaded + 1),
    };
    vec![
        ("loading_start_time", number(loading.started_seconds)),
        ("loading_total_bytes", number(loading.total_bytes)),
        ("loading_rdb_used_mem", number(loading.saved_used_memory)),
        ("loading_loaded_bytes", number(loaded)),
        (
            "loading_loaded_perc",
            format!("{:.2}", loaded as f64 * 100.0 / total as f64),
        ),
        ("loading_eta_seconds", number(eta)),
    ]
}
