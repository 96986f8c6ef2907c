//! Whether a user was asked before something ran with administrative rights.

use std::time::Duration;

use backchannel_events::Timestamp;

use super::Context;
use crate::Actor;
use crate::memory::Note;

/// A prompt belongs to what follows within this time.
const WINDOW: Duration = Duration::from_secs(30);
/// No user reads and answers a prompt faster: elevation without a prompt starts the program for a moment, too.
const FASTEST: Duration = Duration::from_millis(1_500);

/// What is known of a prompt before an elevation.
#[derive(Clone, Copy, Debug)]
pub enum Consent<'c> {
    /// The prompt's program did not run.
    Absent,
    /// It ran, but ended, or was overtaken, before anybody could have answered.
    Automatic(&'c Note),
    /// It ran long enough for an answer.
    Asked,
}

/// Whether the user of a session was asked in the half minute before `time`.
pub fn before<'c>(context: &Context<'c>, session: Option<u32>, time: Timestamp) -> Consent<'c> {
    let mut automatic = None;
    let recent = context.host.processes.latest_first().take_while(|process| process.note.time.within(WINDOW * 4, time));
    for process in recent {
        if !Actor::remembered(process).is(&["consent.exe"]) {
            continue;
        }
        let other_session = process.session.is_some_and(|one| session.is_some_and(|other| one != other));
        let start = process.start.unwrap_or(process.note.time);
        if other_session || start > time || !start.within(WINDOW, time) {
            continue;
        }
        let answered = process.end.filter(|end| *end <= time).unwrap_or(time);
        if answered.within(FASTEST, start) {
            automatic = Some(&process.note);
        } else {
            return Consent::Asked;
        }
    }
    automatic.map_or(Consent::Absent, Consent::Automatic)
}
