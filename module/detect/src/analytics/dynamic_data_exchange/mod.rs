//! Dynamic Data Exchange: documents that start programs, and the settings that allow it.

pub mod dde_instruction;
pub mod dde_reenabled;
pub mod legacy_ole_server;
pub mod linked_document;
pub mod office_child;
