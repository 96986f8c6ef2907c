// What can be exported: the JSON lines, a report, and what the page adds.

import { embed, page, policy } from "./report.js";

/** The formats to export, by name. `make` returns the text, or promises it. */
export const EXPORTS = {
  json: { label: "JSON lines", file: "backchannel.jsonl", type: "application/x-ndjson", make: (data) => `${data.lines.join("\n")}\n` },
  html: { label: "HTML report", file: "backchannel.html", type: "text/html", make: report },
};

/** Adds a format: OCSF is written by the module, which only the page has. */
export function addExport(name, format) {
  EXPORTS[name] = format;
}

function version() {
  return document.querySelector("meta[name=generator]").content.split(" ").pop();
}

function report(data) {
  const [style, viewer] = [document.querySelector("style"), document.getElementById("viewer")];
  const csp = { style: style.dataset.hash, viewer: viewer.dataset.hash };
  csp.text = policy({ scripts: [csp.viewer], style: csp.style });
  return page({ csp, title: "Backchannel report", style: style.textContent, viewer: viewer.textContent, version: version(), data: embed(data.lines) });
}

/** Offers a file for download. */
export async function download(name, data) {
  const { file, type, make } = EXPORTS[name];
  const url = URL.createObjectURL(new Blob([await make(data)], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
