//! The driver `browser`: the session that a page runs, linked into the test.

use std::fs;
use std::rc::Rc;

use backchannel_browser::Session;

use crate::case::Case;
use crate::component::unnamed;
use crate::native::{INPUT, baseline};

/// The findings of a case: the log is dropped into the page as a file, and recognised by its content.
pub fn findings(case: &Case) -> Vec<String> {
    let opened = Session::with_baseline(case.settings().as_deref(), baseline(case).as_deref());
    let mut session = opened.expect("good settings");
    session.push(INPUT, Rc::new(fs::read(&case.input).expect("the log can be read")));
    session.finish(&mut |_| {}).findings.iter().map(|finding| unnamed(finding)).collect()
}
