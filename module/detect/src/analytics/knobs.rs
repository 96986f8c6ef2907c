//! What a site may set about single analytics: the times within which they join records (ATT&CK's TimeWindow), and how
//! much is too much for those that count. Each is declared in its analytic's file and listed here.

use super::*;
use crate::{Threshold, Window};

/// Times within which analytics join records.
pub const WINDOWS: &[Window] = &[
    component_object_model::office_automated::WINDOW,
    component_object_model::browser_as_client::WINDOW,
    component_object_model::surrogate_without_class::WINDOW,
    component_object_model::surrogate_misbehaves::WINDOW,
    component_object_model::shell_driven_locally::JOINED,
    component_object_model::weak_authentication::TOGETHER,
    component_object_model::inbound_rpc_then_child::TOGETHER,
    component_object_model::shell_windows::TOGETHER,
    component_object_model::office_activation::CLIENT,
    component_object_model::hta_activation::TOGETHER,
    component_object_model::planted_server_library::TOGETHER,
    component_object_model::service_becomes_system::BEFORE,
    component_object_model::surrogate_file_operation::WINDOW,
    component_object_model::elevation_without_consent::WINDOW,
    component_object_model::steered_elevation::WINDOW,
    component_object_model::wmi_inbound_call::TOGETHER,
    dynamic_data_exchange::office_child::WINDOW,
    dynamic_data_exchange::linked_document::WINDOW,
    named_pipes::renamed_executor::WINDOW,
    named_pipes::impersonation_chain::WINDOW,
    named_pipes::random_name::WINDOW,
    named_pipes::coercion::WINDOW,
    named_pipes::relay::WINDOW,
    named_pipes::piped_shell::WINDOW,
    unix_ipc::polkit_race::WINDOW,
    unix_ipc::server_starts_shell::WINDOW,
    unix_ipc::odd_socket_server::WINDOW,
    unix_ipc::fifo_reverse_shell::WINDOW,
    unix_ipc::fifo_tasking::WINDOW,
    network_rpc::automation_on_the_wire::WINDOW,
    network_rpc::mapper_then_dynamic_port::WINDOW,
    network_rpc::remote_service::WINDOW,
    network_rpc::remote_task::WINDOW,
    network_rpc::wmi_on_the_wire::WINDOW,
    network_rpc::directory_replication::WINDOW,
    network_rpc::coercion_name::WINDOW,
    xpc_services::helper_child::BEFORE,
    generic::after_logon::AFTER,
    generic::injected_endpoint::AFTER,
    generic::telemetry_tampered::BEFORE,
];

/// How much is too much.
pub const THRESHOLDS: &[Threshold] = &[
    component_object_model::activation_failure_sweep::TARGETS,
    component_object_model::activation_failure_sweep::CLASSES,
    named_pipes::sweep::REMOTE,
    named_pipes::sweep::LOCAL,
    unix_ipc::polkit_race::TRIES,
    network_rpc::reconnaissance_burst::BURST,
    generic::burst::MANY,
    generic::burst::KINDS,
    generic::reported_fault::MANY,
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn declared(folder: &Path, what: &str) -> usize {
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                count += declared(&path, what);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                count += text.lines().filter(|line| line.starts_with("pub const ") && line.contains(what)).count();
            }
        }
        count
    }

    #[test]
    fn every_declared_knob_is_listed_once_under_its_own_analytic() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/analytics");
        assert_eq!(declared(&folder, ": Window ="), WINDOWS.len());
        assert_eq!(declared(&folder, ": Threshold ="), THRESHOLDS.len());
        let known = |id: &str| ANALYTICS.iter().any(|analytic| analytic.id == id);
        assert!(WINDOWS.iter().all(|window| known(window.analytic)));
        for one in THRESHOLDS {
            assert!(known(one.analytic) && one.least <= one.default && one.default <= one.most, "{}", one.name);
        }
        let mut names: Vec<_> = THRESHOLDS.iter().map(|one| (one.analytic, one.name)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), THRESHOLDS.len());
    }
}
