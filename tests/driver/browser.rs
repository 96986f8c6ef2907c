//! The driver `browser`: the session of the browser page, linked into the test.

use std::rc::Rc;

use backchannel_browser::Session;

use crate::case::Case;
use crate::component::unnamed;
use crate::native::baseline;

/// The findings of a case: its logs are added to the page as files; formats are detected from the content.
pub fn findings(case: &Case) -> Vec<String> {
    let opened = Session::with_baseline(case.settings.as_deref(), baseline(case).as_deref());
    let mut session = opened.expect("good settings");
    for log in &case.logs {
        session.push(&log.name, Rc::new(log.bytes.clone()));
    }
    session.finish(&mut |_| {}).findings.iter().map(|finding| unnamed(finding)).collect()
}
