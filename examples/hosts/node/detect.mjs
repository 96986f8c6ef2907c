// The module in its worker: a detector, and the correlator that joins its findings into incidents.

import { parentPort, workerData } from 'node:worker_threads';
import { correlator, detector } from './module/backchannel.js';

// The error of a result is thrown; its payload has the details.
function opened(open) {
  try {
    return open();
  } catch (error) {
    const mistakes = (error.payload ?? []).map(({ pointer, allowed }) => `${pointer}: expected ${allowed}`);
    throw new Error(mistakes.join('; ') || error.message);
  }
}

// `undefined`: the settings baked into the module, otherwise the defaults.
const stage1 = opened(() => detector.Detector.open(workerData.settings, undefined));
const stage2 = opened(() => correlator.Correlator.open(workerData.settings));

function take({ findings, signals, activity, skipped }) {
  stage2.observe(findings.map((finding) => finding.document), signals, activity);
  return skipped;
}

// Incidents by id, in their latest revision. Incidents that were merged into another one are left out. Escalated ones
// first, then by severity, then by id.
function incidents() {
  const order = ['info', 'low', 'medium', 'high', 'critical'];
  const last = new Map(stage2.incidents().map((incident) => [incident.id, incident]));
  for (const { document } of [...last.values()]) {
    for (const gone of JSON.parse(document).supersedes) last.delete(gone);
  }
  const sorted = [...last.values()].sort(
    (a, b) =>
      b.tier - a.tier || order.indexOf(b.severity) - order.indexOf(a.severity) || (a.id < b.id ? -1 : 1),
  );
  return sorted.map((incident) => incident.document);
}

parentPort.on('message', ({ input, firstLine, bytes, end }) => {
  if (end) {
    take(stage1.flush());
    parentPort.postMessage({ incidents: incidents() });
    return;
  }
  const records = { input, format: 'auto', host: '', firstLine: BigInt(firstLine), data: bytes };
  const skipped = take(stage1.evaluate({ tag: 'records', val: records }));
  parentPort.postMessage({ skipped: skipped.map(({ line, reason }) => ({ line: Number(line), reason })) });
});
