// Tests the page and the reports in a real browser. `node run.mjs PLAN.json`; tests/browser.rs writes the plan:
//
//   modules    folder with playwright-core      browser   the browser's program
//   page       the page                         shots     folder for screenshots
//   looks      [{ name, files, expected, hostile }]: files to add and the JSON lines of `backchannel replay` for them
//   report     the output of `backchannel report` for the first of them
//   large      a large log

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { exported, launch, look, open } from "./page.mjs";

const plan = JSON.parse(readFileSync(process.argv[2], "utf8"));
const browser = await launch(plan.modules, plan.browser);
const shot = (page, name) => page.screenshot({ path: join(plan.shots, `${name}.png`) });
const documents = (text, type) => text.split("\n").filter(Boolean).map((line) => JSON.parse(line)).filter((one) => one.type === type);

const steps = {
  async "nothing is asked of the network, and nothing breaks the policy"() {
    const { context, page, complaints, breaches } = await open(browser, plan.page);
    await shot(page, "empty");
    assert.equal(await page.isVisible("text=Drop log files here"), true);
    await quiet(complaints, breaches);
    await context.close();
  },

  async "files give the documents of the harness, byte for byte"() {
    for (const { name, files, expected } of plan.looks) {
      const { context, page, complaints, breaches } = await open(browser, plan.page);
      await look(page, files);
      const wanted = readFileSync(expected, "utf8");
      assert.equal(await exported(page, "json"), wanted, name);
      const incidents = documents(wanted, "incident");
      assert.ok(incidents.length > 0, `${name}: it is a test only if something is found`);
      assert.equal(await page.locator(".item").count(), incidents.length, name);
      assert.ok((await page.innerText(".detail h2")).includes(incidents[0].text.slice(0, 40)), name);
      assert.ok((await page.innerText(".detail")).includes(incidents[0].containment[0].target), name);
      await shot(page, `look-${name}`);
      await quiet(complaints, breaches);
      await context.close();
    }
  },

  async "an incident shows tier, reasons, questions, graph, timeline, evidence"() {
    const { context, page, complaints, breaches } = await open(browser, plan.page, { colorScheme: "dark" });
    await look(page, plan.looks[0].files);
    const [incident] = documents(readFileSync(plan.looks[0].expected, "utf8"), "incident");
    const detail = page.locator(".detail");
    assert.ok((await detail.innerText()).includes(`Tier ${incident.tier}`));
    for (const reason of incident.reasons) assert.ok((await detail.innerText()).includes(reason.text));
    assert.equal(await page.locator(".answer").count(), 4);
    assert.ok(await page.locator(".graph .node.process").count() >= 2);
    assert.ok(await page.locator(".graph .node.channel").count() >= 1);
    assert.ok(await page.locator(".graph .edge").count() >= 2);
    assert.equal(await page.locator(".lanes .mark").count(), incident.level1.timeline.length);
    const finding = documents(readFileSync(plan.looks[0].expected, "utf8"), "finding").find((one) => one.id === incident.findings[0]);
    await page.click(`#finding-${finding.id} > summary`);
    await page.waitForSelector(`#finding-${finding.id} .records`);
    const shown = await page.innerText(`#finding-${finding.id}`);
    for (const record of finding.evidence) assert.ok(shown.includes(record.record) && shown.includes(record.source));
    await page.locator(".graph").scrollIntoViewIfNeeded();
    await shot(page, "dark-graph");
    await page.locator(`#finding-${finding.id}`).scrollIntoViewIfNeeded();
    await shot(page, "dark-finding");
    await quiet(complaints, breaches);
    await context.close();
  },

  async "the raw record behind evidence is shown, and only where the files are"() {
    const { context, page, complaints, breaches } = await open(browser, plan.page);
    await look(page, plan.looks[0].files);
    const [incident] = documents(readFileSync(plan.looks[0].expected, "utf8"), "incident");
    for (const ending of [".evtx", ".jsonl"]) {
      const at = incident.level1.timeline.findIndex((record) => record.source.endsWith(ending));
      const record = incident.level1.timeline[at];
      await page.click(`#record-${at} button.raw`);
      await page.waitForFunction((id) => document.querySelector("dialog pre")?.textContent.includes(id), record.record);
      const shown = await page.innerText("dialog pre");
      assert.ok(shown.includes(record.provider) && shown.includes(record.host), shown);
      await shot(page, `raw${ending}`);
      await page.keyboard.press("Escape");
      await page.waitForSelector("dialog.wide", { state: "detached" });
    }
    await quiet(complaints, breaches);
    await context.close();
    const report = await open(browser, plan.report);
    await report.page.waitForSelector(".item");
    assert.equal(await report.page.locator("button.raw").count(), 0);
    await report.context.close();
  },

  async "keyboard, filters and theme"() {
    const { context, page, complaints, breaches } = await open(browser, plan.page, { colorScheme: "light" });
    await look(page, plan.looks[0].files);
    const chosen = () => page.locator(".item[aria-selected=true]").getAttribute("data-id");
    const first = await chosen();
    await page.keyboard.press("j");
    const second = await chosen();
    assert.notEqual(second, first);
    await page.keyboard.press("k");
    assert.equal(await chosen(), first);
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.className), "detail");
    await page.keyboard.press("/");
    await page.keyboard.type("mkfifo");
    assert.equal(await page.locator(".item").count(), 1);
    await page.keyboard.press("Escape");
    assert.equal(await page.locator(".item").count(), 3);
    await page.keyboard.press("?");
    assert.equal(await page.isVisible("dialog[open]"), true);
    await page.keyboard.press("Escape");
    assert.equal(await page.isVisible("dialog[open]"), false);
    await page.keyboard.press("v");
    const findings = documents(readFileSync(plan.looks[0].expected, "utf8"), "finding");
    assert.equal(await page.locator(".item").count(), findings.length);
    await page.selectOption("select[aria-label='Least severity']", "critical");
    assert.equal(await page.locator(".item").count(), findings.filter((one) => one.severity === "critical").length);
    await page.selectOption("select[aria-label=Host]", "web01");
    assert.equal(await page.locator(".item").count(), findings.filter((one) => one.severity === "critical" && one.host === "web01").length);
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.click("[aria-label='Dark or light']");
    assert.notEqual(await ground(), light);
    await page.click("text=Run");
    assert.ok((await page.innerText(".detail")).includes("no baseline was given"));
    await shot(page, "run");
    await quiet(complaints, breaches);
    await context.close();
  },

  async "what is exported as OCSF has what the class requires"() {
    const { context, page } = await open(browser, plan.page);
    await look(page, plan.looks[0].files);
    const text = await exported(page, "ocsf");
    assert.equal(text, readFileSync(plan.looks[0].ocsf, "utf8"), "the page and the program write the same");
    const lines = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    const findings = documents(readFileSync(plan.looks[0].expected, "utf8"), "finding");
    assert.deepEqual(lines.map((one) => one.finding_info.uid), findings.map((one) => one.id));
    for (const one of lines) {
      assert.deepEqual([one.class_uid, one.category_uid, one.activity_id, one.type_uid], [2004, 2, 1, 200401]);
      assert.ok(Number.isInteger(one.time) && one.severity_id >= 1 && one.severity_id <= 5);
      assert.ok(one.metadata.version && one.metadata.product.name && one.finding_info.title && one.evidences.length);
      assert.ok(one.finding_info.attacks.every((attack) => /^T\d{4}$/.test(attack.technique.uid)));
    }
    await context.close();
  },

  async "reports, written by the program or exported, show the same and run nothing else"() {
    const first = await open(browser, plan.page);
    await look(first.page, plan.looks[0].files);
    const mine = join(plan.shots, "exported.html");
    writeFileSync(mine, await exported(first.page, "html"));
    await first.context.close();
    const wanted = readFileSync(plan.looks[0].expected, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
    for (const file of [plan.report, mine]) {
      const { context, page, complaints, breaches } = await open(browser, file);
      await page.waitForSelector(".item");
      assert.deepEqual((await exported(page, "json")).split("\n").filter(Boolean).map((line) => JSON.parse(line)), wanted, file);
      assert.equal(await page.locator(".item").count(), wanted.filter((one) => one.type === "incident").length, file);
      assert.equal(await page.locator("#files, #module, #worker").count(), 0, "a report takes no files and holds no module");
      assert.equal(await page.locator("option[value=ocsf]").count(), 0, "OCSF is written by the module");
      await quiet(complaints, breaches);
      await context.close();
    }
    assert.equal(readFileSync(plan.report, "utf8"), readFileSync(mine, "utf8"), "both are the same file");
  },

  async "a telephone has no second scroll bar, and paper has everything"() {
    const { context, page, complaints, breaches } = await open(browser, plan.report, { viewport: { width: 390, height: 844 } });
    await page.waitForSelector(".item");
    for (const item of await page.$$(".item")) {
      await item.click();
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 390);
    }
    await shot(page, "telephone");
    const wanted = readFileSync(plan.looks[0].expected, "utf8");
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    assert.equal(await page.locator(".paper .finding").count(), documents(wanted, "finding").length);
    assert.equal(await page.locator(".paper details:not([open])").count(), 0);
    for (const one of documents(wanted, "incident")) assert.ok((await page.locator(".paper").textContent()).includes(one.text));
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    assert.equal(await page.locator(".paper").count(), 0);
    await quiet(complaints, breaches);
    await context.close();
  },

  async "what a log says stays text"() {
    const { files, expected, hostile } = plan.looks.find((one) => one.hostile);
    const first = await open(browser, plan.page);
    await look(first.page, files);
    const report = join(plan.shots, "hostile.html");
    writeFileSync(report, await exported(first.page, "html"));
    assert.ok(readFileSync(expected, "utf8").includes("onerror"), "the log's markup reached the documents");
    const second = await open(browser, report);
    await second.page.waitForSelector(".item");
    for (const { context, page, complaints, breaches } of [first, second]) {
      let text = "";
      for (const item of await page.$$(".item")) {
        await item.click();
        // Opening one creates its content, which may contain closed ones.
        for (let closed; (closed = await page.$("details:not([open]) > summary"));) await closed.click();
        text += await page.evaluate(() => document.querySelector("main").textContent);
      }
      for (const part of hostile) assert.ok(text.includes(part), `${part} is shown as it is`);
      assert.equal(await page.locator("img, iframe, object, embed, a[href], [onerror], [onload], b.hostile").count(), 0);
      assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
      await shot(page, context === first.context ? "hostile" : "hostile-report");
      await quiet(complaints, breaches);
      await context.close();
    }
  },

  async "the policy forbids what it should"() {
    for (const file of [plan.page, plan.report]) {
      const { context, page } = await open(browser, file);
      const tried = await page.evaluate(async () => {
        const script = document.createElement("script");
        script.textContent = "globalThis.ran = true";
        document.body.append(script);
        const image = document.createElement("img");
        const loaded = new Promise((done) => { image.onload = () => done(true); image.onerror = () => done(false); });
        image.src = "https://example.invalid/x.png";
        document.body.append(image);
        const asked = await fetch("https://example.invalid/").then(() => true, () => false);
        return { ran: globalThis.ran === true, asked, loaded: await loaded };
      });
      assert.deepEqual(tried, { ran: false, asked: false, loaded: false });
      const breaches = (await page.evaluate(() => globalThis.breaches)).join("\n");
      for (const part of ["script-src", "connect-src", "img-src"]) assert.ok(breaches.includes(part), `${part} in ${breaches}`);
      await context.close();
    }
  },

  async "files that are dropped are looked at as files that are chosen"() {
    const { context, page, complaints, breaches } = await open(browser, plan.page);
    const { files, expected } = plan.looks.find((one) => one.name === "sample");
    const carried = files.map((file) => ({ name: basename(file), bytes: readFileSync(file).toString("base64") }));
    const transfer = await page.evaluateHandle((carried) => {
      const transfer = new DataTransfer();
      for (const { name, bytes } of carried) transfer.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name));
      return transfer;
    }, carried);
    await page.dispatchEvent("body", "dragover", { dataTransfer: transfer });
    assert.equal(await page.evaluate(() => document.body.classList.contains("over")), true);
    await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
    await page.waitForSelector("main:not([hidden])");
    assert.equal(await exported(page, "json"), readFileSync(expected, "utf8"));
    await page.click("[role=tab]:nth-child(2)");
    await shot(page, "findings");
    await page.click(".to-incident");
    assert.ok((await page.innerText(".detail")).includes("The playbook's questions".toUpperCase()));
    await quiet(complaints, breaches);
    await context.close();
  },

  async "what is no log is told, and the page can be used on"() {
    const { context, page, complaints, breaches } = await open(browser, plan.page);
    await look(page, [process.argv[1]]);
    await page.click("text=Run");
    assert.ok((await page.innerText(".detail")).includes("no known log format"));
    await look(page, plan.looks[0].files);
    assert.equal(await page.locator(".item").count(), 3);
    await quiet(complaints, breaches);
    await context.close();
  },

  async "a large log does not freeze the page"() {
    const { context, page, complaints, breaches } = await open(browser, plan.page);
    await page.evaluate(() => {
      globalThis.longest = 0;
      globalThis.seen = new Set();
      let last = performance.now();
      const tick = () => {
        const now = performance.now();
        globalThis.longest = Math.max(globalThis.longest, now - last);
        last = now;
        globalThis.seen.add(document.querySelector("[role=status]:not(.quiet)")?.textContent);
      };
      globalThis.pulse = setInterval(tick, 10);
    });
    const began = Date.now();
    await page.setInputFiles("#files", plan.large);
    await page.waitForSelector("main:not([hidden])", { timeout: 300_000 });
    const took = Date.now() - began;
    const { longest, seen } = await page.evaluate(() => { clearInterval(globalThis.pulse); return { longest: globalThis.longest, seen: globalThis.seen.size }; });
    console.log(`  ${plan.large}: ${took} ms, longest pause of the page ${Math.round(longest)} ms, ${seen} different progress texts`);
    assert.ok(longest < 1000, `the page stood still for ${longest} ms`);
    assert.ok(seen >= 3, "progress was shown");
    await quiet(complaints, breaches);
    await context.close();
  },
};

async function quiet(complaints, breaches) {
  assert.deepEqual(await breaches(), []);
  assert.deepEqual(complaints, []);
}

let failed = 0;
for (const [name, step] of Object.entries(steps)) {
  try {
    await step();
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n${error.stack}`);
  }
}
await browser.close();
process.exitCode = failed ? 1 : 0;
