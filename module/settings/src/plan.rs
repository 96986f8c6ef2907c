//! The plan of the settings: every key, the values it allows and its meaning, as data. Validation
//! ([`check`](crate::check)) and the JSON Schema ([`schema`](crate::schema)) are both derived from it.

/// The values that a key allows.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Text that is not empty.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// True or false.
    Flag,
    /// A whole number within bounds, both included.
    Number(u64, u64),
    /// A date or an RFC 3339 time.
    Moment,
    /// A time span of the day in UTC.
    Daily,
    /// A regular expression.
    Pattern,
    /// The id of an analytic of the catalogue.
    Analytic,
    /// A list with at least so many entries.
    List(usize, &'static Shape),
    /// An object with free keys, or with ids of analytics as keys.
    Map(Key, &'static Shape),
    /// An object by analytic, then by the name of one of its thresholds.
    Thresholds,
    /// An object with these keys; of the groups, if any, all keys of at least one are required.
    Object(&'static [Field], &'static [&'static [&'static str]]),
    /// The first if the value is an object, else the second.
    Either(&'static Shape, &'static Shape),
}

/// Kind of the keys of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    /// Free text.
    Any,
    /// Ids of analytics.
    Analytic,
    /// Ids of analytics with a time window.
    Joining,
}

/// One key of an object.
#[derive(Debug)]
pub(crate) struct Field {
    /// The key.
    pub key: &'static str,
    /// The values it allows.
    pub shape: Shape,
    /// Whether it is required.
    pub required: bool,
    /// Its description in the schema, one sentence.
    pub about: &'static str,
}

const fn may(key: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { key, shape, required: false, about }
}

const fn must(key: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { key, shape, required: true, about }
}

const TEXTS: Shape = Shape::List(0, &Shape::Text);
/// A list of conditions; an empty one could never match.
const CONDITION: Shape = Shape::List(1, &Shape::Text);
const PATTERNS: Shape = Shape::List(0, &Shape::Pattern);
const SEVERITY: Shape = Shape::Word(&["info", "low", "medium", "high", "critical"]);
/// Range of a time window, in seconds.
const SECONDS: Shape = Shape::Number(1, 3_600);

/// The whole document.
pub(crate) const SETTINGS: Shape = Shape::Object(
    &[
        may(
            "analytics",
            Shape::Map(Key::Analytic, &Shape::Object(ANALYTIC, &[])),
            "Overrides of single analytics: enabled, disabled, or with another severity.",
        ),
        may("thresholds", Shape::Thresholds, "Thresholds, by analytic and name of the threshold."),
        may(
            "admin_hosts",
            TEXTS,
            "Hosts and addresses from which administrators work. Findings with an administrator's account from there are one step less severe and do not give E1.",
        ),
        may("admin_accounts", TEXTS, "Accounts of administrators: DOMAIN\\name or a bare name."),
        may(
            "host_roles",
            Shape::Map(Key::Any, &Shape::Word(&["workstation", "server", "domain_controller", "admin"])),
            "Role of a host. On a domain controller findings of medium and above are one step more severe; admin is the same as an entry in admin_hosts.",
        ),
        may(
            "host_key",
            Shape::Word(&["label", "fqdn"]),
            "Which part of a host's name identifies it: the first label (the default), or the full name, for sites where labels are not unique.",
        ),
        may(
            "high_privilege_processes",
            TEXTS,
            "Programs (names or paths, * matches any text) that count as privileged under any account: E1 if they act, IPC-BASE-004 if a user's process accesses them.",
        ),
        may(
            "sanctioned_rmm",
            TEXTS,
            "Programs (names or paths, * matches any text) of the remote management tools of the site. Findings of medium severity and below about them, or about processes they start, are suppressed, unless they run from a place that users can write to.",
        ),
        may(
            "maintenance_windows",
            Shape::List(0, &Shape::Object(MAINTENANCE, &[&["start", "end"], &["daily"]])),
            "Planned maintenance. Findings of analytics with thresholds, and findings of low severity, are suppressed in these times.",
        ),
        may("iocs", Shape::List(0, &Shape::Object(IOC, &[])), "Indicators of compromise."),
        may(
            "allow",
            Shape::List(
                0,
                &Shape::Object(
                    ALLOW,
                    &[&["analytics"], &["hosts"], &["users"], &["images"], &["hashes"], &["channels"]],
                ),
            ),
            "Allow rules. A finding that meets all conditions of a rule is kept and marked as suppressed.",
        ),
        may(
            "baseline",
            Shape::Object(MATURITY, &[]),
            "How much a baseline must have learned about a host before deviations are reported there. Fewer days for laboratories, more for sites whose weeks differ.",
        ),
        may("hash_key", Shape::Number(0, u64::MAX), "Key for hashing values that attackers can choose."),
        may(
            "PipeNamePattern",
            Shape::Either(&Shape::Object(PIPES, &[]), &PATTERNS),
            "ATT&CK mutable element: pipe names of this environment, as regular expressions. A list alone means anomalous.",
        ),
        may(
            "AllowedParentChildPairs",
            Shape::List(0, &Shape::Object(PAIR, &[])),
            "ATT&CK mutable element: expected lineage. Findings on the start of such a child by such a parent, or with the two at its ends, are suppressed.",
        ),
        may(
            "SocketPathBaseline",
            TEXTS,
            "ATT&CK mutable element: expected UNIX sockets (paths or @names, * matches any text). Findings about them are suppressed, unless a program from a place that users can write to is at one end.",
        ),
        may(
            "FIFOAccessPatterns",
            TEXTS,
            "ATT&CK mutable element: programs (names or paths, * matches any text) expected to use FIFOs. Findings about FIFOs that they create or open are suppressed.",
        ),
        may(
            "COMObjectAllowList",
            TEXTS,
            "ATT&CK mutable element: COM classes of enterprise applications, CLSIDs or ProgIDs. Findings about them are suppressed.",
        ),
        may(
            "AllowedXPCClients",
            TEXTS,
            "ATT&CK mutable element: programs (names or paths, * matches any text) expected to use XPC services. Findings about XPC with them as the client are suppressed.",
        ),
        may(
            "TimeWindow",
            Shape::Either(&Shape::Map(Key::Joining, &SECONDS), &SECONDS),
            "ATT&CK mutable element: seconds within which two records count as one behaviour; for all analytics with a time window, or by analytic.",
        ),
        may(
            "UnsignedBinaryAlertLevel",
            SEVERITY,
            "ATT&CK mutable element: minimum severity of a finding with an unsigned program at one end (by the signature in the log; without one, by a place that users can write to).",
        ),
        may(
            "RemoteHostList",
            TEXTS,
            "ATT&CK mutable element: hosts and addresses expected to call others (DCOM, RPC, pipes over SMB). Analytics of calls between machines treat them as they treat admin_hosts.",
        ),
        may("UserContext", Shape::Object(USERS, &[]), "ATT&CK mutable element: roles of accounts."),
        may(
            "SuspiciousDLLList",
            TEXTS,
            "ATT&CK mutable element: modules (names or paths, * matches any text) whose load IPC-COM-015 reports.",
        ),
    ],
    &[],
);

