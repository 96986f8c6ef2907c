//! Shared lists: names that analytics look up, each with its source.

pub mod com;
pub mod modules;
pub mod os_programs;
pub mod pipes;
pub mod programs;
pub mod sockets;
