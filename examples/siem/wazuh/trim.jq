# Shortens Backchannel's JSON lines for Wazuh, which is limited to 65,536 bytes per line and 256 fields, and nests them in
# "backchannel", because `id`, `user` and others have a special meaning there.
#   … | jq --unbuffered -c -f trim.jq
# Summaries are left out. Nulls are left out, because Wazuh converts them to strings.
def short: if type == "string" then .[:1500] else . end;
def process: if . == null then null else {name, path, pid, command_line: (.command_line | short), user} end;
def record: if . == null then null else {source, record, line, provider, event_id, time, host, text: (.text | short)} end;

select(.type == "finding" or .type == "incident")
| {backchannel: (
    {type, id, severity, text: (.text | short), techniques}
    + if .type == "finding" then
        {analytic, title, confidence, time, host, user, count, reasons, incident,
         client: (.client | process), server: (.server | process), channel,
         # The last record is the one that completed it.
         evidence: (.evidence[-1] | record),
         suppressed: (if .suppressed == null then "no" else "yes" end)}
      else
        {tier, revision, hosts: .hosts[:50], users: .users[:50], first_seen, last_seen, findings: .findings[:50],
         reasons: [.reasons[].code],
         answers: {q1: .answers.q1.value, q2: .answers.q2.value, q3: .answers.q3.value, q4: .answers.q4.value},
         containment: [.containment[:20][] | .action + " " + .target],
         # The first record of the timeline that belongs to a finding.
         evidence: ([.level1.timeline[] | select(.finding != null)][0] | record)}
      end
    | walk(if type == "object" then with_entries(select(.value != null)) else . end))}
