//! Shared lists: names that analytics look up, each with its source.

pub mod com;
pub mod com_classes;
pub mod dbus;
pub mod dde;
pub mod debuggers;
pub mod elevation;
pub mod faults;
pub mod folders;
pub mod hubs;
pub mod macos;
pub mod modules;
pub mod office;
pub mod os_programs;
pub mod pipes;
pub mod places;
pub mod programs;
pub mod rpc;
pub mod scripts;
pub mod server_programs;
pub mod sockets;
pub mod telemetry;
pub mod unix_paths;
pub mod wmi;