const ANALYTIC: &[Field] = &[
    may("enabled", Shape::Flag, "Whether it is enabled; true also lifts the limit of severity of an experimental one."),
    may("severity", SEVERITY, "The severity to report instead."),
];

const MATURITY: &[Field] = &[
    may("mature_days", Shape::Number(1, 31), "Days on which the host was seen; 3 if not given."),
    may("mature_events", Shape::Number(1, 1_000_000), "Exchanges of the host that were seen; 500 if not given."),
];

const IOC: &[Field] = &[
    must("type", Shape::Word(&["hash", "image", "channel", "clsid", "address"]), "What the value is compared with."),
    must("value", Shape::Text, "The value; * in names and paths matches any text."),
    may("list", Shape::Text, "Name of the list it comes from."),
    may("severity", SEVERITY, "Severity of a match; critical if not given."),
    may("confidence", Shape::Word(&["low", "medium", "high", "certain"]), "Confidence of a match; high if not given."),
    may("expires", Shape::Moment, "Event time after which it is not used; a date means its last second."),
];

const ALLOW: &[Field] = &[
    must("name", Shape::Text, "Its name; must be unique."),
    must("reason", Shape::Text, "Why the rule exists."),
    must("owner", Shape::Text, "Person or team responsible for it."),
    may("expires", Shape::Moment, "Event time after which it no longer applies; a date means its last second."),
    may("analytics", Shape::List(1, &Shape::Analytic), "Condition: ids of analytics."),
    may("hosts", CONDITION, "Condition: hosts, * matches any text."),
    may("users", CONDITION, "Condition: accounts, * matches any text."),
    may("images", CONDITION, "Condition: path or name of a process at either end, * matches any text."),
    may("hashes", CONDITION, "Condition: hash of a process at either end."),
    may("channels", CONDITION, "Condition: name of the channel, * matches any text."),
];

const MAINTENANCE: &[Field] = &[
    must("name", Shape::Text, "Its name."),
    must("reason", Shape::Text, "The planned work."),
    may("hosts", CONDITION, "Hosts it applies to, * matches any text; all if not given."),
    may("start", Shape::Moment, "Start, by event time; a date means its first second."),
    may("end", Shape::Moment, "End; a date means its last second."),
    may("daily", Shape::Daily, "Every day between these times of day in UTC; past midnight if the second is earlier."),
];

const PIPES: &[Field] = &[
    may("anomalous", PATTERNS, "Names to report: IPC-PIPE-001 handles them like those of known tools."),
    may("legitimate", PATTERNS, "Names that the site uses: findings about them are suppressed."),
];

const PAIR: &[Field] = &[
    must("parent", Shape::Text, "Name or path of the parent, * matches any text."),
    must("child", Shape::Text, "Name or path of the child, * matches any text."),
];

const USERS: &[Field] = &[
    may("privileged", TEXTS, "Accounts (* matches any text) whose processes count as privileged."),
    may("service", TEXTS, "Service accounts (* matches any text)."),
];
