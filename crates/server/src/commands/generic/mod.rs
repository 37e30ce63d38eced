//! The generic group: keys whatever their type.

mod copy;
pub(super) mod dump;
mod expire;
mod keys;
mod migrate;
mod object;
mod rename;
pub(crate) mod scan;
mod sort;
mod sort_pattern;

use super::Command;
pub(crate) use migrate::MigrateSockets;
pub(crate) use object::encoding_name;

/// Every command of the group.
pub static COMMANDS: &[&Command] = &[
    &copy::COPY,
    &dump::DUMP,
    &expire::EXPIRE,
    &expire::EXPIREAT,
    &expire::EXPIRETIME,
    &expire::PERSIST,
    &expire::PEXPIRE,
    &expire::PEXPIREAT,
    &expire::PEXPIRETIME,
    &expire::PTTL,
    &expire::TTL,
    &keys::DEL,
    &keys::EXISTS,
    &keys::KEYS,
    &keys::RANDOMKEY,
    &keys::TOUCH,
    &keys::TYPE,
    &keys::UNLINK,
    &migrate::MIGRATE,
    &object::OBJECT,
    &rename::MOVE,
    &dump::RESTORE,
    &scan::SCAN,
    &rename::RENAME,
    &rename::RENAMENX,
    &sort::SORT,
    &sort::SORT_RO,
];
