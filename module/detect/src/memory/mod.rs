//! The state stored for each host: one file a table, each bounded. A table stores facts and is independent of analytics,
//! settings and the event's context; `remember/` decides what an event adds.

pub mod activation;
pub mod addresses;
pub mod channels;
pub mod com_registry;
pub mod documents;
mod evicted;
mod host;
pub mod injections;
pub mod logons;
pub mod note;
pub mod pipes;
pub mod processes;
pub mod rates;
pub mod recent;
pub mod remote_registration;
pub mod rpc_calls;
pub mod share;
pub mod tallies;
pub mod watch;

pub use activation::{Activation, Broker};
pub use channels::{KnownChannel, Use};
pub use evicted::Evicted;
pub use host::Host;
pub use logons::KnownLogon;
pub use note::{Interner, Name, Note};
pub use processes::{KnownProcess, ProcessId};
pub use tallies::Tally;
