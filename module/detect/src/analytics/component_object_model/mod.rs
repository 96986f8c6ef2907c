//! COM and DCOM: activation from other machines, hijacked classes, elevation, scripts that drive COM.

pub mod activation_failure_sweep;
pub mod outbound_activation_failed;
pub mod remote_access_refused;
pub mod remote_activation;
pub mod remote_server_child;
