//! The proof that a broker started a process, as part of evidence.

use backchannel_events::Activity;

use super::Evidence;
use crate::context::Context;
use crate::context::activation::Started;
use crate::text;

impl Started<'_> {
    /// Adds the other half of the proof to `evidence`: the logon record, or, where that is the event at hand, the
    /// record of the start.
    #[must_use]
    pub fn prove(&self, context: &Context<'_>, evidence: Evidence) -> Evidence {
        let account = self.process.account();
        match (&context.event().activity, self.process.known, context.logon_of(self.process)) {
            (Activity::Logon(_), Some(known), _) => {
                let text =
                    format!("{} was started: {}", self.process.name(), text::clip(self.process.command_line, 300));
                evidence.because(&known.note, text)
            }
            (_, _, Some(logon)) if self.activation.is_remote() => {
                let text = format!("{account} logged on over the network from {}", self.activation.from());
                evidence.because(&logon.note, text)
            }
            _ => evidence,
        }
    }
}
