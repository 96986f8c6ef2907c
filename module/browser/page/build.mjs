// Builds the viewer and the page: `node build.mjs OUT [--viewer | --page] [--check]`, called by `cargo xtask page`, which has
// put the packages into OUT/node_modules and the module's glue into OUT/glue.
//
// report.html and LICENSES.txt are committed, so that building `backchannel` needs no node; OUT/backchannel.html, the
// page, is not.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { page, policy } from "./src/report.js";

const here = dirname(fileURLToPath(import.meta.url));
const [out, ...flags] = process.argv.slice(2);
const modules = join(out, "node_modules");
const esbuild = createRequire(join(out, "package.json"))("esbuild");
const version = readFileSync(join(here, "../../../Cargo.toml"), "utf8").match(/\[workspace\.package\]\s+version = "([^"]+)"/)[1];

/** What each analytic detects, in the words of its own header: the first paragraph in docs/analytics.md. */
function catalogue() {
  const about = {};
  for (const part of readFileSync(join(here, "../../../docs/analytics.md"), "utf8").split(/\n### /).slice(1)) {
    const [id] = part.split("\n", 1);
    const text = part.match(/#### What it detects\n([^]+?)\n\n/)?.[1].replace(/\s+/g, " ").replaceAll("`", "");
    if (!text) throw new Error(`${id}: docs/analytics.md does not say what it detects`);
    about[id] = text;
  }
  return about;
}

const explanations = {
  name: "catalogue",
  setup(build) {
    build.onResolve({ filter: /^catalogue$/ }, () => ({ path: "catalogue", namespace: "catalogue" }));
    build.onLoad({ filter: /.*/, namespace: "catalogue" }, () => ({ contents: JSON.stringify(catalogue()), loader: "json" }));
  },
};

/** One script from a source and all that it imports. */
async function bundle(name) {
  const built = await esbuild.build({
    entryPoints: [join(here, "src", name)], bundle: true, minify: true, format: "iife", target: "es2022",
    charset: "ascii", legalComments: "none", nodePaths: [modules], write: false, metafile: true, plugins: [explanations],
  });
  const text = built.outputFiles[0].text.trim();
  // What would end the script element that it stands in, or change how it is read.
  if (/<\/script|<!--/i.test(text)) throw new Error(`${name}: it cannot stand inside a page`);
  return { text, inputs: Object.keys(built.metafile.inputs) };
}

const hash = (text) => `sha256-${createHash("sha256").update(text).digest("base64")}`;

/** The licences of the packages that went into a bundle. */
function licences(inputs) {
  const names = new Set(inputs.map((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1]).filter(Boolean));
  // dagre is published bundled: its graph library is inside.
  if (names.has("@dagrejs/dagre")) names.add("@dagrejs/graphlib");
  const texts = [...names].sort().map((name) => {
    const about = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
    const file = readdirSync(join(modules, name)).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${name}: it has no licence file`);
    return `${name} ${about.version} (${about.license})\n\n${readFileSync(join(modules, name, file), "utf8").trim()}\n`;
  });
  return `Libraries inside report.html and the page, with their licences.\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

function put(path, text) {
  if (!flags.includes("--check")) return writeFileSync(path, text);
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
    console.error(`${path} is not up to date: run \`cargo xtask page --viewer\``);
    process.exitCode = 1;
  }
}

const viewer = await bundle("viewer.js");
const style = (await esbuild.transform(readFileSync(join(here, "src/style.css"), "utf8"), { loader: "css", minify: true, charset: "ascii" })).code.trim();
const hashes = { viewer: hash(viewer.text), style: hash(style) };

const report = page({
  csp: { ...hashes, text: policy({ scripts: [hashes.viewer], style: hashes.style }) },
  title: "Backchannel report", style, viewer: viewer.text, version, data: "@DATA@",
});
if (!flags.includes("--page")) {
  put(join(here, "report.html"), report);
  put(join(here, "LICENSES.txt"), licences(viewer.inputs));
}

if (!flags.includes("--viewer")) {
  const app = await bundle("app.js");
  const glue = readFileSync(join(out, "glue/glue.js"), "utf8");
  const worker = (await esbuild.transform(`${glue}\n${readFileSync(join(here, "src/worker.js"), "utf8")}`, { minifyWhitespace: true, charset: "ascii" })).code;
  if (/<\/script/i.test(worker)) throw new Error("worker.js: it cannot stand inside a page");
  const compiled = readFileSync(join(out, "glue/glue_bg.wasm"));
  // It may read the files that it is given and say how far it is. Clock, randomness and network are not among it.
  const wants = WebAssembly.Module.imports(new WebAssembly.Module(compiled)).map(({ name }) => name);
  const odd = wants.filter((name) => !/^__wbg_(name|size|read|report)_[0-9a-f]+$|^__wbindgen_(init_externref_table|generic_[0-9a-f]+)$/.test(name));
  if (odd.length) throw new Error(`the module asks the page for ${odd.join(", ")}`);
  const module = gzipSync(compiled, { level: 9 }).toString("base64");
  const text = page({
    csp: {
      ...hashes,
      // The worker is made from text inside the page, and inherits this policy; WebAssembly needs to be allowed by name.
      text: policy({ scripts: [hashes.viewer, hash(app.text)], style: hashes.style, extra: { scripts: "'wasm-unsafe-eval'", directives: ["worker-src blob:"] } }),
    },
    title: "Backchannel", style, viewer: viewer.text, version, data: "",
    without: "This page is run by scripts that are inside this file.",
    before: `<script type="text/plain" id="worker">${worker}</script>\n<script type="text/plain" id="module">${module}</script>\n`,
    after: `<script>${app.text}</script>\n`,
  });
  writeFileSync(join(out, "backchannel.html"), text);
  console.log(`${join(out, "backchannel.html")}: ${(text.length / 1024).toFixed(0)} KiB, the viewer ${(viewer.text.length / 1024).toFixed(0)} KiB of it`);
}
