// The viewer: the list on the left, what is chosen on the right. A report starts it with the data that it carries;
// the page starts it with what its worker found.

import { filtered, hosts, read } from "./data.js";
import { el, list, section, severity, SEVERITIES, table, time, unfolded } from "./dom.js";
import { addExport, download, EXPORTS } from "./exports.js";
import { finding } from "./finding.js";
import { incident, tier } from "./incident.js";
import { offer } from "./records.js";
import { listen, SHORTCUTS } from "./keys.js";
import { theme } from "./theme.js";

/** How many findings the list shows at once. */
const MOST = 500;

const state = { data: read([]), view: "incidents", chosen: null, filter: { text: "", severity: "info", host: "" }, skips: [] };
const parts = {};

/** Puts the viewer into the page. `actions` are further buttons. */
export function start(actions = []) {
  parts.search = el("input", { type: "search", placeholder: "Search (/)", "aria-label": "Search", oninput: () => refilter({ text: parts.search.value }) });
  parts.severity = el("select", { "aria-label": "Least severity", onchange: () => refilter({ severity: parts.severity.value }) },
    SEVERITIES.map((word) => el("option", { value: word }, word === "info" ? "any severity" : word === "critical" ? "critical" : `${word} and above`)));
  parts.host = el("select", { "aria-label": "Host", onchange: () => refilter({ host: parts.host.value }) });
  parts.tabs = el("div", { class: "tabs", role: "tablist" });
  parts.items = el("div", { class: "items", role: "listbox", "aria-label": "Incidents and findings", tabindex: 0 });
  parts.detail = el("div", { class: "detail", tabindex: -1 });
  parts.count = el("span", { class: "quiet", role: "status" });
  const exports = el("select", { "aria-label": "Export", hidden: true, onchange: () => { const name = exports.value; exports.value = ""; if (name) download(name, state.data).catch((error) => { parts.count.textContent = `The export failed: ${error.message}`; }); } },
    el("option", { value: "" }, "Export…"), Object.entries(EXPORTS).map(([name, { label }]) => el("option", { value: name }, label)));
  parts.exports = exports;
  parts.help = help();
  parts.main = el("main", { hidden: true },
    el("aside", null, el("div", { class: "filters" }, parts.search, parts.severity, parts.host), parts.tabs, parts.items),
    parts.detail);
  document.body.append(
    el("div", { class: "bar" }, el("h1", null, "Backchannel"), parts.count, el("span", { class: "space" }), actions, exports, theme(),
      el("button", { title: "Keyboard (?)", onclick: () => parts.help.showModal() }, "?")),
    parts.main, parts.help);
  addEventListener("beforeprint", () => { parts.paper = paper(); document.body.append(parts.paper); });
  addEventListener("afterprint", () => parts.paper?.remove());
  listen({
    next: () => step(1), previous: () => step(-1),
    open: () => parts.detail.focus(), search: () => parts.search.focus(), help: () => parts.help.showModal(),
    view: () => choose(state.view === "incidents" ? "findings" : "incidents"),
    leave: () => { if (document.activeElement === parts.search) { parts.search.value = ""; refilter({ text: "" }); } parts.items.focus(); },
  });
}

/** Shows the documents of a run. */
export function show(lines, skips = []) {
  state.data = read(lines);
  state.skips = skips;
  state.filter = { text: "", severity: "info", host: "" };
  parts.search.value = "";
  parts.severity.value = "info";
  parts.host.replaceChildren(el("option", { value: "" }, "all hosts"), ...hosts(state.data).map((name) => el("option", { value: name }, name)));
  parts.main.hidden = false;
  parts.exports.hidden = false;
  parts.count.textContent = account(state.data.summary);
  choose(state.data.incidents.length ? "incidents" : state.data.findings.length ? "findings" : "run");
}

/** Hides what was shown. */
export function hide() {
  parts.main.hidden = true;
  parts.exports.hidden = true;
  parts.count.textContent = "";
}

