// Who acted on whom over what: machines, processes and channels of an incident as a layered graph.

import * as dagreModule from "@dagrejs/dagre";
import { select } from "d3-selection";
import { zoom, zoomIdentity } from "d3-zoom";
import { el, label, plain, SEVERITIES, svg, unique } from "./dom.js";
import { sides, words } from "./movements.js";

const dagre = dagreModule.default ?? dagreModule;

/** More than this is no picture any more. */
const MOST = 120;
/** Room for a machine's name above what runs on it. */
const HEAD = 12;

/** One name for a channel that is written in several ways: `\\.\pipe\svcctl`, `\svcctl`, `svcctl`; `/var/run`, `/run`. */
export function channelName(name) {
  return name.toLowerCase().replace(/^\\\\[^\\]*\\(pipe|ipc\$)\\/, "").replace(/^\\(device\\namedpipe|pipe)\\/, "").replace(/^\\+/, "").replace(/^\/var\/run\//, "/run/");
}

/** Nodes and edges of an incident's findings: one node a process and channel, one box a machine. */
export function build(incident, findings) {
  const nodes = new Map();
  const edges = new Map();
  const add = (id, node) => {
    if (!nodes.has(id) && nodes.size < MOST) nodes.set(id, node);
    return nodes.has(id) ? id : null;
  };
  const join = (from, to, label, worst) => {
    if (!from || !to || from === to) return;
    const key = JSON.stringify([from, to, label]);
    const edge = edges.get(key) ?? { from, to, label, count: 0, worst };
    edge.count += 1;
    if (SEVERITIES.indexOf(worst) > SEVERITIES.indexOf(edge.worst)) edge.worst = worst;
    edges.set(key, edge);
  };
  const process = (host, of) => {
    if (!of?.name) return null;
    const id = `p ${host} ${of.pid ?? ""} ${of.name.toLowerCase()}`;
    const known = nodes.get(id);
    // Another finding may know more of the same process.
    if (known) {
      known.detail ||= of.user ?? "";
      known.hint = longer(known.hint, hint(of));
      known.marked ||= of.untrusted === true;
      return id;
    }
    return add(id, { kind: "process", host, title: of.pid ? `${of.name} (${of.pid})` : of.name, detail: of.user ?? "", hint: hint(of), marked: of.untrusted === true });
  };
  const unknown = (side) => side.host && add(`u ${side.host}`, { kind: "process", host: side.host, title: "process not recorded", detail: side.account, hint: `No record names the process on ${side.host}`, faint: true });
  const parent = (host, of, child) => {
    const [nearest] = of?.ancestors ?? [];
    if (!nearest || !child) return;
    const [, name, pid] = /^(.*?)(?: \((\d+)\))?$/.exec(nearest);
    const id = `p ${host} ${pid ?? ""} ${name.toLowerCase()}`;
    join(add(id, { kind: "process", host, title: nearest, detail: "", hint: nearest, faint: true }), child, "started", "info");
  };
  const all = findings.map((finding) => ({ finding, ...sides(finding) }));
  // Known processes first, so that a parent that is one of them is not drawn faintly.
  for (const { finding, from, to } of all) {
    process(from.host || label(finding.host), from.process);
    process(to.host || label(finding.host), to.process);
    process(label(finding.host), finding.client);
    process(label(finding.host), finding.server);
  }
  for (const { finding, from, to } of all) {
    const here = label(finding.host);
    const origin = process(from.host || here, from.process) ?? unknown(from.host ? from : { ...from, host: "" });
    const target = process(to.host || here, to.process) ?? (to.host && to.host !== from.host ? unknown(to) : null);
    for (const one of [finding.client, finding.server]) parent(here, one, process(here, one));
    const { channel } = finding;
    if (!channel) {
      join(origin, target, "", finding.severity);
      continue;
    }
    // A channel lies on the machine whose process serves it.
    const name = channel.name || words(channel.mechanism);
    const on = to.host || here;
    const id = add(`c ${on} ${channel.mechanism} ${channelName(name)}`, {
      kind: "channel", host: on, title: name, detail: words(channel.mechanism), hint: `${words(channel.mechanism)} ${name}`,
    });
    join(origin, id, "", finding.severity);
    join(id, target === origin ? null : target, "", finding.severity);
  }
  return pruned(nodes, [...edges.values()]);
}

/** Without placeholders where another finding knows which process serves the same channel. */
function pruned(nodes, edges) {
  const placeholder = (id) => id.startsWith("u ");
  const served = new Set(edges.filter(({ from, to }) => nodes.get(from).kind === "channel" && !placeholder(to)).map(({ from }) => from));
  const kept = edges.filter(({ from, to }) => !(placeholder(to) && served.has(from)));
  const ends = new Set(kept.flatMap(({ from, to }) => [from, to]));
  for (const id of [...nodes.keys()]) if (placeholder(id) && !ends.has(id)) nodes.delete(id);
  return { nodes, edges: kept };
}

function hint(of) {
  return [of.path, of.command_line, of.integrity && of.integrity !== "unknown" && `integrity ${of.integrity}`].filter(Boolean).join("\n");
}

function longer(a, b) {
  return b.length > a.length ? b : a;
}

/** Draws an incident's graph; nothing where there is nothing to draw. */
export function graph(incident, findings) {
  const { nodes, edges } = build(incident, findings);
  if (nodes.size < 2) return null;
  const layout = new dagre.graphlib.Graph({ compound: true, multigraph: true });
  layout.setGraph({ rankdir: "LR", nodesep: 24, ranksep: 46, marginx: 16, marginy: 16 });
  layout.setDefaultEdgeLabel(() => ({}));
  for (const [id, node] of nodes) {
    node.lines = [cut(node.title, 34), cut(node.detail, 36)].filter(Boolean);
    const longest = Math.max(...node.lines.map((line, at) => line.length * (at ? 6.3 : 7.4)));
    layout.setNode(id, { width: Math.max(84, longest + 24), height: node.lines.length > 1 ? 46 : 32 });
    if (node.host) {
      if (!layout.hasNode(`h ${node.host}`)) layout.setNode(`h ${node.host}`, {});
      layout.setParent(id, `h ${node.host}`);
    }
  }
  edges.forEach((edge, at) => layout.setEdge(edge.from, edge.to, { width: edge.label ? edge.label.length * 6 : 0, height: edge.label ? 12 : 0, labelpos: "c" }, String(at)));
  dagre.layout(layout);
  const { width, height } = layout.graph();
  const arrow = unique("arrow");
  const view = svg("g");
  for (const id of layout.nodes().filter((id) => id.startsWith("h "))) {
    const box = layout.node(id);
    view.append(svg("g", { class: "machine" },
      svg("rect", { x: box.x - box.width / 2, y: box.y - box.height / 2 - HEAD, width: box.width, height: box.height + HEAD, rx: 8 }),
      svg("text", { x: box.x - box.width / 2 + 10, y: box.y - box.height / 2 - HEAD + 15 }, id.slice(2))));
  }
  edges.forEach((edge, at) => {
    const found = layout.edge(edge.from, edge.to, String(at));
    view.append(svg("path", { class: `edge ${edge.worst}`, d: curve(found.points), "marker-end": `url(#${arrow})` }));
    if (edge.label) view.append(svg("text", { class: "edge-label", x: found.x, y: found.y + 3 }, edge.label));
  });
  for (const [id, node] of nodes) {
    const box = layout.node(id);
    const kind = `node ${node.kind}${node.faint ? " faint" : ""}${node.marked ? " marked" : ""}`;
    view.append(svg("g", { class: kind, transform: `translate(${box.x - box.width / 2},${box.y - box.height / 2})` },
      svg("title", null, plain(node.hint)),
      svg("rect", { width: box.width, height: box.height, rx: node.kind === "channel" ? box.height / 2 : 5 }),
      node.lines.map((line, at) => svg("text", { class: at ? "second" : "title", x: box.width / 2, y: (node.lines.length > 1 ? 19 : 20) + at * 16 }, line))));
  }
  const canvas = svg("svg", { class: "graph", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Processes and channels of this incident" },
    svg("defs", null, svg("marker", { id: arrow, class: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, svg("path", { d: "M0,0L8,4L0,8z" }))),
    view);
  canvas.setAttribute("height", Math.min(520, Math.max(120, height)));
  const behaviour = zoom().scaleExtent([0.3, 5])
    .filter((event) => event.type !== "wheel" || event.ctrlKey)
    .on("zoom", (event) => view.setAttribute("transform", event.transform));
  const picture = select(canvas).call(behaviour);
  const button = (label, title, act) => el("button", { class: "small", title, onclick: act }, label);
  return el("div", { class: "picture" }, el("div", { class: "canvas" }, canvas), el("div", { class: "tools" },
    button("+", "Larger", () => picture.call(behaviour.scaleBy, 1.3)),
    button("−", "Smaller", () => picture.call(behaviour.scaleBy, 1 / 1.3)),
    button("Whole", "Show all of it", () => picture.call(behaviour.transform, zoomIdentity))));
}

function cut(text, most) {
  const shown = [...plain(text)];
  return shown.length > most ? `${shown.slice(0, most - 1).join("")}…` : shown.join("");
}

function curve(points) {
  const [first, ...rest] = points;
  let path = `M${first.x},${first.y}`;
  rest.forEach((point, at) => {
    const next = rest[at + 1];
    path += next ? `Q${point.x},${point.y} ${(point.x + next.x) / 2},${(point.y + next.y) / 2}` : `L${point.x},${point.y}`;
  });
  return path;
}
