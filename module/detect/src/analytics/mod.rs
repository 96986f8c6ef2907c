//! The catalogue: one file an analytic, one folder a family.

pub mod component_object_model;
pub mod dynamic_data_exchange;

use crate::Analytic;

/// Every analytic, by family and then by id. Adding one: its file, a line here, one firing and one quiet case.
pub const ANALYTICS: &[&Analytic] = &[
    &component_object_model::per_user_class::ANALYTIC,
    &component_object_model::server_in_odd_place::ANALYTIC,
    &component_object_model::scriptlet_class::ANALYTIC,
    &component_object_model::class_redirected::ANALYTIC,
    &component_object_model::protected_class::ANALYTIC,
    &component_object_model::hijack_consummated::ANALYTIC,
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
    &component_object_model::surrogate_misbehaves::ANALYTIC,
    &component_object_model::explorer_factory::ANALYTIC,
    &component_object_model::false_embedding::ANALYTIC,
    &component_object_model::shell_driven_locally::ANALYTIC,
    &component_object_model::remote_activation::ANALYTIC,
    &component_object_model::elevated_class_child::ANALYTIC,
    &component_object_model::edition_upgrade::ANALYTIC,
    &component_object_model::surrogate_file_operation::ANALYTIC,
    &component_object_model::elevation_without_consent::ANALYTIC,
    &component_object_model::steered_elevation::ANALYTIC,
    &component_object_model::elevation_moniker::ANALYTIC,
    &component_object_model::mock_system_folder::ANALYTIC,
    &dynamic_data_exchange::office_child::ANALYTIC,
    &dynamic_data_exchange::dde_reenabled::ANALYTIC,
    &dynamic_data_exchange::dde_instruction::ANALYTIC,
    &dynamic_data_exchange::linked_document::ANALYTIC,
    &dynamic_data_exchange::legacy_ole_server::ANALYTIC,
];

#[cfg(test)]
mod tests {
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
    fn every_analytic_names_a_technique_and_what_it_reads() {
        for analytic in ANALYTICS {
            assert!(!analytic.techniques.is_empty() && !analytic.on.is_empty(), "{}", analytic.id);
            assert!(!analytic.telemetry.is_empty() && !analytic.attack_analytics.is_empty(), "{}", analytic.id);
        }
    }
}
