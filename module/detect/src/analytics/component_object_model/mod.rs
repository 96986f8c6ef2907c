//! COM and DCOM: activation from other machines, hijacked classes, elevation, scripts that drive COM.

pub mod class_redirected;
pub mod hijack_cleanup;
pub mod hijack_consummated;
pub mod per_user_class;
pub mod protected_class;
pub mod scriptlet_class;
pub mod server_in_odd_place;

pub mod remote_activation;
