//! All databases of a node.

use crate::db::{Access, Db};

/// Databases by number. SWAPDB exchanges them without touching a key.
pub struct Keyspace {
    dbs: Vec<Db>,
}

impl Keyspace {
    /// `count` empty databases; `seed` starts their random choices.
    pub fn new(count: usize, seed: u64) -> Keyspace {
        let mut dbs: Vec<Db> = Vec::new();
        dbs.resize_with(count, Db::default);
        for (index, db) in dbs.iter_mut().enumerate() {
            db.seed_random(seed.wrapping_add(index as u64 * 0x9e37_79b9) | 1);
        }
        Keyspace { dbs }
    }

    /// How many databases there are.
    pub fn count(&self) -> usize {
        self.dbs.len()
    }

    /// A database by number.
    ///
    /// # Panics
    /// If there is no such database: SELECT and its kin have checked.
    #[inline]
    pub fn db(&mut self, index: u32) -> &mut Db {
        &mut self.dbs[index as usize]
    }

    /// The database made ready for a command.
    #[inline]
    pub fn begin(&mut self, index: u32, access: Access) -> &mut Db {
        let db = &mut self.dbs[index as usize];
        db.access = access;
        db
    }

    /// Two different databases at once.
    ///
    /// # Panics
    /// If they are the same.
    pub fn two(&mut self, a: u32, b: u32) -> (&mut Db, &mut Db) {
        let [a, b] = self
            .dbs
            .get_disjoint_mut([a as usize, b as usize])
            .expect("two different databases");
        (a, b)
    }

    /// SWAPDB.
    pub fn swap(&mut self, a: u32, b: u32) {
        self.dbs.swap(a as usize, b as usize);
    }

    /// Every database with its number.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Db)> {
        self.dbs
            .iter()
            .enumerate()
            .map(|(index, db)| (index as u32, db))
    }

    /// Every database with its number, to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut Db)> {
        self.dbs
            .iter_mut()
            .enumerate()
            .map(|(index, db)| (index as u32, db))
    }

    /// Keys in all databases.
    pub fn len(&self) -> usize {
        self.dbs.iter().map(Db::len).sum()
    }

    /// Whether no database has a key.
    pub fn is_empty(&self) -> bool {
        self.dbs.iter().all(Db::is_empty)
    }
}
