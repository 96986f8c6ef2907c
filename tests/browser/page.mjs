// A browser with one page opened from disk, and the errors in it.

import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Starts the browser. `modules` is the folder that playwright-core was installed into. */
export async function launch(modules, executablePath) {
  const { chromium } = createRequire(join(modules, "package.json"))("playwright-core");
  return chromium.launch({ executablePath, headless: true, args: ["--no-sandbox"] });
}

/** Opens a file as a page. Its complaints: console errors, exceptions, breaches of its policy, requests. */
export async function open(browser, file, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, acceptDownloads: true, ...options });
  const complaints = [];
  const page = await context.newPage();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`exception: ${error.message}`));
  page.on("dialog", (dialog) => { complaints.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  const url = pathToFileURL(file).href;
  // The page itself and its blob and data URLs are allowed; anything else is a request.
  context.on("request", (request) => {
    if (request.url() !== url && !/^(blob|data):/.test(request.url())) complaints.push(`request: ${request.url()}`);
  });
  await page.addInitScript(() => {
    globalThis.breaches = [];
    document.addEventListener("securitypolicyviolation", (event) => globalThis.breaches.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
  await page.goto(url);
  return { context, page, complaints, breaches: () => page.evaluate(() => globalThis.breaches) };
}

/** Drops files into the page and waits for what it shows. */
export async function look(page, files, timeout = 240_000) {
  await page.setInputFiles("#files", files);
  await page.waitForSelector("main:not([hidden]), .trouble:not([hidden])", { timeout });
  const trouble = await page.$(".trouble:not([hidden])");
  if (trouble) throw new Error(await trouble.innerText());
}

/** What the page exports under `name`, as text. */
export async function exported(page, name) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.selectOption("select[aria-label=Export]", name)]);
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
