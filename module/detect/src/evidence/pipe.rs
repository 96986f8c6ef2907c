//! What most conclusions about a named pipe have: its name, its ends, and who came in over SMB.

use backchannel_events::Mechanism;

use crate::context::PipeUse;
use crate::{Context, Evidence};

impl Evidence {
    /// The pipe that the event makes or opens, with its client and its server as far as records name them.
    #[must_use]
    pub fn pipe<'c>(self, context: &Context<'c>, pipe: &PipeUse<'c>) -> Self {
        let (client, server) = context.pipe_ends(pipe);
        self.client(client).server(server).channel(Mechanism::NamedPipe, pipe.channel.name)
    }

    /// Where the pipe was opened over the network: by whom, as far as records tell.
    #[must_use]
    pub fn smb_client<'c>(self, context: &Context<'c>, pipe: &PipeUse<'c>) -> Self {
        if !pipe.channel.remote {
            return self;
        }
        self.remote(context.smb_client(pipe.channel).map_or("", |from| from.address))
    }
}
