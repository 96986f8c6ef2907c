//! What was baked into the module: the site's settings and baseline, read while the module was being made.
//!
//! A baked module is this one after a call of `bake`, its memory kept. So nothing is read again when it is opened.

use std::cell::OnceCell;

use backchannel_engine::{SettingError, Site};

thread_local! {
    // A module has one thread: this is its memory, not a thread's.
    static BAKED: OnceCell<Site> = const { OnceCell::new() };
}

/// What `bake` is called on.
pub(crate) struct Oven;

impl crate::bake::Guest for Oven {
    /// Reads settings and a baseline and keeps them. False: they are wrong, or something was baked in before; the
    /// caller has opened a detector with them first, and told the mistakes.
    fn bake(settings: Option<String>, baseline: Option<Vec<u8>>) -> bool {
        let site = Site::default().with(settings.as_deref(), baseline.as_deref());
        site.is_ok_and(|site| BAKED.with(|baked| baked.set(site).is_ok()))
    }
}

/// Shows what was baked in; where nothing was, a site that gave nothing.
pub(crate) fn with<T>(look: impl FnOnce(&Site) -> T) -> T {
    BAKED.with(|baked| match baked.get() {
        Some(site) => look(site),
        None => look(&Site::default()),
    })
}

/// What was baked in, with what a host gives in its place.
pub(crate) fn site(settings: Option<&str>, baseline: Option<&[u8]>) -> Result<Site, Vec<SettingError>> {
    with(|site| site.with(settings, baseline))
}
