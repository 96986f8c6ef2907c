// When it happened: a lane for each machine, a mark for each record, and the records below as a list.

import { axisBottom } from "d3-axis";
import { scaleUtc } from "d3-scale";
import { select } from "d3-selection";
import { zoom, zoomIdentity } from "d3-zoom";
import { moment } from "./data.js";
import { el, label, long, severity, svg, table, time, unique } from "./dom.js";
import { source } from "./records.js";

const LANE = 34;
/** Room for the buttons. */
const TOP = 24;
const LEFT = 120;
const WIDTH = 1000;

/** The timeline of an incident; nothing without records. */
export function timeline(incident, data, onFinding) {
  const records = incident.level1.timeline.filter((record) => !Number.isNaN(moment(record.time)));
  if (!records.length) return null;
  const rows = records.map((record, at) => row(record, at, data, onFinding));
  const list = table(["Time (UTC)", "Host", "", "What", "Record"], rows, "records marked");
  return [lanes(records, data, (at) => reveal(rows[at])), list, bursts(incident.level1.bursts)];
}

function bursts(found) {
  if (!found.length) return null;
  const sentence = ({ start, end, count, distinct }) => `Burst: ${count} events, ${distinct} different, ${time(start)} to ${time(end)}`;
  return el("p", { class: "quiet" }, found.map((burst) => el("span", { class: "line" }, sentence(burst))));
}

function worst(record, data) {
  return record.finding ? data.byId.get(record.finding)?.severity ?? "info" : null;
}

function row(record, at, data, onFinding) {
  const of = worst(record, data);
  return el("tr", { class: of ? "of-finding" : null, id: `record-${at}` },
    el("td", { class: "time" }, time(record.time)),
    el("td", { class: "host", title: record.host }, label(record.host)),
    el("td", null, of ? el("button", { class: "link", title: "Go to the finding", onclick: () => onFinding(record.finding) }, severity(of)) : ""),
    el("td", { class: "wide" }, long(record.text)),
    el("td", { class: "source" }, source(record)));
}

function reveal(row) {
  row.scrollIntoView({ block: "center", behavior: "smooth" });
  row.classList.add("flash");
  setTimeout(() => row.classList.remove("flash"), 1500);
}

function lanes(records, data, onMark) {
  const names = [...new Set(records.map((record) => label(record.host)))];
  const times = records.map((record) => moment(record.time));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const pad = Math.max(2000, (last - first) * 0.03);
  const scale = scaleUtc([first - pad, last + pad], [LEFT, WIDTH - 16]);
  const height = TOP + names.length * LANE + 40;
  const canvas = svg("svg", { class: "lanes", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": "Records by time and machine" });
  names.forEach((name, at) => canvas.append(
    svg("line", { class: "lane", x1: LEFT, x2: WIDTH - 16, y1: TOP + at * LANE + 22, y2: TOP + at * LANE + 22 }),
    svg("text", { class: "lane-name", x: 4, y: TOP + at * LANE + 26 }, short(name))));
  const axis = svg("g", { class: "axis", transform: `translate(0,${TOP + names.length * LANE + 8})` });
  const clipped = unique("lanes");
  const clip = svg("clipPath", { id: clipped }, svg("rect", { x: LEFT - 8, y: 0, width: WIDTH - LEFT, height }));
  const marks = svg("g", { "clip-path": `url(#${clipped})` });
  canvas.append(svg("defs", null, clip), axis, marks);
  const dots = records.map((record, at) => {
    const of = worst(record, data);
    const dot = svg("circle", { class: of ? `mark ${of}` : "mark", r: of ? 6 : 3.5, cy: TOP + names.indexOf(label(record.host)) * LANE + 22, tabindex: -1, onclick: () => onMark(at) },
      svg("title", null, `${time(record.time)}  ${record.text}`));
    return { dot, at: times[at], of };
  });
  // Those of findings on top.
  dots.filter((mark) => !mark.of).concat(dots.filter((mark) => mark.of)).forEach((mark) => marks.append(mark.dot));
  const draw = (to) => {
    dots.forEach((mark) => mark.dot.setAttribute("cx", to(mark.at)));
    select(axis).call(axisBottom(to).ticks(6).tickFormat(tick).tickSizeOuter(0));
  };
  draw(scale);
  const behaviour = zoom().scaleExtent([1, 5000]).translateExtent([[LEFT, 0], [WIDTH - 16, height]]).extent([[LEFT, 0], [WIDTH - 16, height]])
    .filter((event) => event.type !== "wheel" || event.ctrlKey)
    .on("zoom", (event) => draw(event.transform.rescaleX(scale)));
  const picture = select(canvas).call(behaviour);
  const button = (label, title, act) => el("button", { class: "small", title, onclick: act }, label);
  return el("div", { class: "picture" }, el("div", { class: "canvas" }, canvas), el("div", { class: "tools" },
    button("+", "Shorter span", () => picture.call(behaviour.scaleBy, 1.6)),
    button("−", "Longer span", () => picture.call(behaviour.scaleBy, 1 / 1.6)),
    button("Whole", "Show all of it", () => picture.call(behaviour.transform, zoomIdentity))));
}

/** A tick of the axis: 24 hours, as exact as the ticks are. */
function tick(at) {
  const text = at.toISOString();
  if (at % 1000) return text.slice(17, 23);
  if (at % 60_000) return text.slice(11, 19);
  return at % 86_400_000 ? text.slice(11, 16) : text.slice(0, 10);
}

function short(name) {
  return name.length > 17 ? `${name.slice(0, 16)}…` : name;
}
