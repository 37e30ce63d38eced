//! A write stream: every change in the order it was made, as commands. The AOF has one and the replicas have one; both get
//! the same writes in the same order.

use front::client::OwnedArgs;

/// A command of a unit that goes on together.
pub struct Propagated {
    pub db: u32,
    pub args: OwnedArgs,
    pub audience: Audience,
    /// It changes the dataset: it is no message.
    pub changes: bool,
}

/// Who is told of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    Everybody,
    Aof,
    Replicas,
}

impl Propagated {
    /// A command for the AOF and the replicas.
    pub fn new(db: u32, args: OwnedArgs) -> Propagated {
        Propagated {
            db,
            args,
            audience: Audience::Everybody,
            changes: true,
        }
    }

    /// What subscribers of replicas are to hear.
    pub fn message(db: u32, args: OwnedArgs) -> Propagated {
        Propagated {
            db,
            args,
            audience: Audience::Replicas,
            changes: false,
        }
    }
}

/// Commands of this turn, encoded, not yet taken.
#[derive(Default)]
pub struct WriteStream {
    /// RESP-encoded commands, SELECTs included.
    buffer: Vec<u8>,
    /// Bytes of earlier turns.
    earlier: u64,
    /// The db the end of the stream is in; None makes the next command select its own.
    selected_db: Option<u32>,
    /// Of `buffer`, the bytes up to the last command that changes the dataset.
    changing: usize,
}

impl WriteStream {
    /// What this turn's commands changed, after a position that lies in this turn.
    pub fn since(&self, position: u64) -> &[u8] {
        let taken = position
            .checked_sub(self.earlier)
            .expect("what earlier turns changed was taken at their end");
        &self.buffer[taken as usize..]
    }

    /// The position at which the stream ends now: bytes since the node started.
    pub fn end(&self) -> u64 {
        self.earlier + self.buffer.len() as u64
    }

    /// Everybody has taken this turn's bytes.
    pub fn turn_done(&mut self) {
        self.earlier += self.buffer.len() as u64;
        self.buffer.clear();
        self.changing = 0;
        /// A turn that changed more than this was rare; its memory goes back.
        const KEPT_BYTES: usize = 1024 * 1024;
        if self.buffer.capacity() > KEPT_BYTES {
            self.buffer = Vec::new();
        }
    }

    /// Appends a command that ran in `db`.
    pub fn append(&mut self, db: u32, args: &[&[u8]]) {
        if self.selected_db != Some(db) {
            let mut number = itoa::Buffer::new();
            resp::encode_command(
                &[b"SELECT".as_slice(), number.format(db).as_bytes()],
                &mut self.buffer,
            );
            self.selected_db = Some(db);
        }
        resp::encode_command(args, &mut self.buffer);
        self.changing = self.buffer.len();
    }

    /// Appends commands as one transaction if there is more than one.
    pub fn append_all<'a>(&mut self, commands: impl Iterator<Item = &'a Propagated> + Clone) {
        let Some(first) = commands.clone().next() else {
            return;
        };
        let is_one = commands.clone().count() == 1;
        if !is_one {
            self.append(first.db, &[b"MULTI"]);
        }
        for command in commands {
            let changing = self.changing;
            self.append(command.db, &command.args.slices());
            if !command.changes {
                self.changing = changing;
            }
        }
        if !is_one {
            self.append_anywhere(&[b"EXEC"]);
        }
    }

    /// The db that the end of the stream is in; None if the next command selects its own.
    pub fn selected_db(&self) -> Option<u32> {
        self.selected_db
    }

    /// Bytes that wait to be taken.
    pub fn pending_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// Appends a command that means the same in every db.
    pub fn append_anywhere(&mut self, args: &[&[u8]]) {
        resp::encode_command(args, &mut self.buffer);
    }

    /// This turn's commands, for the only one who takes them; and how many of the bytes hold all that changes the dataset.
    pub fn take(&mut self) -> (Vec<u8>, usize) {
        self.earlier += self.buffer.len() as u64;
        let changing = std::mem::take(&mut self.changing);
        (std::mem::take(&mut self.buffer), changing)
    }

    /// A new consumer starts here: the next command selects its db again.
    pub fn restart(&mut self) {
        self.selected_db = None;
    }
}
