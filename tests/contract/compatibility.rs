//! Released contracts and the current `wit/` are compatible in both directions.

use std::fs;

use backchannel_contract::{Contract, compatible, wit};

fn current() -> Contract {
    Contract::read(&wit()).expect("wit/ can be read")
}

#[test]
fn every_released_version_fits_the_present_one_both_ways() {
    let released = wit().join("released");
    // If none is released yet, there is nothing to compare.
    for entry in fs::read_dir(released).into_iter().flatten().flatten() {
        let old = Contract::read(&entry.path()).expect("a released version can be read");
        compatible(&old, &current()).unwrap_or_else(|error| panic!("{}: {error:#}", entry.path().display()));
    }
}

#[test]
fn the_same_contract_fits_itself() {
    compatible(&current(), &current()).expect("nothing changed");
}

#[test]
fn a_function_more_a_function_less_and_a_field_more_do_not_fit() {
    let now = current();
    let more = now.edited("catalog.wit", "    analytics: func", "    extra: func() -> u32;\n\n    analytics: func");
    let more = more.expect("catalog.wit has the function");
    let error = compatible(&now, &more).expect_err("a host of the new one misses a function in an old module");
    assert!(error.to_string().contains("host of the new contract"), "{error:#}");
    let error = compatible(&more, &now).expect_err("a host of the old one misses a function in a new module");
    assert!(error.to_string().contains("host of the old contract"), "{error:#}");
    let field =
        now.edited("catalog.wit", "        version: string,", "        version: string,\n        more: string,");
    let error = compatible(&now, &field.expect("catalog.wit has the record")).expect_err("records differ");
    assert!(error.to_string().contains("cannot use"), "{error:#}");
}
