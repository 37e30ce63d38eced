//! The channel of every node on which Sentinels announce themselves. Our nodes tell them there what they would otherwise find
//! out late; a Sentinel of Redis passes such words over.

/// Its name.
pub const CHANNEL: &str = "__sentinel__:hello";

/// This node has just become a master or a replica, or follows another master: ask it.
pub const ROLE_CHANGED: &str = "role-changed";

/// This node ends because it was asked to: do not wait for it.
pub const LEAVING: &str = "leaving";
