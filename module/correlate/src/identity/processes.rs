//! Processes as records describe them: which descriptions are of one.

use backchannel_events::{HostParty, Party};

/// Processes as several records describe them, each once and with all that any of them says.
#[derive(Debug, Default)]
pub struct Processes {
    all: Vec<HostParty>,
}

impl Processes {
    /// The processes of these descriptions, in their order.
    pub fn of<'p>(parties: impl Iterator<Item = (&'p str, &'p Party)>) -> Self {
        // Those with a pid first: one without is the same only if that leaves no choice.
        let (with, without): (Vec<_>, Vec<_>) = parties.partition(|(_, party)| party.pid.is_some());
        let mut all: Vec<HostParty> = Vec::new();
        for (host, party) in with.into_iter().chain(without) {
            let mut same = all.iter_mut().filter(|one| one.host == host && is_same_process(&one.party, party));
            match (same.next(), same.next()) {
                (Some(one), None) => complete(&mut one.party, party),
                (Some(one), Some(_)) if one.party.pid == party.pid => complete(&mut one.party, party),
                _ => all.push(HostParty { host: host.to_owned(), party: party.clone() }),
            }
        }
        Self { all }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &HostParty> {
        self.all.iter()
    }

    /// The process that a record of the host describes so, with all that is known of it.
    pub fn find(&self, host: &str, party: &Party) -> Option<&HostParty> {
        self.all.iter().find(|one| one.host == host && is_same_process(&one.party, party))
    }
}

/// Whether two descriptions from one host are of one process: the name and the pid, or the identifier of the source.
/// Records write paths in several ways, so that their folders do not count.
pub fn is_same_process(a: &Party, b: &Party) -> bool {
    if !a.entity.is_empty() && !b.entity.is_empty() {
        return a.entity.eq_ignore_ascii_case(&b.entity);
    }
    let named = a.name.eq_ignore_ascii_case(&b.name);
    match (a.pid, b.pid) {
        (Some(a), Some(b)) => a == b && named,
        _ => {
            let is_bare = |path: &str| !path.contains(['\\', '/']);
            let path = |path: &str| without_volume(path).to_ascii_lowercase();
            named && (is_bare(&a.path) || is_bare(&b.path) || path(&a.path) == path(&b.path))
        }
    }
}

/// A path without its drive or device, which records write in several ways.
fn without_volume(path: &str) -> &str {
    let device = path.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(r"\device\"));
    match path.get(8..).filter(|_| device).and_then(|rest| rest.find('\\').and_then(|at| rest.get(at..))) {
        Some(rest) => rest,
        None => path.split_once(':').map_or(path, |(_, rest)| rest),
    }
}

fn complete(known: &mut Party, other: &Party) {
    let better = |known: &mut String, other: &String| {
        if known.is_empty() {
            known.clone_from(other);
        }
    };
    let is_drive = |path: &str| path.get(1..2) == Some(":");
    let is_worse = known.path.len() <= known.name.len() || !is_drive(&known.path) && is_drive(&other.path);
    if is_worse && other.path.len() > other.name.len() {
        known.path.clone_from(&other.path);
    }
    better(&mut known.entity, &other.entity);
    better(&mut known.user, &other.user);
    if known.command_line.len() < other.command_line.len() {
        known.command_line.clone_from(&other.command_line);
    }
    known.pid = known.pid.or(other.pid);
    known.integrity = known.integrity.max(other.integrity);
    if known.hashes.is_empty() {
        known.hashes.clone_from(&other.hashes);
    }
    if known.ancestors.len() < other.ancestors.len() {
        known.ancestors.clone_from(&other.ancestors);
    }
    known.untrusted |= other.untrusted;
    known.privileged |= other.privileged;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_of_two_logs_is_one() {
        let party = |path: &str, pid: Option<u32>, entity: &str| Party {
            name: path.rsplit('\\').next().unwrap_or(path).into(),
            path: path.into(),
            pid,
            entity: entity.into(),
            ..Party::default()
        };
        let sysmon = party(r"C:\Tools\Relay.exe", Some(70), "{a}");
        let security = party(r"c:\tools\relay.exe", Some(70), "");
        let nameless = party("relay.exe", None, "");
        let merged = |parties: &[&Party]| Processes::of(parties.iter().map(|&party| ("till3", party))).all.len();
        assert_eq!(merged(&[&nameless, &security, &sysmon]), 1);
        let device = party(r"\device\harddiskvolume2\tools\relay.exe", Some(70), "");
        let no_pid = party(r"C:\Tools\Relay.exe", None, "{a}");
        assert_eq!(merged(&[&device, &no_pid]), 1);
        let other = party(r"C:\Tools\Relay.exe", Some(71), "{b}");
        assert_eq!(merged(&[&sysmon, &other, &nameless]), 3, "which of the two is meant is not known");
        assert_eq!(merged(&[&sysmon, &party(r"C:\Tools\Relay.exe", Some(70), "{c}")]), 2, "the pid came back");
    }
}
