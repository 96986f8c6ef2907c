//! Shared lists: names that analytics look up, each with its source.

pub mod com;
pub mod com_classes;
pub mod dde;
pub mod elevation;
pub mod modules;
pub mod office;
pub mod pipes;
pub mod places;
pub mod programs;
