// Records as evidence: what was said, and where it stands.

import { el, label, long, plain, table, time } from "./dom.js";

/** Finds the raw record behind evidence; only the page, which has the files, can. */
let find = null;

/** Lets raw records be shown: `finder` promises the text of one, or null. */
export function offer(finder) {
  find = finder;
}

function raw(record, shown) {
  const text = el("pre", null, "Looking…");
  const dialog = el("dialog", { class: "wide", "aria-label": "Raw record", onclose: () => dialog.remove() },
    el("h2", null, `${shown} of ${record.source}`), text, el("button", { onclick: () => dialog.close() }, "Close (Esc)"));
  document.body.append(dialog);
  dialog.showModal();
  // Line ends are the only thing in it that is not shown as it is.
  const put = (found) => text.replaceChildren(document.createTextNode(found.split(/\r?\n/).map(plain).join("\n")));
  find(record).then((found) => put(found ?? "It was not found again in its file."), (error) => put(String(error)));
}

/** Where a record stands: file, line, its own id. */
export function source(record) {
  const id = record.record ? `record ${record.record}` : "";
  const line = record.line ? `line ${record.line}` : "";
  const what = record.provider ? `${record.provider} ${record.event_id ?? ""}` : "";
  const shown = [id, line].filter(Boolean).join(", ");
  return [el("span", { class: "line" }, find ? el("button", { class: "link raw", title: "Show the raw record", onclick: () => raw(record, shown) }, shown || "record") : shown),
    el("span", { class: "line quiet" }, record.source), what && el("span", { class: "line quiet" }, what)];
}

/** Records as a table: what was said, and where it stands. */
export function records(found) {
  return table(["Time (UTC)", "Host", "What", "Record"], found.map((record) =>
    el("tr", null, el("td", { class: "time" }, time(record.time)), el("td", { class: "host", title: record.host }, label(record.host)), el("td", { class: "wide" }, long(record.text)), el("td", { class: "source" }, source(record)))), "records");
}
