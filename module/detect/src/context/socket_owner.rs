//! Whether who connects to a UNIX socket is somebody else than whose socket it is: a derived fact, it holds nothing.

use backchannel_events::Channel;

use super::{Actor, Context};

/// In which way a client is not the owner of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// It acts as another user.
    OtherUser,
    /// It acts as the owner, but another login stands behind it (`sudo -u`, `su`).
    OtherLogin,
}

/// Whether the event's client is a stranger at the socket, and the uid of the socket's owner. Root that the owner
/// became (`sudo`) is no stranger. Nothing is said where the owner or the client is not known.
pub fn stranger<'c>(context: &Context<'c>, channel: &Channel<'c>, client: Actor<'c>) -> Option<(Stranger, &'c str)> {
    let owner = match channel.owner {
        "" => &*context.channel(channel.name)?.created.as_ref()?.user_id,
        owner => owner,
    };
    let acting = client.user.acting_id();
    if owner.is_empty() || acting.is_empty() {
        return None;
    }
    let login = client.user.audit_id;
    if acting != owner {
        let own_sudo = acting == "0" && login == owner;
        return (!own_sudo).then_some((Stranger::OtherUser, owner));
    }
    (!login.is_empty() && login != owner).then_some((Stranger::OtherLogin, owner))
}
