// The worker: lets the module read files at any place, and tells the page how far it has come. `wasm_bindgen` is the
// glue that is built in front of this.

/** Bytes read at once: a call into a file costs more than a copy. */
const BLOCK = 256 * 1024;
/** Milliseconds between two reports. */
const PACE = 100;

class LogFile {
  constructor({ file, name }) {
    this.file = file;
    this.name = name;
    this.size = file.size;
    this.at = 0;
    this.block = new Uint8Array(0);
  }

  read(offset, length) {
    const known = offset >= this.at && offset < this.at + this.block.length;
    if (!known) {
      const end = Math.min(this.size, offset + Math.max(length, BLOCK));
      this.block = new Uint8Array(new FileReaderSync().readAsArrayBuffer(this.file.slice(offset, end)));
      this.at = offset;
    }
    const from = offset - this.at;
    return this.block.subarray(from, Math.min(this.block.length, from + length));
  }
}

self.onmessage = ({ data }) => {
  let last = 0;
  const listener = {
    report(done, size, events, findings) {
      const now = performance.now();
      if (now - last < PACE) return;
      last = now;
      self.postMessage({ progress: { done, size, events, findings } });
    },
  };
  try {
    wasm_bindgen.initSync({ module: data.module });
    if (data.find) {
      const { file, record } = data.find;
      const found = wasm_bindgen.record(new LogFile(file), record.source, record.line ?? 0, record.record ?? "", record.provider ?? "", record.event_id ?? 0);
      self.postMessage({ record: found });
      return;
    }
    if (data.ocsf !== undefined) {
      self.postMessage({ ocsf: wasm_bindgen.ocsf(data.ocsf) });
      return;
    }
    const [lines, skips] = wasm_bindgen.look(data.files.map((file) => new LogFile(file)), listener);
    self.postMessage({ lines, skips });
  } catch (error) {
    self.postMessage({ error: error instanceof WebAssembly.RuntimeError ? `The module failed (${error.message}). Fewer or smaller files may work; please report it.` : String(error) });
  }
};
