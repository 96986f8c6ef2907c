// What codes mean, said where they stand.

import { el } from "./dom.js";

/** The playbook's reasons to escalate, its key indicators, and the words for how sure a finding is. */
const CODES = {
  E1: "administrative privileges in anomalous IPC",
  E2: "exploited COM, DCOM or other IPC broker",
  E3: "unknown or malicious binary on an IPC channel",
  E4: "lateral movement through IPC",
  "KI-1": "unexpected use of IPC, or processes that do not usually communicate",
  "KI-2": "an event id that DCOM abuse leaves",
  "KI-3": "abnormal data flow, such as from a user's process to a privileged one",
};

/** The meaning of a code; the code itself where it has none. */
export function meaning(code) {
  return CODES[code] ?? code;
}

/** Codes with their meanings, a line each. */
export function explained(codes) {
  return codes.length ? codes.map((code) => el("span", { class: "line" }, el("strong", null, code), ` ${meaning(code)}`)) : null;
}
