//! The catalogue: one file an analytic, one folder a family.

pub(crate) mod component_object_model;
pub(crate) mod dynamic_data_exchange;
pub(crate) mod generic;
pub(crate) mod named_pipes;
pub(crate) mod network_rpc;
pub(crate) mod unix_ipc;
pub(crate) mod xpc_services;

use crate::Analytic;

/// Every analytic, by family and then by id. Adding one: its file, a line here, one firing and one quiet case.
pub const ANALYTICS: &[&Analytic] = &[
    &component_object_model::per_user_class::ANALYTIC,
    &component_object_model::server_in_odd_place::ANALYTIC,
    &component_object_model::scriptlet_class::ANALYTIC,
    &component_object_model::class_redirected::ANALYTIC,
    &component_object_model::protected_class::ANALYTIC,
    &component_object_model::hijacked_class_used::ANALYTIC,
    &component_object_model::hijack_cleanup::ANALYTIC,
    &component_object_model::rundll32_class::ANALYTIC,
    &component_object_model::class_by_id::ANALYTIC,
    &component_object_model::regsvr32_scriptlet::ANALYTIC,
    &component_object_model::engine_in_odd_host::ANALYTIC,
    &component_object_model::scripted_automation::ANALYTIC,
    &component_object_model::office_automated::ANALYTIC,
    &component_object_model::browser_as_client::ANALYTIC,
    &component_object_model::task_through_com::ANALYTIC,
    &component_object_model::surrogate_without_class::ANALYTIC,
    &component_object_model::unusual_surrogate::ANALYTIC,
    &component_object_model::explorer_factory::ANALYTIC,
    &component_object_model::false_embedding::ANALYTIC,
    &component_object_model::local_shell_automation::ANALYTIC,
    &component_object_model::remote_access_refused::ANALYTIC,
    &component_object_model::outbound_activation_failed::ANALYTIC,
    &component_object_model::activation_failure_sweep::ANALYTIC,
    &component_object_model::weak_authentication::ANALYTIC,
    &component_object_model::server_start_failed::ANALYTIC,
    &component_object_model::remote_activation::ANALYTIC,
    &component_object_model::remote_server_child::ANALYTIC,
    &component_object_model::inbound_rpc_then_child::ANALYTIC,
    &component_object_model::mmc20::ANALYTIC,
    &component_object_model::shell_windows::ANALYTIC,
    &component_object_model::office_activation::ANALYTIC,
    &component_object_model::excel_search_order_child::ANALYTIC,
    &component_object_model::excel_addin_by_automation::ANALYTIC,
    &component_object_model::office_automation_abuse::ANALYTIC,
    &component_object_model::hta_activation::ANALYTIC,
    &component_object_model::planted_server_library::ANALYTIC,
    &component_object_model::remote_registry_redirect::ANALYTIC,
    &component_object_model::security_weakened::ANALYTIC,
    &component_object_model::remote_activation_by_script::ANALYTIC,
    &component_object_model::relay_tool::ANALYTIC,
    &component_object_model::service_becomes_system::ANALYTIC,
    &component_object_model::not_a_com_server::ANALYTIC,
    &component_object_model::output_redirection::ANALYTIC,
    &component_object_model::elevated_class_child::ANALYTIC,
    &component_object_model::edition_upgrade::ANALYTIC,
    &component_object_model::surrogate_file_operation::ANALYTIC,
    &component_object_model::elevation_without_consent::ANALYTIC,
    &component_object_model::redirected_elevation::ANALYTIC,
    &component_object_model::elevation_moniker::ANALYTIC,
    &component_object_model::mock_system_folder::ANALYTIC,
    &component_object_model::wmi_process_create::ANALYTIC,
    &component_object_model::wmi_script_child::ANALYTIC,
    &component_object_model::wmi_inbound_call::ANALYTIC,
    &component_object_model::wmi_subscription::ANALYTIC,
    &component_object_model::wmi_remote_client::ANALYTIC,
    &dynamic_data_exchange::office_child::ANALYTIC,
    &dynamic_data_exchange::dde_reenabled::ANALYTIC,
    &dynamic_data_exchange::dde_instruction::ANALYTIC,
    &dynamic_data_exchange::linked_document::ANALYTIC,
    &dynamic_data_exchange::legacy_ole_server::ANALYTIC,
    &xpc_services::untrusted_client::ANALYTIC,
    &xpc_services::unusual_service::ANALYTIC,
    &xpc_services::helper_child::ANALYTIC,
    &xpc_services::launchd_odd_program::ANALYTIC,
    &xpc_services::apple_events::ANALYTIC,
    &named_pipes::known_tool_pipe::ANALYTIC,
    &named_pipes::imitating_name::ANALYTIC,
    &named_pipes::false_claim::ANALYTIC,
    &named_pipes::executor_pipe::ANALYTIC,
    &named_pipes::renamed_executor::ANALYTIC,
    &named_pipes::executor_out_of_place::ANALYTIC,
    &named_pipes::squatted_pipe::ANALYTIC,
    &named_pipes::smuggled_path::ANALYTIC,
    &named_pipes::impersonation_chain::ANALYTIC,
    &named_pipes::getsystem_command::ANALYTIC,
    &named_pipes::shell_pipe_path::ANALYTIC,
    &named_pipes::random_name::ANALYTIC,
    &named_pipes::unfamiliar_service_pipe::ANALYTIC,
    &named_pipes::unsafe_direction::ANALYTIC,
    &named_pipes::rare_remote_pipe::ANALYTIC,
    &named_pipes::administrative_pipe::ANALYTIC,
    &named_pipes::coercion::ANALYTIC,
    &named_pipes::relay::ANALYTIC,
    &named_pipes::sweep::ANALYTIC,
    &named_pipes::sensitive_pipe::ANALYTIC,
    &named_pipes::unexpected_program::ANALYTIC,
    &named_pipes::piped_shell::ANALYTIC,
    &named_pipes::widened_exposure::ANALYTIC,
    &named_pipes::loopback_token::ANALYTIC,
    &named_pipes::credential_tool_pipe::ANALYTIC,
    &named_pipes::exploit_pipe::ANALYTIC,
    &named_pipes::scripted_pipe::ANALYTIC,
    &unix_ipc::bus_untrusted_client::ANALYTIC,
    &unix_ipc::bus_privileged_method::ANALYTIC,
    &unix_ipc::polkit_race::ANALYTIC,
    &unix_ipc::bus_daemon_child::ANALYTIC,
    &unix_ipc::systemd_execution_proxy::ANALYTIC,
    &unix_ipc::ptrace_attach::ANALYTIC,
    &unix_ipc::memory_write::ANALYTIC,
    &unix_ipc::shared_memory_program::ANALYTIC,
    &unix_ipc::server_starts_shell::ANALYTIC,
    &unix_ipc::container_socket_client::ANALYTIC,
    &unix_ipc::hand_made_client::ANALYTIC,
    &unix_ipc::container_takeover::ANALYTIC,
    &unix_ipc::socket_opened_to_all::ANALYTIC,
    &unix_ipc::unfamiliar_root_socket::ANALYTIC,
    &unix_ipc::powerful_daemon_client::ANALYTIC,
    &unix_ipc::odd_socket_server::ANALYTIC,
    &unix_ipc::untrusted_abstract_socket::ANALYTIC,
    &unix_ipc::ssh_agent_hijack::ANALYTIC,
    &unix_ipc::multiplexer_hijack::ANALYTIC,
    &unix_ipc::fifo_reverse_shell::ANALYTIC,
    &unix_ipc::fifo_in_shared_folder::ANALYTIC,
    &unix_ipc::shell_over_connection::ANALYTIC,
    &unix_ipc::fifo_tasking::ANALYTIC,
    &network_rpc::activation_on_the_wire::ANALYTIC,
    &network_rpc::automation_on_the_wire::ANALYTIC,
    &network_rpc::mapper_then_dynamic_port::ANALYTIC,
    &network_rpc::across_the_internet::ANALYTIC,
    &network_rpc::remote_service::ANALYTIC,
    &network_rpc::remote_task::ANALYTIC,
    &network_rpc::remote_registry::ANALYTIC,
    &network_rpc::wmi_on_the_wire::ANALYTIC,
    &network_rpc::coercion_call::ANALYTIC,
    &network_rpc::reconnaissance_burst::ANALYTIC,
    &network_rpc::directory_replication::ANALYTIC,
    &network_rpc::coercion_name::ANALYTIC,
    &generic::unusual_pair::ANALYTIC,
    &generic::rare_pair::ANALYTIC,
    &generic::user_to_privileged::ANALYTIC,
    &generic::unknown_endpoint::ANALYTIC,
    &generic::indicator_match::ANALYTIC,
    &generic::burst::ANALYTIC,
    &generic::after_logon::ANALYTIC,
    &generic::after_permission_change::ANALYTIC,
    &generic::broker_child::ANALYTIC,
    &generic::owner_changed::ANALYTIC,
    &generic::masqueraded_endpoint::ANALYTIC,
    &generic::injected_endpoint::ANALYTIC,
    &generic::telemetry_tampered::ANALYTIC,
    &generic::reported_fault::ANALYTIC,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_in_order_within_their_family() {
        for pair in ANALYTICS.windows(2) {
            assert!(
                (pair[0].family, pair[0].id) < (pair[1].family, pair[1].id),
                "{} before {}",
                pair[0].id,
                pair[1].id
            );
        }
    }

    #[test]
    fn every_declaration_sets_what_has_no_default() {
        for analytic in ANALYTICS {
            for text in [analytic.id, analytic.title] {
                assert!(!text.is_empty(), "{analytic:?}");
            }
            assert!(!analytic.techniques.is_empty() && !analytic.on.is_empty(), "{}", analytic.id);
            assert!(!analytic.telemetry.is_empty() && !analytic.attack_analytics.is_empty(), "{}", analytic.id);
            assert!(!std::ptr::fn_addr_eq(analytic.evaluate, Analytic::DEFAULTS.evaluate), "{}", analytic.id);
        }
    }

    #[test]
    fn a_threshold_has_a_name_of_its_own_and_a_default_within_its_limits() {
        for analytic in ANALYTICS {
            let mut names = BTreeSet::new();
            for one in analytic.thresholds {
                assert!(names.insert(one.name), "{}: two are called {}", analytic.id, one.name);
                assert!(one.least <= one.default && one.default <= one.most, "{}: {}", analytic.id, one.name);
            }
        }
    }

    #[test]
    fn a_window_is_longer_than_nothing() {
        for analytic in ANALYTICS {
            assert!(analytic.window.is_none_or(|window| !window.is_zero()), "{}", analytic.id);
        }
    }
}
