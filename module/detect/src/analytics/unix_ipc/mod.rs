//! UNIX sockets, FIFOs and what else Linux processes talk over.

pub mod container_takeover;
pub mod fifo_in_shared_folder;
pub mod fifo_reverse_shell;
pub mod fifo_tasking;
pub mod hand_made_client;
pub mod shell_over_connection;
