//! COM and DCOM: activation from other machines, hijacked classes, elevation, scripts that drive COM.

// COM on one machine, and elevation through it.
pub mod browser_as_client;
pub mod class_by_id;
pub mod class_redirected;
pub mod edition_upgrade;
pub mod elevated_class_child;
pub mod elevation_moniker;
pub mod elevation_without_consent;
pub mod engine_in_odd_host;
pub mod explorer_factory;
pub mod false_embedding;
pub mod hijack_cleanup;
pub mod hijack_consummated;
pub mod mock_system_folder;
pub mod office_automated;
pub mod per_user_class;
pub mod protected_class;
pub mod regsvr32_scriptlet;
pub mod rundll32_class;
pub mod scripted_automation;
pub mod scriptlet_class;
pub mod server_in_odd_place;
pub mod shell_driven_locally;
pub mod steered_elevation;
pub mod surrogate_file_operation;
pub mod surrogate_misbehaves;
pub mod surrogate_without_class;
pub mod task_through_com;

// COM between machines.
pub mod remote_activation;
