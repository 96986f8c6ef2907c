//! [`Host`]: all tables of one machine.

use std::collections::BTreeMap;
use std::time::Duration;

use backchannel_events::{Activity, ProcessEvent, Source, Telemetry, TelemetryState, Timestamp};
use serde::{Deserialize, Serialize};

use super::activation::{Activation, Broker, Origin};
use super::addresses::Addresses;
use super::channels::Channels;
use super::com_registry::ComRegistry;
use super::documents::Documents;
use super::evicted::Evicted;
use super::injections::Injection;
use super::logons::Logons;
use super::note::{Interner, Name};
use super::pipes::{AnonymousPipe, RemoteOpen};
use super::processes::{KnownProcess, ProcessId, Processes};
use super::rates::Rates;
use super::recent::{Change, FileWritten, Flow, Recent, Registration, Service};
use super::remote_registration::RemoteRegistration;
use super::rpc_calls::RpcCalls;
use super::share::Share;
use super::tallies::Tallies;
use super::watch::Watch;

/// An event older than the newest of its host by more than this counts as late.
const LATENESS: Duration = Duration::from_secs(120);

/// Maximum number of flows, changes, registrations, files and remote openings stored for a host, each.
const FLOWS: usize = 512;
const CHANGES: usize = 256;
const REGISTRATIONS: usize = 512;
const FILES: usize = 512;
const REMOTE_PIPES: usize = 256;

/// The stored state of one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Its key: the lower-case first label of its name.
    pub key: Name,
    /// Its processes.
    pub processes: Processes,
    /// Its logon sessions.
    pub logons: Logons,
    /// Its channels.
    pub channels: Channels,
    /// Its own addresses.
    pub addresses: Addresses,
    /// Its latest network flows.
    pub flows: Recent<Flow>,
    /// Recently installed services.
    pub services: Recent<Service>,
    /// Changes of software and permissions.
    pub changes: Recent<Change>,
    /// Recently registered COM servers.
    pub registrations: Recent<Registration>,
    /// COM state from the registry: the catalogue of classes, suspicious registrations, redirected handlers.
    pub com: ComRegistry,
    /// Documents written, and indications of DDE.
    pub documents: Documents,
    /// Recently written files of interest: executables, libraries, add-ins.
    pub files: Recent<FileWritten>,
    /// Pipes recently opened through IPC$, with the account.
    pub remote_pipes: Recent<RemoteOpen>,
    /// Recently created anonymous pipes.
    pub anonymous_pipes: Recent<AnonymousPipe>,
    /// Recent procedure calls from and to other machines.
    pub rpc_calls: RpcCalls,
    /// COM registrations recently written for another machine.
    pub far_registrations: Recent<RemoteRegistration>,
    /// Counters for thresholds.
    pub tallies: Tallies,
    /// Recent injections of one process into another.
    pub injections: Recent<Injection>,
    /// Rate of communication of each actor, per minute.
    pub rates: Rates,
    /// Time of the first event.
    pub first_seen: Timestamp,
    /// Time of the newest event.
    pub last_seen: Timestamp,
    /// Watched processes and logons.
    pub watch: Watch,
    sources: u32,
    covered: BTreeMap<Source, Cover>,
}

/// From when on the records of a source are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cover {
    /// Time of the first record that was seen, or of the last clearing of the log.
    pub since: Timestamp,
    /// Whether the log was cleared then.
    pub cleared: bool,
}

impl Host {
    /// A host without any state.
    pub fn new(key: Name, time: Timestamp) -> Self {
        Self {
            key,
            processes: Processes::default(),
            logons: Logons::default(),
            channels: Channels::default(),
            addresses: Addresses::default(),
            flows: Recent::new(FLOWS),
            services: Recent::new(128),
            changes: Recent::new(CHANGES),
            registrations: Recent::new(REGISTRATIONS),
            com: ComRegistry::default(),
            documents: Documents::default(),
            files: Recent::new(FILES),
            remote_pipes: Recent::new(REMOTE_PIPES),
            anonymous_pipes: Recent::new(128),
            rpc_calls: RpcCalls::default(),
            far_registrations: Recent::new(64),
            tallies: Tallies::default(),
            injections: Recent::new(128),
            rates: Rates::default(),
            first_seen: time,
            last_seen: time,
            watch: Watch::default(),
            sources: 0,
            covered: BTreeMap::new(),
        }
    }

    /// Limits all tables to a share of the memory from now on.
    pub fn fit(&mut self, share: Share) -> Evicted {
        Evicted {
            hosts: 0,
            processes: self.processes.fit(share),
            logons: self.logons.fit(share),
            channels: self.channels.fit(share),
            other: self.tallies.fit(share)
                + self.rates.fit(share)
                + self.flows.fit(share)
                + self.services.fit(share)
                + self.changes.fit(share)
                + self.registrations.fit(share)
                + self.com.fit(share)
                + self.documents.arrived.fit(share)
                + self.documents.traces.fit(share)
                + self.files.fit(share)
                + self.remote_pipes.fit(share)
                + self.anonymous_pipes.fit(share)
                + self.rpc_calls.fit(share)
                + self.far_registrations.fit(share)
                + self.injections.fit(share),
        }
    }

    /// Whether a record of that source was seen from this machine.
    pub fn has_source(&self, source: Source) -> bool {
        self.sources & (1 << source as u32) != 0
    }

    /// Whether an event of that time arrives too late for reliable joins.
    pub fn is_late(&self, time: Timestamp) -> bool {
        time + LATENESS < self.last_seen
    }

    /// Records the time and the source of an event.
    pub fn note(&mut self, event: &ProcessEvent<'_>) {
        self.first_seen = self.first_seen.min(event.time);
        self.last_seen = self.last_seen.max(event.time);
        let source = event.provenance.source;
        if !self.has_source(source) {
            self.sources |= 1 << source as u32;
            self.covered.insert(source, Cover { since: event.time, cleared: false });
        }
        if let Activity::Telemetry(Telemetry { state: TelemetryState::Cleared, details }) = &event.activity {
            let cleared = match *details {
                log if log.eq_ignore_ascii_case("Security") => Source::Security,
                log if log.eq_ignore_ascii_case("System") => Source::System,
                log if log.eq_ignore_ascii_case("Application") => Source::Application,
                _ => return,
            };
            // What was in the log before may still be here, but nothing says that all of it is.
            self.covered.insert(cleared, Cover { since: event.time, cleared: true });
        }
    }

    /// From when on the records of a source are there; `None` where none was seen.
    pub fn covered(&self, source: Source) -> Option<Cover> {
        self.covered.get(&source).copied()
    }

    /// Applies a logon record that arrived after the processes of its session: they were activated from another machine.
    /// Processes for which `is_service` holds are not changed.
    pub fn prove_activations(
        &mut self,
        logon_id: u64,
        is_service: impl Fn(&KnownProcess) -> bool,
        names: &mut Interner,
    ) {
        let Some(logon) = self.logons.get(logon_id) else { return };
        if !logon.is_remote(&self.addresses) || logon.kind == 10 {
            return;
        }
        let peer = names.name(&logon.address);
        let affected: Vec<(ProcessId, Broker)> = self
            .processes
            .latest_first()
            .filter(|process| process.logon_id == Some(logon_id) && !is_service(process))
            .filter_map(|process| process.activation.as_ref().map(|activation| (process.id, activation.broker)))
            .collect();
        for (id, broker) in affected {
            let activation = Activation { broker, origin: Origin::NetworkLogon, peer: peer.clone() };
            self.processes.set_activation(id, activation);
        }
    }
}
