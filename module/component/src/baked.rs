//! Settings and baseline that were baked into the module: parsed when the module was made.
//!
//! A baked module is a snapshot of this one's memory after a call of `bake`, so nothing is parsed again when it is
//! opened.

use std::cell::OnceCell;

use backchannel_engine::{SettingError, Site};

thread_local! {
    // The module has only one thread: this is plain static memory.
    static BAKED: OnceCell<Site> = const { OnceCell::new() };
}

/// The target of the exported function `bake`.
pub(crate) struct BakeExports;

impl crate::bake::Guest for BakeExports {
    /// Parses settings and a baseline and keeps them. Returns false if they are invalid, or if something was baked in
    /// before; the caller has opened a detector with them first, which reports the errors.
    fn bake(settings: Option<String>, baseline: Option<Vec<u8>>) -> bool {
        let site = Site::default().with(settings.as_deref(), baseline.as_deref());
        site.is_ok_and(|site| BAKED.with(|baked| baked.set(site).is_ok()))
    }
}

/// Passes the baked-in site to `look`; the default one if nothing was baked in.
pub(crate) fn with<T>(look: impl FnOnce(&Site) -> T) -> T {
    BAKED.with(|baked| match baked.get() {
        Some(site) => look(site),
        None => look(&Site::default()),
    })
}

/// The baked-in site, with the arguments of a host in place of its parts.
pub(crate) fn site(settings: Option<&str>, baseline: Option<&[u8]>) -> Result<Site, Vec<SettingError>> {
    with(|site| site.with(settings, baseline))
}
