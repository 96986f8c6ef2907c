//! What an incident is written from: its findings, the watched events around them, and every name in them resolved.

use backchannel_events::{
    ActivityKind, ChannelNote, Finding, HostParty, Movement, Object, Party, Severity, Timestamp, WatchedEvent,
};

use crate::identity::{self, Accounts, Names, Processes, is_same_process};
use crate::movements;

/// The material of one incident.
pub struct Scene<'s> {
    /// Its findings, in the order of time.
    pub findings: &'s [&'s Finding],
    /// Those of medium severity and above.
    pub weighty: Vec<&'s Finding>,
    /// The watched events around them, in the order of time.
    pub watched: &'s [&'s WatchedEvent],
    /// Names of machines and ids of accounts.
    pub names: &'s Names,
    /// The accounts involved.
    pub accounts: Accounts,
    /// The processes involved, each once.
    pub processes: Processes,
    /// Who acted on whom across machines.
    pub movements: Vec<Movement>,
}

impl<'s> Scene<'s> {
    /// The scene of findings that are in their order.
    pub fn of(findings: &'s [&'s Finding], watched: &'s [&'s WatchedEvent], names: &'s Names) -> Self {
        let weighty: Vec<&Finding> =
            findings.iter().copied().filter(|finding| finding.severity >= Severity::Medium).collect();
        let accounts = Accounts::of(findings.iter().flat_map(|finding| spelled(finding, names)));
        let parties = findings.iter().flat_map(|finding| {
            finding.client.iter().chain(&finding.server).map(|party| (finding.host.as_str(), party))
        });
        let processes = Processes::of(parties);
        let movements = movements::of(&weighty, names, &accounts);
        Self { findings, weighty, watched, names, accounts, processes, movements }
    }

    /// The findings that matter, the worst first.
    pub fn worst_first(&self) -> Vec<&'s Finding> {
        let mut ordered = self.weighty.clone();
        ordered
            .sort_by(|a, b| (b.severity, b.confidence, a.time, &a.id).cmp(&(a.severity, a.confidence, b.time, &b.id)));
        ordered
    }

    /// An account as the incident tells it.
    pub fn account(&self, spelling: &str, host: &str) -> String {
        self.accounts.name(self.names.account(spelling, host))
    }

    /// The accounts that people or what they set up used, each once: those that nobody stands behind are left out.
    pub fn users(&self) -> Vec<String> {
        let mut users: Vec<String> = Vec::new();
        for user in self.findings.iter().flat_map(|finding| spelled(finding, self.names)) {
            let user = self.accounts.name(&user);
            if !user.is_empty() && !identity::is_built_in(&user) && !users.contains(&user) {
                users.push(user);
            }
        }
        users
    }

    /// The channels, each once whoever is at the other end.
    pub fn channels(&self) -> Vec<ChannelNote> {
        let mut channels: Vec<ChannelNote> = Vec::new();
        for finding in self.findings {
            let Some(note) = &finding.channel else { continue };
            let mut note = note.clone();
            note.peer = self.names.machine(&note.peer, &finding.host);
            if note.peer == finding.host {
                note.peer.clear();
            }
            let same = |known: &&mut ChannelNote| {
                known.mechanism == note.mechanism
                    && identity::channel(&known.name) == identity::channel(&note.name)
                    && (known.peer == note.peer || known.peer.is_empty() || note.peer.is_empty())
            };
            match channels.iter_mut().find(same) {
                Some(known) => {
                    if known.peer.is_empty() {
                        known.peer = note.peer;
                    }
                    known.remote |= note.remote;
                }
                None => channels.push(note),
            }
        }
        channels
    }

    /// When a process ended, if a record says so.
    pub fn ended(&self, host: &str, process: &Party) -> Option<Timestamp> {
        self.watched.iter().filter(|event| event.host == host).find_map(|event| match &event.object {
            Object::Process { party, ended } if is_same_process(party, process) => *ended,
            _ => None,
        })
    }

    /// Whether the watched event is one of that process.
    pub fn is_by(&self, event: &WatchedEvent, process: &HostParty) -> bool {
        // The keys of the process itself stand before those of its parent.
        has_key(event, process, 2)
    }

    /// The processes that this one started, as far as they were watched.
    pub fn children<'c>(&'c self, of: &'c HostParty) -> impl Iterator<Item = HostParty> + 'c {
        self.watched.iter().filter_map(move |event| match &event.object {
            Object::Process { party, .. }
                if event.kind == ActivityKind::ProcessStart
                    && has_key(event, of, usize::MAX)
                    && !is_same_process(party, &of.party) =>
            {
                Some(HostParty { host: event.host.clone(), party: party.clone() })
            }
            _ => None,
        })
    }

    /// Whether a finding rests on the record of the watched event.
    pub fn is_evidence(&self, event: &WatchedEvent) -> bool {
        event.joins.iter().any(|key| key.starts_with("f:"))
    }

    /// Whether the host runs Windows, as far as the paths of its processes tell; `None` where they do not.
    pub fn is_windows(&self, host: &str) -> Option<bool> {
        let of_path =
            |path: &str| if path.contains('\\') { Some(true) } else { path.starts_with('/').then_some(false) };
        let mut paths = self.processes.iter().filter(|process| process.host == host);
        paths.find_map(|process| of_path(&process.party.path)).or_else(|| {
            let here = self.findings.iter().filter(|finding| finding.host == host);
            let windows =
                |provider: &str| provider.starts_with("Microsoft-Windows") || provider == "Service Control Manager";
            here.flat_map(|finding| &finding.evidence).any(|seen| windows(&seen.provider)).then_some(true)
        })
    }
}

