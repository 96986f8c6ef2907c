//! Whether who connects to a UNIX socket is somebody else than whose socket it is: a derived fact, it holds nothing.

use backchannel_events::{Channel, FileChange, FileKind, FileOperation, Outcome, ProcessEvent};

use super::Context;
use crate::Actor;
use crate::vocabulary::sockets;

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

/// Whether the event opens somebody else's socket to everybody: not its maker's own, nor that of a daemon whose bind was
/// not seen.
pub fn opens_anothers(context: &Context<'_>, event: &ProcessEvent<'_>, file: &FileChange<'_>) -> bool {
    let widened = file.operation == FileOperation::ChangeMode
        && file.kind == FileKind::Socket
        && file.mode.is_some_and(|mode| mode & 0o002 != 0)
        && !matches!(event.outcome, Outcome::Failure | Outcome::Denied);
    if !widened {
        return false;
    }
    let actor = context.subject();
    let own = match context.channel(file.path).and_then(|known| known.created.as_ref()) {
        Some(made) => {
            let server = made.process.and_then(|id| context.remembered(id)).unwrap_or_default();
            let same = server.pid.is_some() && server.pid == actor.pid;
            same || (*made.image == *actor.image && *made.user_id == *actor.user.acting_id())
        }
        // A daemon whose bind was not seen opens its own socket; a tool opens somebody else's.
        None => !sockets::is_general_tool(actor) && actor.user.acting_id() == file.owner,
    };
    !own
}
