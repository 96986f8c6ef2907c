//! Shapes of a whole incident that no single finding has: a chain of machines (IPC-CHAIN-001), one source that enters
//! many (IPC-CHAIN-002), and coerced authentication that is then used to enter (IPC-CHAIN-004).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use backchannel_events::{Finding, Reason, Severity, Timestamp};

use crate::identity::Names;
use crate::movements::ends;

/// An entry into a machine leads to the next from there within this time.
const ONWARD: Duration = Duration::from_secs(2 * 3_600);
/// Entries from one source into several machines within this time are one fan-out.
const SPREAD: Duration = Duration::from_secs(15 * 60);
/// So many machines are a fan-out.
const MANY: usize = 3;
/// What is done with a coerced authentication is done within this time.
pub const USED: Duration = Duration::from_secs(15 * 60);
/// Clocks of two machines differ by at most this much.
const SKEW: Duration = Duration::from_secs(120);
/// Most edges looked at: the earliest.
const MOST: usize = 512;

/// Analytics of attempts, preparations and fetched files: another machine takes part, but nobody entered.
const NO_ENTRY: &[&str] = &[
    "IPC-DCOM-001",
    "IPC-DCOM-002",
    "IPC-DCOM-003",
    "IPC-DCOM-004",
    "IPC-COM-013",
    "IPC-COM-019",
    "IPC-RPC-004",
    "IPC-RPC-009",
    "IPC-RPC-012",
    "IPC-RPC-019",
    "IPC-PIPE-015",
    "IPC-PIPE-017",
    "IPC-PIPE-018",
];

/// Analytics of coerced authentication.
const COERCION: &[&str] = &["IPC-PIPE-017", "IPC-PIPE-018", "IPC-RPC-009"];

/// One machine entered another.
struct Edge<'f> {
    from: String,
    to: String,
    time: Timestamp,
    finding: &'f Finding,
}

/// Whether the finding says that a machine was made to authenticate elsewhere.
pub fn is_coercion(finding: &Finding) -> bool {
    COERCION.contains(&finding.analytic.as_str())
}

/// Whether the finding says that a machine was entered from another.
pub fn is_entry(finding: &Finding) -> bool {
    finding.severity >= Severity::Medium
        && finding.reasons.contains(Reason::LateralMovement)
        && !NO_ENTRY.contains(&finding.analytic.as_str())
}

/// The shapes that the findings of an incident have, each as a sentence that begins with its catalogue id.
pub fn of(findings: &[&Finding], names: &Names) -> Vec<String> {
    let edges = edges(findings, names);
    chain(&edges).into_iter().chain(fan_out(&edges)).chain(coercion(findings, &edges)).collect()
}

fn edges<'f>(findings: &[&'f Finding], names: &Names) -> Vec<Edge<'f>> {
    let mut edges: Vec<Edge<'f>> = findings
        .iter()
        .filter(|finding| is_entry(finding))
        .filter_map(|&finding| {
            let (from, to) = ends(finding, names)?;
            let (from, to) = (from.host, to.host);
            (!from.is_empty() && !to.is_empty()).then_some(Edge { from, to, time: finding.time, finding })
        })
        .collect();
    edges.sort_by(|a, b| (a.time, &a.from, &a.to, &a.finding.id).cmp(&(b.time, &b.from, &b.to, &b.finding.id)));
    edges.truncate(MOST);
    edges
}

/// The longest way from machine to machine.
fn chain(edges: &[Edge<'_>]) -> Option<String> {
    // For each edge, the machines of the longest way that ends with it.
    let mut ways: Vec<Vec<&str>> = Vec::with_capacity(edges.len());
    for edge in edges {
        let before = edges.iter().zip(&ways).filter(|(earlier, way)| {
            earlier.to == edge.from
                && earlier.time <= edge.time + SKEW
                && earlier.time.within(ONWARD, edge.time)
                && !way.contains(&edge.to.as_str())
        });
        let mut way = before
            .map(|(_, way)| way)
            .reduce(|best, way| if way.len() > best.len() { way } else { best })
            .cloned()
            .unwrap_or_else(|| vec![edge.from.as_str()]);
        way.push(&edge.to);
        ways.push(way);
    }
    let longest = ways.iter().reduce(|best, way| if way.len() > best.len() { way } else { best })?;
    (longest.len() > 2)
        .then(|| format!("IPC-CHAIN-001: the attacker went from machine to machine: {}", longest.join(" -> ")))
}

/// One source that enters several machines.
fn fan_out(edges: &[Edge<'_>]) -> Vec<String> {
    let mut by_source: BTreeMap<&str, Vec<&Edge<'_>>> = BTreeMap::new();
    for edge in edges {
        by_source.entry(&edge.from).or_default().push(edge);
    }
    let widest = |entered: &[&Edge<'_>]| -> BTreeSet<String> {
        let windows = entered.iter().map(|first| {
            let within = entered.iter().filter(|edge| edge.time >= first.time && edge.time.within(SPREAD, first.time));
            within.map(|edge| edge.to.clone()).collect::<BTreeSet<String>>()
        });
        windows.reduce(|best, next| if next.len() > best.len() { next } else { best }).unwrap_or_default()
    };
    by_source
        .into_iter()
        .map(|(source, entered)| (source, widest(&entered)))
        .filter(|(_, machines)| machines.len() >= MANY)
        .map(|(source, machines)| {
            let names: Vec<&str> = machines.iter().map(String::as_str).collect();
            format!(
                "IPC-CHAIN-002: {source} entered {} machines within {} minutes: {}",
                names.len(),
                SPREAD.as_secs() / 60,
                names.join(", ")
            )
        })
        .collect()
}

/// A machine made to authenticate, and another entered right after.
fn coercion(findings: &[&Finding], edges: &[Edge<'_>]) -> Option<String> {
    findings.iter().filter(|finding| is_coercion(finding) && finding.severity >= Severity::Medium).find_map(|coerced| {
        let entered = edges.iter().find(|edge| {
            edge.to != coerced.host && edge.time + SKEW >= coerced.time && edge.time.within(USED, coerced.time)
        })?;
        Some(format!(
            "IPC-CHAIN-004: {} was made to authenticate, and {} was entered from {} right after",
            coerced.host, entered.to, entered.from
        ))
    })
}
