//! The data node.
