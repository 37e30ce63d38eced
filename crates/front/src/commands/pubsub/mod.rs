//! The pub/sub group.

mod introspection;
mod publish;
mod subscribe;

pub(super) use introspection::PUBSUB;
pub(super) use publish::{PUBLISH, SPUBLISH};
pub(super) use subscribe::{
    PSUBSCRIBE, PUNSUBSCRIBE, SSUBSCRIBE, SUBSCRIBE, SUNSUBSCRIBE, UNSUBSCRIBE,
};
