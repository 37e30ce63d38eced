//! Commands that a data node and a Sentinel share.
