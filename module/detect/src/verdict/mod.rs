//! From evidence to finding: the one place where a verdict changes. [`judge`] applies the site's settings, the severity
//! rules and the escalation rules; [`suppress`] knows which rule of the site silences a finding; [`assess`] answers the
//! playbook's questions as far as one finding goes; [`joins`] makes the keys by which findings find each other;
//! [`watch`] follows what a finding names; [`describe`] says in one sentence what a record shows;
//! [`sides`] who acted on what; [`conceal`] masks secrets in what is handed over.

mod assess;
pub mod conceal;
mod describe;
mod joins;
pub mod judge;
mod object;
mod sides;
mod suppress;
pub mod watch;
