//! COM and DCOM: activation from other machines, hijacked classes, elevation, scripts that drive COM.

pub mod remote_activation;
