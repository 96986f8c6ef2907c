// Findings as OCSF 1.8.0 Detection Findings (class 2004), one a finding that no rule of the site silenced.

const SEVERITY = { info: 1, low: 2, medium: 3, high: 4, critical: 5 };
const CONFIDENCE = { low: 1, medium: 2, high: 3, certain: 3 };

/** Detection Findings of all findings. */
export function ocsf(data, version) {
  return data.findings.filter((finding) => !finding.suppressed).map((finding) => detection(finding, data, version));
}

function detection(finding, data, version) {
  const at = Date.parse(finding.time);
  const incident = finding.incident ? data.byId.get(finding.incident) : null;
  return known({
    activity_id: 1,
    activity_name: "Create",
    category_uid: 2,
    category_name: "Findings",
    class_uid: 2004,
    class_name: "Detection Finding",
    type_uid: 200401,
    type_name: "Detection Finding: Create",
    time: at,
    severity_id: SEVERITY[finding.severity] ?? 0,
    severity: finding.severity,
    confidence_id: CONFIDENCE[finding.confidence] ?? 0,
    confidence: finding.confidence,
    status_id: 1,
    is_alert: (SEVERITY[finding.severity] ?? 0) >= 3,
    message: finding.text,
    count: finding.count,
    metadata: known({
      version: "1.8.0",
      uid: finding.id,
      correlation_uid: finding.incident,
      product: { name: "Backchannel", vendor_name: "Backchannel", version },
    }),
    finding_info: known({
      uid: finding.id,
      title: finding.title,
      desc: finding.text,
      analytic: { uid: finding.analytic, name: finding.title, type_id: 1, type: "Rule" },
      attacks: finding.techniques.map(attack),
      first_seen_time: finding.evidence.length ? Date.parse(finding.evidence[0].time) : undefined,
      last_seen_time: at,
      related_events: incident?.findings.filter((id) => id !== finding.id).map((uid) => ({ uid, type: "Detection Finding" })),
    }),
    device: { hostname: finding.host, type_id: 0 },
    evidences: evidences(finding),
    remediation: incident?.containment.length
      ? { desc: incident.containment.map((step) => `${step.order}. ${step.action} ${step.target}`).join("; ") } : undefined,
  });
}

function attack(id) {
  const [parent, sub] = id.split(".");
  return { version: "18", technique: { uid: parent }, ...(sub ? { sub_technique: { uid: id } } : {}) };
}

function evidences(finding) {
  const process = finding.server ?? finding.client;
  const peer = finding.channel?.peer;
  return finding.evidence.map((record) => known({
    uid: record.record || undefined,
    name: record.text,
    data: record,
    process: process ? program(process) : undefined,
    src_endpoint: peer ? (/^[\d.]+$|:/.test(peer) ? { ip: peer } : { hostname: peer }) : undefined,
  }));
}

function program(process) {
  return known({
    name: process.name,
    pid: process.pid || undefined,
    uid: process.entity || undefined,
    cmd_line: process.command_line || undefined,
    file: process.path ? { name: process.name, path: process.path, type_id: 1 } : undefined,
    user: process.user ? { name: process.user } : undefined,
  });
}

/** An object without what is not known. */
function known(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null && value !== ""
    && !(Array.isArray(value) && !value.length)));
}
