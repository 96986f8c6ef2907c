// The documents of one run, and which of them are shown.

import { SEVERITIES } from "./dom.js";

/** Reads JSON lines, as `backchannel replay --format jsonl` prints them. */
export function read(lines) {
  const data = { lines: [], incidents: [], findings: [], summary: null, byId: new Map() };
  for (const line of lines) {
    if (!line.trim()) continue;
    const document = JSON.parse(line);
    data.lines.push(line);
    if (document.type === "incident") data.incidents.push(document);
    else if (document.type === "finding") data.findings.push(document);
    else if (document.type === "summary") data.summary = document;
    if (document.id) data.byId.set(document.id, document);
  }
  return data;
}

/** Hosts named anywhere, sorted. */
export function hosts(data) {
  const names = new Set(data.findings.map((finding) => finding.host));
  for (const incident of data.incidents) incident.hosts.forEach((host) => names.add(host));
  return [...names].sort();
}

/** How many milliseconds, or NaN. */
export function moment(text) {
  return text ? Date.parse(text) : NaN;
}

/** The incidents and findings that a filter leaves. */
export function filtered(data, filter) {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const least = SEVERITIES.indexOf(filter.severity);
  const shows = (document, of) => SEVERITIES.indexOf(document.severity) >= least
    && (!filter.host || of.includes(filter.host))
    && words.every((word) => text(document).includes(word));
  return {
    incidents: data.incidents.filter((incident) => shows(incident, incident.hosts)),
    findings: data.findings.filter((finding) => shows(finding, [finding.host])),
  };
}

const texts = new WeakMap();

/** All that a document says, in lower case, to search in. */
function text(document) {
  if (!texts.has(document)) {
    const parts = [];
    const walk = (value) => {
      if (value && typeof value === "object") Object.values(value).forEach(walk);
      else if (value !== null && value !== undefined) parts.push(String(value));
    };
    walk(document);
    texts.set(document, parts.join("\n").toLowerCase());
  }
  return texts.get(document);
}
