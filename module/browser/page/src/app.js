// The page: takes files, has a worker look at them, shows what it found. Nothing is sent anywhere.

const { start, show, hide, offer, addExport, el } = globalThis.Backchannel;

const input = el("input", { type: "file", multiple: true, hidden: true, id: "files", onchange: () => { look([...input.files]); input.value = ""; } });
const bar = el("progress", { max: 1, value: 0 });
const told = el("p", { role: "status" });
const place = el("div", { class: "drop" },
  el("p", { class: "big" }, "Drop log files here"),
  el("p", null, "or ", el("button", { class: "main", onclick: () => input.click() }, "choose files")),
  el("p", { class: "quiet" }, "EVTX; Windows events as JSON or XML; Linux audit logs; syslog; Zeek; also .gz, .zst, .zip, .tar.gz."),
  el("p", { class: "quiet" }, "Everything happens in this page. It makes no network request, and its policy forbids every one."));
const working = el("div", { class: "drop", hidden: true }, told, bar, el("p", null, el("button", { onclick: () => cancel() }, "Stop")));
const trouble = el("div", { class: "drop trouble", role: "alert", hidden: true });
let worker = null;
let module = null;
/** The files that were looked at last. */
let looked = [];

offer(find);
addExport("ocsf", { label: "OCSF (Detection Finding)", file: "backchannel.ocsf.jsonl", type: "application/x-ndjson", make: async (data) => (await answer({ ocsf: data.lines.join("\n") })).ocsf });
start([el("button", { title: "Look at other files", onclick: () => input.click() }, "Open files")]);
document.body.append(place, working, trouble, input);
document.addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("over"); });
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("over"); });
document.addEventListener("drop", async (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  look(await dropped(event.dataTransfer));
});

/** All files that were dropped, those in folders too. */
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  const files = [];
  const walk = async (entry, folder) => {
    if (entry.isFile) {
      const file = await new Promise((done, failed) => entry.file(done, failed));
      files.push(folder ? Object.assign(file, { shown: `${folder}/${file.name}` }) : file);
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (!some.length) break;
      for (const inner of some) if (!inner.name.startsWith(".")) await walk(inner, folder ? `${folder}/${entry.name}` : entry.name);
    }
  };
  for (const entry of entries) await walk(entry, "");
  return files;
}

/** The module, unpacked once. */
async function code() {
  if (!module) {
    const packed = Uint8Array.from(atob(document.getElementById("module").textContent), (c) => c.charCodeAt(0));
    const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    module = await new Response(plain).arrayBuffer();
  }
  return module;
}

/** A worker, and what to do with it: the worker's script stands in the page as text. */
function hire() {
  const script = new Blob([document.getElementById("worker").textContent], { type: "text/javascript" });
  const url = URL.createObjectURL(script);
  const hired = new Worker(url);
  hired.dismiss = () => { hired.terminate(); URL.revokeObjectURL(url); };
  return hired;
}

/** The raw record behind evidence, out of the file that it came from. */
async function find(record) {
  const from = looked.find(({ name }) => record.source === name || record.source.startsWith(`${name}/`));
  if (!from) return null;
  return (await answer({ find: { file: from, record } })).record ?? null;
}

/** What a new worker answers to one request. */
async function answer(request) {
  const hired = hire();
  try {
    return await new Promise((done, failed) => {
      hired.onerror = (event) => failed(new Error(event.message || "the worker could not be started"));
      hired.onmessage = ({ data }) => data.error ? failed(new Error(data.error)) : done(data);
      code().then((module) => hired.postMessage({ module, ...request }), failed);
    });
  } finally {
    hired.dismiss();
  }
}

async function look(files) {
  if (!files.length) return;
  cancel();
  hide();
  view(working);
  told.textContent = "Reading…";
  bar.removeAttribute("value");
  const mine = hire();
  worker = mine;
  looked = named(files);
  mine.onerror = (event) => failed(event.message || "the worker could not be started");
  mine.onmessage = ({ data }) => {
    if (mine !== worker) return;
    if (data.progress) return progress(data.progress);
    cancel();
    if (data.error) return failed(data.error);
    view(null);
    show(data.lines.split("\n").filter(Boolean), JSON.parse(data.skips));
  };
  mine.postMessage({ module: await code(), files: looked });
}

/** Files with names of their own: evidence must say which one is meant. */
function named(files) {
  const seen = new Map();
  return files.map((file) => {
    const name = file.shown || file.webkitRelativePath || file.name;
    const before = seen.get(name) ?? 0;
    seen.set(name, before + 1);
    return { file, name: before ? `${name} (${before + 1})` : name };
  });
}

function progress({ done, size, events, findings }) {
  if (size) bar.value = Math.min(1, done / size);
  const mib = (bytes) => (bytes / 1024 / 1024).toFixed(1);
  told.textContent = `${mib(done)} of ${mib(size)} MiB · ${events.toLocaleString("en")} events · ${findings.toLocaleString("en")} findings`;
}

function failed(text) {
  cancel();
  trouble.replaceChildren(el("p", { class: "big" }, "That did not work"), el("p", null, text));
  view(trouble, place);
}

function cancel() {
  if (!worker) return;
  worker.dismiss();
  worker = null;
  view(place);
}

function view(...shown) {
  for (const one of [place, working, trouble]) one.hidden = !shown.includes(one);
}
