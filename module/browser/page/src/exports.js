// What can be taken along: the JSON lines, OCSF, a report.

import { ocsf } from "./ocsf.js";
import { embed, page, policy } from "./report.js";

/** The ways to export, by name. */
export const EXPORTS = {
  json: { label: "JSON lines", file: "backchannel.jsonl", type: "application/x-ndjson", make: (data) => `${data.lines.join("\n")}\n` },
  ocsf: { label: "OCSF (Detection Finding)", file: "backchannel.ocsf.jsonl", type: "application/x-ndjson", make: (data) => ocsf(data, version()).map((one) => `${JSON.stringify(one)}\n`).join("") },
  html: { label: "HTML report", file: "backchannel.html", type: "text/html", make: report },
};

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
export function download(name, data) {
  const { file, type, make } = EXPORTS[name];
  const url = URL.createObjectURL(new Blob([make(data)], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
