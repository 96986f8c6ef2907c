// Elements from text. What logs say is text and stays text: nothing here, and nothing elsewhere, parses markup.

const SVG = "http://www.w3.org/2000/svg";

// What does something else than to be seen: control characters, changes of the writing direction, invisible ones.
const STEERS = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\udb40[\udc00-\udc7f]/gu;

/** The text with what could hide or turn it shown as escapes. */
export function plain(text) {
  return String(text).replace(STEERS, (c) => {
    if (c === "\n" || c === "\r" || c === "\t") return " ";
    return `\\u{${c.codePointAt(0).toString(16)}}`;
  });
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(plain(child)));
  }
  return node;
}

/** An element with attributes, listeners (`onclick`) and children; what is no node becomes text. */
export function el(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function svg(name, attributes, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

let made = 0;

/** An id for what is referred to inside of a picture: there may be several pictures, and hidden ones. */
export function unique(name) {
  made += 1;
  return `${name}-${made}`;
}

/** A section with a heading; nothing where there is nothing to show. */
export function section(title, ...children) {
  const shown = children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
  return shown.length ? el("section", { class: "part" }, el("h3", null, title), shown) : null;
}

/** A list of texts; nothing for an empty one. */
export function list(texts) {
  return texts?.length ? el("ul", null, texts.map((text) => el("li", null, text))) : null;
}

/** A table; nothing without rows. A cell may be a node. On a narrow screen each row is a block, and `head` stands in it. */
export function table(head, rows, className) {
  if (!rows.length) return null;
  const cell = (content, at) => el("td", { "data-head": head[at] || null }, content ?? "");
  const made = rows.map((row) => row instanceof Node ? row : el("tr", null, row.map(cell)));
  return el("div", { class: "scroll" }, el("table", { class: className },
    el("thead", null, el("tr", null, head.map((title) => el("th", { scope: "col" }, title)))),
    el("tbody", null, made)));
}

/** More characters than this are shown when somebody asks. */
const LONG = 320;

let whole = false;

/** Runs `make` with long texts shown whole: for paper, which nobody can open anything on. */
export function unfolded(make) {
  whole = true;
  try {
    return make();
  } finally {
    whole = false;
  }
}

/** A text that may be very long. */
export function long(text) {
  const all = [...plain(text)];
  if (whole || all.length <= LONG) return text;
  const rest = el("details", { class: "long" }, el("summary", null, `${all.slice(0, LONG * 0.8).join("")}… `, el("span", { class: "quiet" }, `(${all.length.toLocaleString("en")} characters)`)));
  // What is behind it is made when somebody looks.
  rest.addEventListener("toggle", () => rest.append(el("code", null, all.join(""))), { once: true });
  return rest;
}

/** A machine's key, as incidents name it: the first label, or an address whole. */
export function label(host) {
  return /^[\d.]+$|:/.test(host) ? host : host.split(".")[0].toLowerCase();
}

/** A severity as a coloured word. */
export function severity(word) {
  return el("span", { class: `severity ${SEVERITIES.includes(word) ? word : "info"}` }, word);
}

export const SEVERITIES = ["info", "low", "medium", "high", "critical"];

/** A time for people: UTC, to the millisecond. */
export function time(text) {
  if (!text) return "";
  const at = Date.parse(text);
  return Number.isNaN(at) ? text : new Date(at).toISOString().replace("T", " ").replace("Z", "");
}
