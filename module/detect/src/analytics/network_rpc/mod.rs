//! Remote procedure calls between machines, as recorded by network monitors, the RPC runtime or the called machine.

pub mod across_the_internet;
pub mod activation_on_the_wire;
pub mod automation_on_the_wire;
pub mod coercion_call;
pub mod coercion_name;
pub mod directory_replication;
pub mod mapper_then_dynamic_port;
pub mod reconnaissance_burst;
pub mod remote_registry;
pub mod remote_service;
pub mod remote_task;
pub mod wmi_on_the_wire;
