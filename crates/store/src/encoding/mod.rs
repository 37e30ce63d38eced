//! Memory forms of values: compact byte encodings and trees.

pub mod intset;
pub mod listpack;
pub mod quicklist;
pub mod score_tree;
pub mod ziplist;
pub mod zipmap;
