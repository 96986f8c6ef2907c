// One incident: why it is one, what the playbook answers, who talked to whom, when, and what to do.

import { meaning } from "./codes.js";
import { copy } from "./copy.js";
import { el, list, long, section, severity, table, time } from "./dom.js";
import { finding } from "./finding.js";
import { graph } from "./graph.js";
import { movements } from "./movements.js";
import { records } from "./records.js";
import { timeline } from "./timeline.js";

/** The questions, and which answer speaks for an attack. */
const QUESTIONS = {
  q1: { title: "Unusual or unfamiliar processes?", speaks: "yes" },
  q2: { title: "Deviates from the baseline?", speaks: "yes" },
  q3: { title: "Explained by a recent change?", speaks: "no" },
  q4: { title: "Meant to interact?", speaks: "no" },
};

/** The page of an incident; `open`: with all that can be opened. */
export function incident(of, data, open = false) {
  const findings = of.findings.map((id) => data.byId.get(id)).filter(Boolean);
  const places = new Map();
  const toFinding = (id) => {
    const place = places.get(id);
    if (!place) return;
    place.open = true;
    place.scrollIntoView({ block: "center", behavior: "smooth" });
  };
  const shown = findings.map((one) => {
    const place = finding(one, open);
    places.set(one.id, place);
    return place;
  });
  return el("article", { "aria-label": `Incident ${of.id}` },
    el("header", { class: "head" },
      el("p", { class: "badges" }, severity(of.severity), tier(of), of.reasons.map((reason) => el("span", { class: "badge wrap" }, `${reason.code} ${meaning(reason.code)}`)),
        el("span", { class: "quiet" }, `incident ${of.id}`), copy(() => summary(of, findings), "Copy", "Copy this incident as text")),
      el("h2", null, of.text)),
    facts(of),
    section(of.tier === 2 ? "Why Tier 2" : "Why it stays with level 1",
      of.reasons.length ? el("dl", { class: "reasons" }, of.reasons.map((reason) => [el("dt", null, reason.code), el("dd", null, reason.text)])) : el("p", null, "No reason to escalate was found.")),
    section("Patterns", list(of.patterns)),
    section("The playbook's questions", el("div", { class: "questions" }, Object.entries(QUESTIONS).map(([key, { title, speaks }]) => answer(title, speaks, of.answers[key])))),
    section("Who acted on whom", moved(of, findings), graph(of, findings)),
    section("Timeline", timeline(of, data, toFinding)),
    section(`Findings (${findings.length})`, shown),
    section("Containment", table(["", "Do", "To what", "Why", "What it breaks"], [...of.containment].sort((a, b) => a.order - b.order)
      .map((step) => [step.order, el("strong", null, step.action), step.target, step.why, step.breaks]), "steps"),
      of.containment.length ? copy(() => steps(of), "Copy the steps") : null),
    section("Collect", list(of.level2.collect)),
    section("Processes to look at", table(["Process", "Host", "Account", "Why", "Command line"], of.level2.processes
      .map((process) => [`${process.name}${process.pid ? ` (${process.pid})` : ""}`, process.host, process.user, process.why, el("code", null, long(process.command_line ?? ""))]), "processes")),
    section("Matches of your indicators", list(of.level2.ioc_matches)),
    section("Related hosts", list(of.level2.related_hosts)),
    section("Connections", list(of.level2.connections)),
    section("Logons and user activity", records(of.level1.user_activity)),
    section("Recent changes", records(of.level1.recent_changes)),
    of.level2.hashes.length ? section("Hashes", el("ul", { class: "code" }, of.level2.hashes.map((hash) => el("li", null, el("code", null, hash)))), copy(() => of.level2.hashes.join("\n"), "Copy the hashes")) : null);
}

/** The movements between machines, a line each. */
function moved(of, findings) {
  return table(["Time (UTC)", "From", "", "To", "Account"], movements(of, findings)
    .map((one) => [time(one.time), one.from, el("span", { class: "line" }, `${one.mechanism || "IPC"} \u2192`), one.to, one.account]), "movements");
}

function steps(of) {
  return of.containment.map((step) => `${step.order}. ${step.action} ${step.target} (why: ${step.why}; breaks: ${step.breaks})`).join("\n");
}

/** An incident as text, for a ticket. */
function summary(of, findings) {
  const line = (one) => `${time(one.time)}  ${one.from} --${one.mechanism || "IPC"}--> ${one.to}${one.account ? ` as ${one.account}` : ""}`;
  return [
    `${of.severity.toUpperCase()}, Tier ${of.tier}, incident ${of.id}`, of.text,
    `Hosts: ${of.hosts.join(", ")}`, `Accounts: ${of.users.join(", ")}`, `Seen (UTC): ${time(of.first_seen)} to ${time(of.last_seen)}`,
    ...movements(of, findings).map(line), ...of.reasons.map((reason) => `${reason.code}: ${reason.text}`), "Containment:", steps(of),
  ].join("\n");
}

/** Tier as a badge. */
export function tier(of) {
  return el("span", { class: of.tier === 2 ? "badge tier2" : "badge" }, of.tier === 2 ? "Tier 2" : "Tier 1");
}

function facts(of) {
  const rows = [["Hosts", of.hosts], ["Accounts", of.users], ["ATT&CK", of.techniques], ["Seen (UTC)", [`${time(of.first_seen)} to ${time(of.last_seen)}`]], ["Replaces", of.supersedes]];
  return el("dl", { class: "facts" }, rows.filter(([, values]) => values?.length).map(([title, values]) => [el("dt", null, title), el("dd", null, values.join(", "))]));
}

function answer(title, speaks, of) {
  if (!of) return null;
  return el("div", { class: of.value === speaks ? "answer against" : "answer" },
    el("h4", null, title, " ", el("span", { class: "value" }, of.value)),
    el("p", null, of.text),
    of.missing.length ? el("p", { class: "quiet" }, `Missing: ${of.missing.join(", ")}.`) : null,
    of.evidence.length ? el("details", null, el("summary", null, `${of.evidence.length} record${of.evidence.length > 1 ? "s" : ""}`), records(of.evidence)) : null);
}
