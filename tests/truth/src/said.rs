//! What an incident says, in the terms of the truth files.

use std::collections::BTreeSet;

use backchannel_events::{Machine, Side};
use backchannel_report::{FindingDocument, IncidentDocument, Process, StepDocument};

/// What an incident says.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Machines named as where it came from: where movements start, each with all its names, parted by `|`.
    pub origins: BTreeSet<String>,
    /// Machines named as acted upon.
    pub targets: BTreeSet<String>,
    /// Accounts named as used on the side of the origin.
    pub origin_accounts: BTreeSet<String>,
    /// Accounts named as used.
    pub accounts: BTreeSet<String>,
    /// Mechanisms.
    pub mechanisms: BTreeSet<String>,
    /// Processes that take part: lower-case name and pid.
    pub processes: BTreeSet<(String, u32)>,
    /// Processes that any sentence of the incident or of its findings names, with their pids: `cmd.exe (1504)`.
    pub named: BTreeSet<(String, u32)>,
    /// Tier.
    pub tier: u8,
    /// Values of the four questions.
    pub answers: [(&'static str, &'static str); 4],
    /// ATT&CK techniques.
    pub techniques: BTreeSet<String>,
    /// Escalation reasons.
    pub reasons: BTreeSet<String>,
    /// Steps of containment.
    pub steps: Vec<StepDocument>,
}

impl Said {
    /// What `incident` says; `findings` are those of its run.
    pub fn of(incident: &IncidentDocument, findings: &[FindingDocument]) -> Self {
        let answers = &incident.answers;
        let mut said = Self {
            tier: incident.tier,
            answers: [
                ("q1", answers.q1.value.as_str()),
                ("q2", answers.q2.value.as_str()),
                ("q3", answers.q3.value.as_str()),
                ("q4", answers.q4.value.as_str()),
            ],
            techniques: incident.techniques.iter().cloned().collect(),
            reasons: incident.reasons.iter().map(|reason| reason.code.clone()).collect(),
            steps: incident.containment.clone(),
            accounts: incident.users.iter().cloned().collect(),
            ..Self::default()
        };
        said.mechanisms.extend(incident.channels.iter().map(|channel| channel.mechanism.as_str().to_owned()));
        for one in incident.processes.iter().chain(&incident.level2.processes) {
            said.process(&one.process);
        }
        for one in &incident.movements {
            let name = |machine: &Machine| {
                let names = [machine.host.as_str(), machine.address.as_str()];
                names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join("|")
            };
            said.origins.extend(Some(name(&one.from)).filter(|name| !name.is_empty()));
            said.targets.extend(Some(name(&one.to)).filter(|name| !name.is_empty()));
            said.mechanisms.insert(one.mechanism.as_str().to_owned());
            if !one.account.is_empty() {
                said.accounts.insert(one.account.clone());
                said.origin_accounts.insert(one.account.clone());
            }
        }
        let level1 = &incident.level1;
        said.name(&incident.text);
        for record in level1.timeline.iter().chain(&level1.user_activity).chain(&level1.recent_changes) {
            said.name(&record.text);
        }
        for finding in findings.iter().filter(|finding| incident.findings.contains(&finding.id)) {
            said.finding(finding);
        }
        said
    }

    fn finding(&mut self, finding: &FindingDocument) {
        let (origin, target) = (&finding.origin, &finding.target);
        // What crosses machines is said by the movements, under the names that the incident found for them.
        if !target.host.is_empty() && (origin.host.is_empty() || origin.host == target.host) {
            self.targets.insert(target.host.clone());
        }
        for account in [&origin.account, &target.account] {
            if !account.is_empty() {
                self.accounts.insert(account.clone());
            }
        }
        if !origin.account.is_empty() {
            self.origin_accounts.insert(origin.account.clone());
        }
        self.mechanisms.extend(finding.channel.as_ref().map(|channel| channel.mechanism.as_str().to_owned()));
        finding.client.iter().chain(&finding.server).for_each(|process| self.process(process));
        self.side(origin);
        self.side(target);
        self.name(&finding.text);
        finding.evidence.iter().for_each(|record| self.name(&record.text));
    }

    /// Notes the processes that a sentence names: a word, and a number in brackets behind it.
    fn name(&mut self, sentence: &str) {
        for (at, _) in sentence.match_indices(" (") {
            let number = sentence[at + 2..].split(')').next().and_then(|number| number.parse().ok());
            let word = sentence[..at].rsplit(' ').next().filter(|word| !word.is_empty());
            if let (Some(pid), Some(word)) = (number, word) {
                self.named.insert((word.to_lowercase(), pid));
            }
        }
    }

    fn side(&mut self, side: &Side) {
        if let Some((process, pid)) = side.process.as_ref().and_then(|process| Some((process, process.pid?))) {
            self.processes.insert((process.name.to_lowercase(), pid));
        }
    }

    fn process(&mut self, process: &Process) {
        if let Some(pid) = process.pid {
            self.processes.insert((process.name.to_lowercase(), pid));
        }
    }
}