/// Whether one of an event's first keys is that of the process.
fn has_key(event: &WatchedEvent, process: &HostParty, first: usize) -> bool {
    let (host, party) = (&process.host, &process.party);
    let entity = (!party.entity.is_empty()).then(|| format!("p:{host}/{}", party.entity.to_ascii_lowercase()));
    let pid = party.pid.map(|pid| (format!("p:{host}/{pid}"), format!("p:{host}/{pid}@")));
    event.host == *host
        && event.joins.iter().take(first).any(|key| match (&entity, &pid) {
            (Some(entity), _) => key == entity,
            (None, Some((pid, with_start))) => key == pid || key.starts_with(with_start),
            (None, None) => false,
        })
}

/// The accounts that a finding names, ids by their names where those are known.
fn spelled<'f>(finding: &'f Finding, names: &'f Names) -> impl Iterator<Item = String> + 'f {
    [&finding.user, &finding.origin.account, &finding.target.account]
        .into_iter()
        .map(|account| names.account(account, &finding.host).to_owned())
}

/// A list of texts, each once, without the empty ones.
pub fn unique(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = Vec::new();
    for text in texts.filter(|text| !text.is_empty()) {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen
}

/// A process in words: `relay.exe (70)`.
pub fn called(party: &Party) -> String {
    let name = if party.name.is_empty() { "a process" } else { &party.name };
    party.pid.map_or_else(|| name.to_owned(), |pid| format!("{name} ({pid})"))
}

/// The text as a whole sentence.
pub fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() || text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// At most so many characters of a text, cut at a word and with an ellipsis where something is left out.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    let at_word = kept.rfind(char::is_whitespace).filter(|at| *at > kept.len() / 2).unwrap_or(kept.len());
    format!("{}…", kept.get(..at_word).unwrap_or(&kept).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_at_a_word() {
        assert_eq!(cut("one two three", 20), "one two three");
        assert_eq!(cut("one two three", 10), "one two…");
        assert_eq!(cut("abcdefghijkl", 5), "abcd…");
        assert_eq!(sentence("It ran"), "It ran.");
        assert_eq!(sentence("It ran."), "It ran.");
    }
}
