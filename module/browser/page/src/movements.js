// Who acted on whom: the sides of findings, and the movements between machines.

import { label } from "./dom.js";

/** Names under which a machine reaches itself. */
const SELF = /^(127\.[\d.]+|::1|localhost|::ffff:127\.[\d.]+)$/i;

/** A machine's key; empty for none. */
export function machine(host) {
  return host && !SELF.test(host) ? label(host) : "";
}

/** The two sides of a finding. Documents of older versions do not say them: there the client acted on the server. */
export function sides(finding) {
  const side = (of, party) => {
    const known = party && (!of?.process || (party.pid === of.process.pid && party.name.toLowerCase() === of.process.name.toLowerCase()));
    return { host: machine(of?.host) || (of ? "" : label(finding.host)), account: of?.account ?? "", process: known ? party : of?.process ?? null };
  };
  const { origin, target, client, server } = finding;
  if (!origin && !target) return { from: side(null, client), to: side(null, server) };
  const party = (of) => [client, server].find((one) => one && of?.process && one.pid === of.process.pid && one.name.toLowerCase() === of.process.name.toLowerCase()) ?? null;
  return { from: side(origin ?? {}, party(origin)), to: side(target ?? {}, party(target)) };
}

/** The movements of an incident: as it says them, else as its findings do; what stays on a machine is none. */
export function movements(incident, findings) {
  if (incident.movements?.length) {
    const name = (end) => end?.host || end?.address || "?";
    return incident.movements.map((one) => ({ ...one, from: name(one.from), to: name(one.to), mechanism: words(one.mechanism) }));
  }
  const found = new Map();
  for (const finding of [...findings].sort((a, b) => Date.parse(a.time) - Date.parse(b.time))) {
    const { from, to } = sides(finding);
    if (!from.host || from.host === to.host) continue;
    const mechanism = words(finding.channel?.mechanism ?? "");
    const account = from.account || to.account;
    const key = JSON.stringify([from.host, to.host, account, mechanism]);
    const known = found.get(key) ?? { from: from.host, to: to.host || "?", account, mechanism, time: finding.time, findings: [] };
    known.findings.push(finding.id);
    found.set(key, known);
  }
  return [...found.values()];
}

/** A name of documents in words. */
export function words(name) {
  return (name ?? "").replaceAll("_", " ");
}
