//! Whether a change of software explains what happens.

use std::time::Duration;

use backchannel_events::ProcessEvent;

use super::Context;
use crate::memory::recent::ChangeKind;
use crate::predicates;
use crate::text::{base_name, contains};

/// A change is looked for this long before a finding.
pub const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Whether an installation in the day before explains what the event's process does.
pub fn is_explained(context: &Context<'_>, event: &ProcessEvent<'_>) -> bool {
    let subject = context.subject();
    !predicates::is_untrusted(subject)
        && context.host.changes.latest_first().any(|change| {
            change.kind == ChangeKind::Software
                && event.time.within(DAY, change.note.time)
                && names_product(subject.image, &change.object)
        })
}

/// Whether a path lies in a folder named like the product: the longest word of the product's name decides.
pub fn names_product(path: &str, product: &str) -> bool {
    let word = product.split_whitespace().max_by_key(|word| word.len()).unwrap_or("");
    word.len() >= 4 && contains(path, word) && !base_name(path).is_empty()
}
