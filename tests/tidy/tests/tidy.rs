//! The project, held to its own rules.

use test_tidy::{
    Complaints, bans, citations, commands, floors, heads, ignored, licences, locks, machines,
    manifests, modules, top_level, tree, unfinished,
};

#[track_caller]
fn none(complaints: Complaints) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn dependencies_go_down_floors() {
    none(floors::go_down(&tree::metadata()));
}

#[test]
fn floor_1_builds_no_runtime_and_draws_no_randomness() {
    none(floors::floor_1_is_pure(&tree::metadata()));
}

#[test]
fn floor_1_is_forbidden_to_read_a_clock() {
    none(bans::floor_1_reads_no_clock(
        &tree::metadata(),
        &tree::files(),
    ));
}

#[test]
fn the_bans_of_the_root_hold_in_every_crate() {
    none(bans::are_repeated(&tree::files()));
}

#[test]
fn every_source_file_says_what_it_is() {
    none(heads::check(&tree::files()));
}

#[test]
fn every_source_file_belongs_to_a_crate() {
    none(modules::are_imported(&tree::files()));
}

#[test]
fn folders_of_modules_are_headed_by_mod_rs() {
    none(modules::are_headed_by_mod_rs(&tree::files()));
}

#[test]
fn the_top_level_holds_only_what_belongs_there() {
    none(top_level::check(&tree::files()));
}

#[test]
fn every_citation_of_the_spec_leads_to_a_section() {
    none(citations::check(&tree::files()));
}

#[test]
fn no_test_is_switched_off_without_a_reason() {
    none(ignored::check(&tree::files()));
}

#[test]
fn versions_edition_licence_and_lints_are_inherited() {
    none(manifests::inherit(&tree::files()));
}

#[test]
fn packages_outside_the_workspace_share_its_edition() {
    none(manifests::outside_share_the_edition(&tree::files()));
}

#[test]
fn the_msrv_is_stated_once() {
    none(manifests::msrv_stands_once(&tree::files()));
}

#[test]
fn no_file_names_a_machine_or_a_registry() {
    none(machines::check(&tree::files()));
}

#[test]
fn lock_files_pin_the_default_registries_only() {
    none(locks::check(&tree::files()));
}

#[test]
fn the_two_commands_of_the_readme_are_the_ones_we_prove() {
    none(commands::check(&tree::files()));
}

#[test]
fn everything_we_build_with_has_a_licence_we_accept() {
    none(licences::are_accepted(&tree::metadata(), &tree::files()));
}

#[test]
fn nothing_is_marked_as_unfinished() {
    none(unfinished::check(&tree::files()));
}
