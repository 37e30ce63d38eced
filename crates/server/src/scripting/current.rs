//! How Lua's callbacks reach the node. Lua calls back without arguments of ours, so the node is left here while a script
//! runs, and nowhere else.
#![allow(
    unsafe_code,
    reason = "a callback from Lua cannot be handed a borrow of the node that called Lua"
)]

use crate::server::Server;
use std::cell::Cell;
use std::ptr;

thread_local! {
    static CURRENT: Cell<*mut Server> = const { Cell::new(ptr::null_mut()) };
}

/// Lends the node to callbacks while `body` runs.
pub(super) fn lend<R>(server: &mut Server, body: impl FnOnce() -> R) -> R {
    /// Puts back what was there before, also when `body` panics.
    struct Restore(*mut Server);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    let _restore = Restore(CURRENT.replace(ptr::from_mut(server)));
    body()
}

/// The node, in a callback from Lua.
///
/// # Panics
/// Outside of [`lend`].
pub(super) fn with<R>(body: impl FnOnce(&mut Server) -> R) -> R {
    let server = CURRENT.get();
    assert!(!server.is_null(), "no script is running");
    // Nested callbacks must not see the same borrow twice: the node comes back when `body` is done.
    let _hidden = Hidden(CURRENT.replace(ptr::null_mut()));
    // SAFETY: `lend` holds the only borrow of the node, does not use it while its `body` runs, and takes the pointer
    // away before it returns; while `body` here runs, the pointer is hidden, so no second borrow can be made from it.
    body(unsafe { &mut *server })
}

struct Hidden(*mut Server);

impl Drop for Hidden {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}
