//! Windows events to process events: one file per provider, independent of the carrier.

mod accounts;
mod addresses;
mod clock;
mod distributed_com;
mod positions;
mod powershell;
mod rpc;
mod security;
mod sysmon;
mod system;
mod text;
mod view;
mod wmi;

#[cfg(test)]
mod tests;

use backchannel_events::{Activity, Outcome, Process, ProcessEvent, Provenance, Source};
use bumpalo::Bump;

use crate::{Accepted, Place, WindowsRecord};
use addresses::Addresses;
use clock::Clocks;
use view::View;

pub use clock::ClockOffset;

/// The providers whose events are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provider {
    Sysmon,
    Security,
    EventLog,
    ServiceControlManager,
    DistributedCom,
    PowerShell,
    ClassicPowerShell,
    WmiActivity,
    MsiInstaller,
    Rpc,
}

impl Provider {
    /// The provider with this name, ignoring case. Called for every record of every log, so the length is compared
    /// first.
    fn named(name: &str) -> Option<Self> {
        let (known, provider) = match name.len() {
            24 => ("Microsoft-Windows-Sysmon", Self::Sysmon),
            35 => ("Microsoft-Windows-Security-Auditing", Self::Security),
            26 => ("Microsoft-Windows-Eventlog", Self::EventLog),
            23 => ("Service Control Manager", Self::ServiceControlManager),
            32 => ("Microsoft-Windows-DistributedCOM", Self::DistributedCom),
            4 => ("DCOM", Self::DistributedCom),
            28 => ("Microsoft-Windows-PowerShell", Self::PowerShell),
            14 => ("PowerShellCore", Self::PowerShell),
            10 => ("PowerShell", Self::ClassicPowerShell),
            30 => ("Microsoft-Windows-WMI-Activity", Self::WmiActivity),
            12 => ("MsiInstaller", Self::MsiInstaller),
            21 => ("Microsoft-Windows-RPC", Self::Rpc),
            _ => return None,
        };
        // The name nearly always has the case that Windows uses, and an exact comparison is faster.
        (name == known || name.eq_ignore_ascii_case(known)).then_some(provider)
    }

    const fn wants(self, event_id: u32) -> bool {
        match self {
            Self::Sysmon => sysmon::wants(event_id),
            Self::Security => security::wants(event_id),
            Self::EventLog => matches!(event_id, 104 | 1102),
            Self::ServiceControlManager => matches!(event_id, 7036 | 7045),
            Self::DistributedCom => distributed_com::wants(event_id),
            Self::PowerShell => powershell::wants(event_id),
            Self::ClassicPowerShell => powershell::wants_classic(event_id),
            Self::WmiActivity => wmi::wants(event_id),
            Self::MsiInstaller => matches!(event_id, 1033 | 1034 | 11707 | 11724),
            Self::Rpc => rpc::wants(event_id),
        }
    }

    const fn source(self, event_id: u32) -> Source {
        match self {
            Self::Sysmon => Source::Sysmon,
            Self::Security => Source::Security,
            // The clearing of the Security log is in the Security log, that of any other log in System.
            Self::EventLog if event_id == 1102 => Source::Security,
            Self::EventLog | Self::ServiceControlManager => Source::System,
            Self::DistributedCom => Source::DistributedCom,
            Self::PowerShell | Self::ClassicPowerShell => Source::PowerShell,
            Self::WmiActivity => Source::WmiActivity,
            Self::MsiInstaller => Source::Application,
            Self::Rpc => Source::RpcTrace,
        }
    }
}

/// Whether records of this provider and event id are used.
pub fn wants(provider: &str, event_id: u32) -> bool {
    Provider::named(provider).is_some_and(|provider| provider.wants(event_id))
}

/// The content of a record, before time and host are determined.
struct Content<'a> {
    process: Process<'a>,
    activity: Activity<'a>,
    outcome: Outcome,
}

/// Converts Windows records to events. Its state: the clock of each source, the addresses of each host.
#[derive(Debug, Default)]
pub struct Windows {
    clocks: Clocks,
    addresses: Addresses,
}

impl Windows {
    /// Accepts one record and passes the event it gives to `sink`.
    pub fn accept<'a>(
        &mut self,
        record: &WindowsRecord<'a>,
        place: Place<'a>,
        arena: &'a Bump,
        sink: &mut dyn FnMut(&ProcessEvent<'_>),
    ) -> Accepted {
        let Some(provider) = Provider::named(record.provider).filter(|provider| provider.wants(record.event_id)) else {
            return Accepted::NotUsed;
        };
        let host = host(record, place);
        let view = View::new(record, provider, host, arena);
        let time = if provider == Provider::Sysmon {
            let utc = text::time(view.text("UtcTime"));
            self.clocks.sysmon(place.input, host, record.time, utc, record.event_id != 3)
        } else {
            self.clocks.other(place.input, host, record.time)
        };
        let content = match provider {
            Provider::Sysmon => sysmon::read(&view, &mut self.addresses),
            Provider::Security => security::read(&view, &mut self.addresses),
            Provider::EventLog => system::log(&view),
            Provider::ServiceControlManager => system::service(&view),
            Provider::DistributedCom => distributed_com::read(&view),
            Provider::PowerShell => powershell::read(&view),
            Provider::ClassicPowerShell => powershell::classic(&view),
            Provider::WmiActivity => wmi::read(&view),
            Provider::MsiInstaller => system::installer(&view),
            Provider::Rpc => rpc::read(&view),
        };
        let Some(mut content) = content else { return Accepted::NotUsed };
        if matches!(content.activity, Activity::ProcessStart) {
            content.process.start = Some(time);
        }
        sink(&ProcessEvent {
            time,
            host,
            outcome: content.outcome,
            process: content.process,
            activity: content.activity,
            provenance: Provenance {
                source: provider.source(record.event_id),
                input: place.input,
                line: place.line,
                record: record.record_id,
                provider: record.provider,
                event_id: record.event_id,
            },
        });
        Accepted::Events(1)
    }

    /// Learns the clock offset of a record's source, without giving events.
    pub fn learn_clock(&mut self, record: &WindowsRecord<'_>, place: Place<'_>, arena: &Bump) {
        if record.event_id == 3 || Provider::named(record.provider) != Some(Provider::Sysmon) {
            return;
        }
        let host = host(record, place);
        let utc = text::time(View::new(record, Provider::Sysmon, host, arena).text("UtcTime"));
        self.clocks.learn(place.input, host, record.time, utc);
    }

    /// The clock offsets of sources whose records have a time that is not UTC, ordered by input and host.
    pub fn clock_offsets(&self) -> Vec<ClockOffset> {
        self.clocks.offsets()
    }
}

fn host<'a>(record: &WindowsRecord<'a>, place: Place<'a>) -> &'a str {
    match text::clean(record.computer) {
        "" => place.default_host,
        computer => computer,
    }
}
