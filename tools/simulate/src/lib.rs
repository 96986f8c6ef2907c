//! Makes the logs of a company that does not exist: for tests, demonstrations, baselines and benchmarks.
//!
//! A fleet of Windows and Linux hosts does its ordinary work, follows working hours and weekends, and is attacked now
//! and then through inter-process communication. What the attacks wrote into which log is told in a `truth.json`
//! beside the logs. All follows from a seed: there is no clock and no other randomness, so that the same options give
//! the same bytes on every machine.
//!
//! - [`Fleet`] yields [`Record`]s in the order of time, and holds only the state of its hosts;
//! - [`run`] writes them: EVTX, JSON as several shippers write it, XML, or audit lines.
//!
//! What is simulated is what a company's logs are made of (process starts and ends, logons, pipes, sockets, flows,
//! shares, COM registrations, installations), field by field as the systems write it; not how a network or an
//! operating system behaves beyond that. Hosts, people, vendors and public addresses (RFC 5737) are made up.
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
