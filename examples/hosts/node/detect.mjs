// The module in its worker: a detector, and the correlator that joins its findings into incidents.

import { parentPort, workerData } from 'node:worker_threads';
import { correlator, detector } from './module/backchannel.js';

// A result's error is thrown; what went wrong is its payload.
function opened(open) {
  try {
    return open();
  } catch (error) {
    const mistakes = (error.payload ?? []).map(({ pointer, allowed }) => `${pointer}: expected ${allowed}`);
    throw new Error(mistakes.join('; ') || error.message);
  }
}

// `undefined`: what is baked into the module, else the defaults.
const stage1 = opened(() => detector.Detector.open(workerData.settings, undefined));
const stage2 = opened(() => correlator.Correlator.open(workerData.settings));

function take({ findings, signals, activity, skipped }) {
  stage2.observe(findings.map((finding) => finding.document), signals, activity);
  return skipped;
}

// Incidents by id, each as it was last. One that went up in another is left out. Those that are escalated first, then
// the most severe, then by id.
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
