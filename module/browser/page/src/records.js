// Records as evidence: what was said, and where it stands.

import { el, label, long, table, time } from "./dom.js";

/** Where a record stands: file, line, its own id. */
export function source(record) {
  const id = record.record ? `record ${record.record}` : "";
  const line = record.line ? `line ${record.line}` : "";
  const what = record.provider ? `${record.provider} ${record.event_id ?? ""}` : "";
  return [el("span", { class: "line" }, [id, line].filter(Boolean).join(", ")),
    el("span", { class: "line quiet" }, record.source), what && el("span", { class: "line quiet" }, what)];
}

/** Records as a table: what was said, and where it stands. */
export function records(found) {
  return table(["Time (UTC)", "Host", "What", "Record"], found.map((record) =>
    el("tr", null, el("td", { class: "time" }, time(record.time)), el("td", { class: "host", title: record.host }, label(record.host)), el("td", { class: "wide" }, long(record.text)), el("td", { class: "source" }, source(record)))), "records");
}
