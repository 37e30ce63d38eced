//! Segmented hash table (see `Table`).
