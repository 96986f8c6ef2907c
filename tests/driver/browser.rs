//! The driver `browser`: the session that a page runs, linked into the test.

use std::rc::Rc;

use backchannel_browser::Session;

use crate::case::Case;
use crate::component::unnamed;
use crate::native::baseline;

/// The findings of a case: its logs are dropped into the page as files, and recognised by their content.
pub fn findings(case: &Case) -> Vec<String> {
    let opened = Session::with_baseline(case.settings.as_deref(), baseline(case).as_deref());
    let mut session = opened.expect("good settings");
    for log in &case.logs {
        session.push(&log.name, Rc::new(log.bytes.clone()));
    }
    session.finish(&mut |_| {}).findings.iter().map(|finding| unnamed(finding)).collect()
}
