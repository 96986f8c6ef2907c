//! UNIX sockets, FIFOs, D-Bus and other inter-process communication on Linux.

pub mod bus_daemon_child;
pub mod bus_privileged_method;
pub mod bus_untrusted_client;
pub mod container_socket_client;
pub mod container_takeover;
pub mod fifo_in_shared_folder;
pub mod fifo_reverse_shell;
pub mod fifo_tasking;
pub mod hand_made_client;
pub mod memory_write;
pub mod multiplexer_hijack;
pub mod odd_socket_server;
pub mod polkit_race;
pub mod powerful_daemon_client;
pub mod ptrace_attach;
pub mod server_starts_shell;
pub mod shared_memory_program;
pub mod shell_over_connection;
pub mod socket_opened_to_all;
pub mod ssh_agent_hijack;
pub mod systemd_execution_proxy;
pub mod unfamiliar_root_socket;
pub mod untrusted_abstract_socket;
