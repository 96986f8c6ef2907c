// Reads records as JSON lines and prints the resulting incidents, one JSON object per line.
//
//   node evaluate.mjs LOG [SETTINGS.json]
//
// The module runs in a worker (detect.mjs), so that a call that takes too long can be terminated: Node cannot interrupt
// WebAssembly.

import { createReadStream, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

// Lines per batch, and the time limit of a batch.
const BATCH = 512;
const SECONDS = 60;

const [log, settings] = process.argv.slice(2);
if (!log) {
  console.error('usage: node evaluate.mjs LOG [SETTINGS.json]');
  process.exit(2);
}

const worker = new Worker(new URL('./detect.mjs', import.meta.url), {
  workerData: { settings: settings && readFileSync(settings, 'utf8') },
});

// Sends a request to the worker and waits for the response, with a timeout.
async function ask(message, transfer = []) {
  const timer = setTimeout(() => worker.terminate(), SECONDS * 1000);
  worker.postMessage(message, transfer);
  const answer = await Promise.race([
    once(worker, 'message'),
    once(worker, 'exit').then(() => {
      throw new Error(`the module took longer than ${SECONDS} s, or has failed`);
    }),
  ]);
  clearTimeout(timer);
  return answer[0];
}

// Passes whole lines: a record must not be split.
async function evaluate(lines, firstLine) {
  const data = Buffer.concat(lines);
  const bytes = new Uint8Array(data.length);
  bytes.set(data);
  const { skipped } = await ask({ input: log, firstLine, bytes }, [bytes.buffer]);
  for (const { line, reason } of skipped) console.error(`${log}:${line}: ${reason}`);
}

let [pending, lines, line] = [Buffer.alloc(0), [], 1];
try {
  for await (const chunk of createReadStream(log)) {
    pending = Buffer.concat([pending, chunk]);
    for (let end; (end = pending.indexOf(10)) >= 0; pending = pending.subarray(end + 1)) {
      lines.push(pending.subarray(0, end + 1));
      if (lines.length === BATCH) {
        await evaluate(lines, line);
        line += lines.length;
        lines = [];
      }
    }
  }
  if (pending.length) lines.push(pending);
  if (lines.length) await evaluate(lines, line);
  const { incidents } = await ask({ end: true });
  for (const document of incidents) console.log(document);
} catch (error) {
  console.error(`evaluate: ${error.message}`);
  process.exitCode = 2;
}
await worker.terminate();
