//! What a command of this crate gets to work with.

use crate::client::{Client, ClientKey};
use crate::command::CommandResult;
use crate::front::Front;

/// A command that needs only what every RESP-speaking process has.
pub type FrontHandler = fn(&mut FrontContext<'_>) -> CommandResult;

/// Everything such a command may touch.
pub struct FrontContext<'a> {
    pub front: &'a mut Front,
    pub client: ClientKey,
    /// The request, command name first.
    pub args: &'a [&'a [u8]],
    /// Where the reply goes. It reaches the client after everything that was sent to it meanwhile.
    pub reply: resp::Writer<'a>,
}

impl FrontContext<'_> {
    /// The client that sent the command.
    pub fn client(&mut self) -> &mut Client {
        self.front
            .clients
            .get_mut(self.client)
            .expect("a client outlives its command")
    }
}
