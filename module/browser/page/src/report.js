// The report: one file that holds the viewer and the data, and runs nothing else. This is used three times: when the
// template for `backchannel report` is built, when the page is built, and when the page exports a report.

/** What a report may do: run this one script, use this one style, and nothing beyond. */
export function policy({ scripts, style, extra }) {
  return [
    "default-src 'none'",
    `script-src ${scripts.map((hash) => `'${hash}'`).join(" ")}${extra?.scripts ? ` ${extra.scripts}` : ""}`,
    `style-src '${style}'`,
    ...(extra?.directives ?? []),
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/** JSON lines as one JSON list that can stand inside a script element. */
export function embed(lines) {
  return `[\n${lines.join(",\n").replaceAll("<", "\\u003c")}\n]`;
}

/** The file. `data` is what `embed` gives, or a placeholder. */
export function page({ csp, title, style, viewer, version, data, without, before, after }) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${csp.text}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Backchannel ${version}">
<title>${title}</title>
<style data-hash="${csp.style}">${style}</style>
</head>
<body>
<noscript>${without ?? "This report is shown by a script that is inside this file."}</noscript>
<script type="application/json" id="data">${data}</script>
${before ?? ""}<script id="viewer" data-hash="${csp.viewer}">${viewer}</script>
${after ?? ""}</body>
</html>
`;
}