function account(summary) {
  if (!summary) return "";
  const of = (count, what) => `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
  return `${of(summary.records.read, "record")} · ${of(summary.hosts, "host")} · ${of(state.data.incidents.length, "incident")} · ${of(state.data.findings.length, "finding")}`;
}

function choose(view) {
  state.view = view;
  state.chosen = null;
  draw();
}

function refilter(change) {
  Object.assign(state.filter, change);
  draw();
}

function draw() {
  const shown = filtered(state.data, state.filter);
  const tab = (view, label) => el("button", { role: "tab", "aria-selected": String(state.view === view), onclick: () => choose(view) }, label);
  parts.tabs.replaceChildren(tab("incidents", `Incidents ${shown.incidents.length}`), tab("findings", `Findings ${shown.findings.length}`), tab("run", "Run"));
  if (state.view === "run") {
    parts.detail.dataset.id = "";
    parts.items.replaceChildren();
    parts.detail.replaceChildren(run());
    return;
  }
  const all = shown[state.view];
  const items = all.slice(0, MOST);
  parts.items.replaceChildren(...items.map(item), ...(all.length > MOST ? [el("p", { class: "quiet" }, `${all.length - MOST} more: search or filter`)] : []));
  if (!items.length) {
    parts.items.append(el("p", { class: "quiet none" }, state.data.findings.length ? "Nothing matches the filters." : "Nothing was found."));
    state.chosen = null;
    parts.detail.dataset.id = "";
    parts.detail.replaceChildren(...(state.data.findings.length || !state.data.summary ? [] : [nothing(state.data.summary)]));
    return;
  }
  const kept = items.find((one) => one.id === state.chosen);
  pick(kept ?? items[0], !kept);
}

function item(of) {
  const title = of.type === "incident" ? of.text : of.title;
  const where = of.type === "incident" ? of.hosts.join(", ") : of.host;
  return el("button", { class: "item", role: "option", "data-id": of.id, onclick: () => { pick(of, true); reveal(); } },
    el("span", { class: "badges" }, severity(of.severity), of.type === "incident" ? tier(of) : null,
      of.suppressed ? el("span", { class: "badge" }, "silenced") : null, el("span", { class: "quiet" }, time(of.first_seen ?? of.time).slice(0, 16))),
    el("span", { class: "headline" }, title),
    el("span", { class: "quiet" }, where));
}

/** On a narrow screen what was chosen stands below the list. */
function reveal() {
  if (matchMedia("(max-width: 800px)").matches) parts.detail.scrollIntoView({ behavior: "smooth" });
}

function pick(of, fresh) {
  state.chosen = of.id;
  for (const one of parts.items.querySelectorAll(".item")) {
    const chosen = one.dataset.id === of.id;
    one.setAttribute("aria-selected", String(chosen));
    if (chosen && fresh) one.scrollIntoView({ block: "nearest" });
  }
  if (!fresh && parts.detail.dataset.id === of.id) return;
  parts.detail.dataset.id = of.id;
  parts.detail.replaceChildren(of.type === "incident" ? incident(of, state.data) : el("article", null, finding(of, true), ofIncident(of)));
  parts.detail.scrollTop = 0;
}

/** The way from a finding to its incident. */
function ofIncident(of) {
  const incident = state.data.byId.get(of.incident);
  if (!incident) return null;
  const go = () => {
    state.view = "incidents";
    state.chosen = incident.id;
    parts.detail.dataset.id = "";
    draw();
  };
  return el("button", { class: "to-incident", onclick: go }, `Its incident: ${incident.text.slice(0, 90)}…`);
}

function step(by) {
  if (state.view === "run") return;
  const items = filtered(state.data, state.filter)[state.view].slice(0, MOST);
  const at = items.findIndex((one) => one.id === state.chosen);
  const next = items[Math.min(items.length - 1, Math.max(0, at + by))];
  if (next) pick(next, true);
}

/** All that there is, for paper: every incident with its findings, the other findings, the run. */
function paper() {
  return unfolded(() => {
    const { data } = state;
    const members = new Set(data.incidents.flatMap((one) => one.findings));
    const alone = data.findings.filter((one) => !members.has(one.id));
    const whole = el("div", { class: "paper" }, el("h1", null, "Backchannel report"),
      data.incidents.map((one) => incident(one, data, true)),
      alone.length ? el("article", null, el("h2", null, "Findings in no incident"), alone.map((one) => finding(one, true))) : null, run());
    for (const one of whole.querySelectorAll("details")) one.open = true;
    return whole;
  });
}

/** The analytics that could find nothing. */
function inactive(summary) {
  return summary.inactive ?? [];
}

/** Says plainly that nothing was found, and in what. */
function nothing(summary) {
  const span = summary.first_time ? `, from ${time(summary.first_time)} to ${time(summary.last_time)} (UTC)` : "";
  const hosts = `${summary.hosts.toLocaleString("en")} host${summary.hosts === 1 ? "" : "s"}`;
  return el("div", { class: "nothing" }, el("p", { class: "big" }, "Nothing was found"),
    el("p", null, `${summary.records.read.toLocaleString("en")} records of ${hosts} were read${span}.`),
    inactive(summary).length ? el("p", { class: "quiet" }, `${inactive(summary).length} analytics were inactive because logs or a baseline are missing; they are listed below.`) : null);
}

function run() {
  const summary = state.data.summary;
  if (!summary) return el("p", null, "Nothing is known of this run.");
  const [baseline, logs] = [[], []];
  for (const one of inactive(summary)) (/baseline/.test(one.reason) ? baseline : logs).push([one.analytic, one.reason]);
  const counts = (of) => of.map(({ reason, count }) => [reason, count]);
  return el("article", null,
    state.data.incidents.length || state.data.findings.length ? null : nothing(summary),
    el("header", { class: "head" }, el("h2", null, "What was read, and what was not")),
    el("dl", { class: "facts" }, Object.entries(summary.records).map(([name, count]) => [el("dt", null, name), el("dd", null, count.toLocaleString("en"))]),
      [["hosts", summary.hosts], ["sources", summary.sources?.join(", ")], ["first event", time(summary.first_time)], ["last event", time(summary.last_time)], ["came late", summary.late]]
        .filter(([, value]) => value).map(([name, value]) => [el("dt", null, name), el("dd", null, value)])),
    section("Skipped, by reason", table(["Reason", "Records"], counts(summary.skipped))),
    section("The first that were skipped", table(["Input", "Line", "Record", "Why"], state.skips.slice(0, 200).map((skip) => [skip.input, skip.line || "", skip.record, skip.reason]))),
    section("Looks wrong, and was read", table(["Reason", "Records"], counts(summary.notes ?? []))),
    section("Inputs that hold nothing", list(summary.empty_inputs)),
    section("Clocks that are off", table(["Source", "Host", "Seconds", "Records"], summary.clock_offsets.map((of) => [of.source, of.host, of.seconds, of.samples]))),
    section("Forgotten to stay within bounds", table(["Table", "Entries"], Object.entries(summary.evicted).filter(([, count]) => count))),
    section(`Inactive: missing logs (${logs.length})`, table(["Analytic", "Why"], logs)),
    section(`Inactive: no baseline (${baseline.length})`, table(["Analytic", "Why"], baseline)));
}

function help() {
  const dialog = el("dialog", { "aria-label": "Keyboard" }, el("h2", null, "Keyboard"),
    el("dl", { class: "facts" }, SHORTCUTS.map(([key, what]) => [el("dt", null, el("kbd", null, key)), el("dd", null, what)])),
    el("p", { class: "quiet" }, "Pictures: drag to move, Ctrl and wheel to zoom. All times are UTC."),
    el("form", { method: "dialog" }, el("button", { onclick: (event) => { event.preventDefault(); dialog.close(); } }, "Close (Esc)")));
  return dialog;
}

const carried = JSON.parse(document.getElementById("data")?.textContent || "null");
if (carried) {
  start();
  show(carried.map((line) => JSON.stringify(line)));
} else {
  globalThis.Backchannel = { start, show, hide, offer, addExport, el };
}
