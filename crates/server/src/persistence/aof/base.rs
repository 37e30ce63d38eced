//! A base as commands: what `aof-use-rdb-preamble no` asks for. Each key becomes the commands that make it.

use crate::commands;
use front::UnixMillis;
use std::io;
use store::encoding::listpack::Item;
use store::float;
use store::value::ValueRef;

/// Elements in one command: a big value becomes many, so that loading never holds all of it as arguments.
const ITEMS_PER_COMMAND: usize = 64;
/// Bytes collected before they are written.
const WRITE_BYTES: usize = 256 * 1024;

/// Turns entries into commands and hands those on in large pieces.
pub(crate) struct CommandEncoder<W: FnMut(&[u8]) -> io::Result<()>> {
    out: Vec<u8>,
    write: W,
    selected: Option<u32>,
    /// The first error: everything after it is dropped.
    error: Option<io::Error>,
}

impl<W: FnMut(&[u8]) -> io::Result<()>> CommandEncoder<W> {
    pub(crate) fn new(write: W) -> Self {
        CommandEncoder {
            out: Vec::new(),
            write,
            selected: None,
            error: None,
        }
    }

    /// A timestamp annotation.
    pub(crate) fn timestamp(&mut self, seconds: i64) {
        self.out
            .extend_from_slice(format!("#TS:{seconds}\r\n").as_bytes());
    }

    /// The command that loads a library of functions.
    pub(crate) fn library(&mut self, code: &[u8]) {
        self.command(&[b"FUNCTION", b"LOAD", code]);
    }

    /// The commands that make an entry.
    pub(crate) fn entry(
        &mut self,
        db: u32,
        key: &[u8],
        value: ValueRef<'_>,
        expiry: Option<UnixMillis>,
    ) {
        let mut number = itoa::Buffer::new();
        if self.selected != Some(db) {
            self.command(&[b"SELECT", number.format(db).as_bytes()]);
            self.selected = Some(db);
        }
        match value {
            ValueRef::String(string) => self.command(&[b"SET", key, &string.bytes()]),
            ValueRef::List(list) => {
                let mut items = Items::new(self, b"RPUSH", key, 1);
                list.items.range(0, list.len(), |item| match item {
                    Item::Str(bytes) => items.push(bytes),
                    Item::Int(int) => items.push(itoa::Buffer::new().format(int).as_bytes()),
                });
                items.end();
            }
            ValueRef::Set(set) => {
                let mut items = Items::new(self, b"SADD", key, 1);
                set.for_each(|member| items.push(member));
                items.end();
            }
            ValueRef::Hash(hash) => {
                let mut items = Items::new(self, b"HMSET", key, 2);
                hash.for_each(|field, value| {
                    items.push(field);
                    items.push(value);
                });
                items.end();
            }
            ValueRef::SortedSet(sorted_set) => {
                let mut items = Items::new(self, b"ZADD", key, 2);
                let mut text = Vec::new();
                sorted_set.for_each(|member, score| {
                    text.clear();
                    float::format_g17(score, &mut text);
                    items.push(&text);
                    items.push(member);
                });
                items.end();
            }
            ValueRef::Stream(stream) => {
                commands::stream::rewrite(key, stream, |args| self.command(args));
            }
        }
        if let Some(at) = expiry {
            self.command(&[b"PEXPIREAT", key, number.format(at).as_bytes()]);
        }
    }

    fn command(&mut self, args: &[&[u8]]) {
        resp::encode_command(args, &mut self.out);
        if self.out.len() >= WRITE_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.error.is_none()
            && let Err(error) = (self.write)(&self.out)
        {
            self.error = Some(error);
        }
        self.out.clear();
    }

    /// Hands on what is left.
    ///
    /// # Errors
    /// The first one that writing met.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.flush();
        self.error.map_or(Ok(()), Err)
    }
}

/// The elements of one value, in commands of a few each.
struct Items<'a, W: FnMut(&[u8]) -> io::Result<()>> {
    encoder: &'a mut CommandEncoder<W>,
    name: &'static [u8],
    key: &'a [u8],
    /// Arguments that stay together.
    width: usize,
    /// Encoded arguments, and how many.
    args: Vec<u8>,
    count: usize,
}

impl<'a, W: FnMut(&[u8]) -> io::Result<()>> Items<'a, W> {
    fn new(
        encoder: &'a mut CommandEncoder<W>,
        name: &'static [u8],
        key: &'a [u8],
        width: usize,
    ) -> Self {
        Items {
            encoder,
            name,
            key,
            width,
            args: Vec::new(),
            count: 0,
        }
    }

    fn push(&mut self, arg: &[u8]) {
        resp::Writer::new(&mut self.args, false).bulk(arg);
        self.count += 1;
        if self.count == ITEMS_PER_COMMAND * self.width {
            self.end();
        }
    }

    fn end(&mut self) {
        if self.count == 0 {
            return;
        }
        let mut writer = resp::Writer::new(&mut self.encoder.out, false);
        writer.array(2 + self.count);
        writer.bulk(self.name);
        writer.bulk(self.key);
        writer.raw(&self.args);
        self.args.clear();
        self.count = 0;
        if self.encoder.out.len() >= WRITE_BYTES {
            self.encoder.flush();
        }
    }
}
