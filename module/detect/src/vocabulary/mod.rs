//! Shared lists: names that analytics look up, each with its source.

pub mod com;
pub mod com_classes;
pub mod dde;
pub mod elevation;
pub mod modules;
pub mod office;
pub mod os_programs;
pub mod pipes;
pub mod places;
pub mod programs;
pub mod scripts;
pub mod sockets;
pub mod wmi;
