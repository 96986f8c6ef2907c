// One finding, down to the ids of the records it rests on.

import catalogue from "catalogue";
import { explained } from "./codes.js";
import { copy } from "./copy.js";
import { el, list, long, section, severity, time } from "./dom.js";
import { sides, words } from "./movements.js";
import { records } from "./records.js";

/** A finding that can be opened. */
export function finding(of, open) {
  const place = el("details", { class: "finding", id: `finding-${of.id}`, open },
    el("summary", null, severity(of.severity), " ", el("strong", null, of.title), " ", el("span", { class: "quiet" }, `${of.analytic} · ${of.host} · ${time(of.time)}${of.count > 1 ? ` · ${of.count} times` : ""}`)),
    el("p", null, long(of.text)));
  // What is inside is made when somebody looks: there may be thousands of findings.
  const fill = () => place.append(...body(of).filter(Boolean));
  if (open) fill();
  else place.addEventListener("toggle", fill, { once: true });
  return place;
}

function body(of) {
  return [
    explanation(of),
    of.suppressed ? el("p", { class: "quiet" }, `Silenced by the rule ${of.suppressed.rule}: ${of.suppressed.reason}`) : null,
    el("dl", { class: "facts" }, [
      ["Who acted", side(sides(of).from)], ["On what", side(sides(of).to)],
      ["Account", of.user], ["Confidence", of.confidence], ["ATT&CK", of.techniques.join(", ")],
      ["Key indicators", explained(of.indicators)], ["Speaks for Tier 2", explained(of.reasons)],
      ["Channel", of.channel && [words(of.channel.mechanism), of.channel.name, of.channel.peer && `other end ${of.channel.peer}`].filter(Boolean).join(", ")],
    ].filter(([, value]) => value).map(([title, value]) => [el("dt", null, title), el("dd", null, value)])),
    process("Client", of.client),
    process("Server", of.server),
    section("Evidence", records(of.evidence)),
    section("Changes of the day before", of.changes?.length ? records(of.changes) : null),
    section("Logon", of.logon ? records([of.logon]) : null),
    section("Matches of your indicators", list(of.ioc_matches)),
    el("p", { class: "quiet" }, `finding ${of.id} `, copy(() => of.id, "Copy", "Copy the id")),
  ];
}

/** What the analytic looks for, from the catalogue. */
function explanation(of) {
  const text = catalogue[of.analytic];
  return text ? el("p", { class: "about" }, el("strong", null, `${of.analytic}: `), text) : null;
}

function side({ host, account, process }) {
  const name = process?.name && (process.pid ? `${process.name} (${process.pid})` : process.name);
  return [name, host && `on ${host}`, account && `as ${account}`].filter(Boolean).join(" ");
}

function process(title, of) {
  if (!of) return null;
  const rows = [
    ["Path", of.path], ["Command line", of.command_line], ["Account", of.user], ["Integrity", of.integrity],
    ["Started by", of.ancestors?.join(" ← ")], ["Hashes", of.hashes?.join(" ")],
  ].filter(([, value]) => value);
  return section(`${title}: ${of.name}${of.pid ? ` (${of.pid})` : ""}`,
    el("dl", { class: "facts" }, rows.map(([name, value]) => [el("dt", null, name), el("dd", null, name === "Account" || name === "Integrity" ? value : [el("code", null, long(value)), name === "Command line" || name === "Hashes" ? [" ", copy(() => value)] : null])])));
}
