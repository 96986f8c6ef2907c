//! COM and DCOM: activation from other machines, hijacked classes, elevation, scripts that drive COM.

pub mod activation_failure_sweep;
pub mod class_redirected;
pub mod excel_addin_by_automation;
pub mod hijack_cleanup;
pub mod hijack_consummated;
pub mod inbound_rpc_then_child;
pub mod mmc20;
pub mod not_a_com_server;
pub mod office_activation;
pub mod office_automation_abuse;
pub mod outbound_activation_failed;
pub mod output_redirection;
pub mod per_user_class;
pub mod planted_server_library;
pub mod protected_class;
pub mod relay_tool;
pub mod remote_access_refused;
pub mod remote_activation;
pub mod remote_activation_by_script;
pub mod remote_server_child;
pub mod scriptlet_class;
pub mod server_in_odd_place;
pub mod service_becomes_system;
pub mod shell_windows;
pub mod wmi_process_create;
pub mod wmi_script_child;
