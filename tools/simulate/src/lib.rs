//! Generates synthetic logs with labelled attacks, for tests, demonstrations, baselines and benchmarks.
//!
//! A fleet of Windows and Linux hosts does ordinary work, with working hours and weekends, and is occasionally attacked
//! through inter-process communication. `truth.json`, written with the logs, labels the records of the attacks.
//! Everything is derived from a seed, without a clock or other randomness, so that the same options give the same bytes
//! on every machine.
//!
//! - [`Fleet`] yields [`Record`]s ordered by time, and keeps only the state of its hosts;
//! - [`run`] writes them: EVTX, JSON as several shippers write it, XML, or audit lines.
//!
//! The simulation covers the contents of logs (process starts and ends, logons, pipes, sockets, flows, shares, COM
//! registrations, installations), with the same fields as the real systems; it does not model the behaviour of networks
//! or operating systems beyond that. Hosts, people, vendors and public addresses (RFC 5737) are fictitious.
//!
//! ```
//! use backchannel_simulate::{Fleet, Options};
//!
//! let options = Options { windows_hosts: 1, linux_hosts: 1, days: 0, hours: 1, ..Options::default() };
//! let times: Vec<i64> = Fleet::new(&options).map(|record| record.time_ns).collect();
//! assert!(times.is_sorted() && !times.is_empty());
//! ```

mod clock;
mod fleet;
mod linux;
mod options;
mod pace;
mod plan;
mod queue;
mod random;
mod record;
mod windows;
mod world;
mod write;

pub use fleet::Fleet;
pub use options::{Attack, Attacks, LinuxShape, Options, WindowsShape};
pub use plan::{Episode, Kind};
pub use record::{
    AuditRecord, AuditValue, Body, DISTRIBUTED_COM, INSTALLER, POWERSHELL, Provider, Record, SECURITY, SERVICES,
    SYSMON, Text, Value, WindowsEvent,
};
pub use write::{Report, run, run_mixed};
