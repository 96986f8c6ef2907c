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
    /// A hash in hexadecimal: MD5, SHA-1 or SHA-256.
    Hash,
    /// A class id, with or without braces.
    Clsid,
    /// A class id or a program id.
    ComClass,
    /// An address, a block of addresses, or a machine's name.
    Address,
    /// A machine's name or one address.
    Machine,
    /// An object with these keys, in which the word at the first key decides what the second one must hold.
    Tagged(&'static [Field], &'static str, &'static str, &'static [(&'static str, Shape)]),
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
    pub description: &'static str,
}

const fn optional(key: &'static str, shape: Shape, description: &'static str) -> Field {
    Field { key, shape, required: false, description }
}

const fn required(key: &'static str, shape: Shape, description: &'static str) -> Field {
    Field { key, shape, required: true, description }
}

const MACHINES: Shape = Shape::List(0, &Shape::Machine);
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
        optional(
            "analytics",
            Shape::Map(Key::Analytic, &Shape::Object(ANALYTIC, &[])),
            "Overrides of single analytics: enabled, disabled, or with another severity.",
        ),
        optional("thresholds", Shape::Thresholds, "Thresholds, by analytic and name of the threshold."),
        optional(
            "admin_hosts",
            MACHINES,
            "Hosts and addresses from which administrators work. With an administrator's account a finding is one step less severe and does not give E1.",
        ),
        optional("admin_accounts", TEXTS, "Accounts of administrators: DOMAIN\\name or a bare name."),
        optional(
            "host_roles",
            Shape::Map(Key::Any, &Shape::Word(&["workstation", "server", "domain_controller", "admin"])),
            "Role of a host. On a domain controller findings of medium and above are one step more severe; admin is the same as an entry in admin_hosts.",
        ),
        optional(
            "host_key",
            Shape::Word(&["label", "fqdn"]),
            "Which part of a host's name identifies it: the first label (the default), or the full name, for sites where labels are not unique.",
        ),
        optional(
            "high_privilege_processes",
            TEXTS,
            "Programs (names or paths, * matches any text) that count as privileged under any account: E1 if they act, IPC-BASE-004 if a user's process accesses them.",
        ),
        optional(
            "sanctioned_rmm",
            TEXTS,
            "Programs (names or paths, * matches any text) of the remote management tools of the site. Findings of medium severity and below about them, or about processes they start, are suppressed, unless they run from a place that users can write to.",
        ),
        optional(
            "maintenance_windows",
            Shape::List(0, &Shape::Object(MAINTENANCE, &[&["start", "end"], &["daily"]])),
            "Planned maintenance. Findings of analytics with thresholds, and findings of low severity, are suppressed in these times.",
        ),
        optional(
            "iocs",
            Shape::List(0, &Shape::Tagged(IOC, "type", "value", IOC_VALUES)),
            "Indicators of compromise. An address counts in any connection, logon, activation or DNS answer.",
        ),
        optional(
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
        optional(
            "baseline",
            Shape::Object(MATURITY, &[]),
            "How much a baseline must have learned about a host before deviations are reported there. Fewer days for laboratories, more for sites whose weeks differ.",
        ),
        optional("hash_key", Shape::Number(0, u64::MAX), "Key for hashing values that attackers can choose."),
        optional(
            "show_secrets",
            Shape::Flag,
            "Whether passwords and tokens on command lines stay readable in findings and incidents; masked (****) if not given.",
        ),
        optional(
            "PipeNamePattern",
            Shape::Either(&Shape::Object(PIPES, &[]), &PATTERNS),
            "ATT&CK mutable element: pipe names of this environment, as regular expressions. A list alone means anomalous.",
        ),
        optional(
            "AllowedParentChildPairs",
            Shape::List(0, &Shape::Object(PAIR, &[])),
            "ATT&CK mutable element: expected lineage. Findings on the start of such a child by such a parent, or with the two at its ends, are suppressed.",
        ),
        optional(
            "SocketPathBaseline",
            TEXTS,
            "ATT&CK mutable element: expected UNIX sockets (paths or @names, * matches any text). Findings about them are suppressed, unless a program from a place that users can write to is at one end.",
        ),
        optional(
            "FIFOAccessPatterns",
            TEXTS,
            "ATT&CK mutable element: programs (names or paths, * matches any text) expected to use FIFOs. Findings about FIFOs that they create or open are suppressed.",
        ),
        optional(
            "COMObjectAllowList",
            Shape::List(0, &Shape::ComClass),
            "ATT&CK mutable element: COM classes of enterprise applications, CLSIDs or ProgIDs. Findings about them are suppressed.",
        ),
        optional(
            "AllowedXPCClients",
            TEXTS,
            "ATT&CK mutable element: programs (names or paths, * matches any text) expected to use XPC services. Findings about XPC with them as the client are suppressed.",
        ),
        optional(
            "TimeWindow",
            Shape::Either(&Shape::Map(Key::Joining, &SECONDS), &SECONDS),
            "ATT&CK mutable element: seconds within which two records count as one behaviour; for all analytics with a time window, or by analytic.",
        ),
        optional(
            "UnsignedBinaryAlertLevel",
            SEVERITY,
            "ATT&CK mutable element: minimum severity of a finding with an unsigned program at one end (by the signature in the log; without one, by a place that users can write to).",
        ),
        optional(
            "RemoteHostList",
            MACHINES,
            "ATT&CK mutable element: hosts and addresses expected to call others (DCOM, RPC, pipes over SMB). Analytics of calls between machines treat them as they treat admin_hosts.",
        ),
        optional("UserContext", Shape::Object(USERS, &[]), "ATT&CK mutable element: roles of accounts."),
        optional(
            "SuspiciousDLLList",
            TEXTS,
            "ATT&CK mutable element: modules (names or paths, * matches any text) whose load IPC-COM-015 reports.",
        ),
    ],
    &[],
);

const ANALYTIC: &[Field] = &[
    optional(
        "enabled",
        Shape::Flag,
        "Whether it is enabled; true also lifts the limit of severity of an experimental one.",
    ),
    optional("severity", SEVERITY, "The severity to report instead."),
];

const MATURITY: &[Field] = &[
    optional("mature_days", Shape::Number(1, 31), "Days on which the host was seen; 3 if not given."),
    optional("mature_events", Shape::Number(1, 1_000_000), "Exchanges of the host that were seen; 500 if not given."),
];

const IOC: &[Field] = &[
    required("type", Shape::Word(&["hash", "image", "channel", "clsid", "address"]), "What is compared."),
    required(
        "value",
        Shape::Text,
        "The value: a hash in hexadecimal, a class id, an address, a block such as 10.1.0.0/16 or a name; in names of programs and channels * matches any text.",
    ),
    optional("list", Shape::Text, "The list it is from."),
    optional("severity", SEVERITY, "Severity of a match; critical if not given."),
    optional(
        "confidence",
        Shape::Word(&["low", "medium", "high", "certain"]),
        "Confidence of a match; high if not given.",
    ),
    optional("expires", Shape::Moment, "Not used for events after this; a date means its last second."),
];

/// What an indicator's value must be, by its type.
const IOC_VALUES: &[(&str, Shape)] = &[
    ("hash", Shape::Hash),
    ("image", Shape::Text),
    ("channel", Shape::Text),
    ("clsid", Shape::Clsid),
    ("address", Shape::Address),
];

const ALLOW: &[Field] = &[
    required("name", Shape::Text, "Its name; no two rules share one."),
    required("reason", Shape::Text, "Why the rule exists."),
    required("owner", Shape::Text, "Person or team responsible for it."),
    optional("expires", Shape::Moment, "Event time after which it no longer holds; a date means its last second."),
    optional("analytics", Shape::List(1, &Shape::Analytic), "Condition: ids of analytics."),
    optional("hosts", CONDITION, "Condition: hosts, * matches any text."),
    optional("users", CONDITION, "Condition: accounts, * matches any text."),
    optional("images", CONDITION, "Condition: path or name of a process at either end, * matches any text."),
    optional("hashes", Shape::List(1, &Shape::Hash), "Condition: hash of a process at either end."),
    optional("channels", CONDITION, "Condition: name of the channel, * matches any text."),
];

const MAINTENANCE: &[Field] = &[
    required("name", Shape::Text, "Its name."),
    required("reason", Shape::Text, "The planned work."),
    optional("hosts", CONDITION, "Hosts it applies to, * matches any text; all if not given."),
    optional("start", Shape::Moment, "Start, by event time; a date means its first second."),
    optional("end", Shape::Moment, "End; a date means its last second."),
    optional(
        "daily",
        Shape::Daily,
        "Every day between these times of day in UTC; past midnight if the second is earlier.",
    ),
];

const PIPES: &[Field] = &[
    optional("anomalous", PATTERNS, "Names to report: IPC-PIPE-001 handles them like those of known tools."),
    optional("legitimate", PATTERNS, "Names that the site uses: findings about them are suppressed."),
];

const PAIR: &[Field] = &[
    required("parent", Shape::Text, "Name or path of the parent, * matches any text."),
    required("child", Shape::Text, "Name or path of the child, * matches any text."),
];

const USERS: &[Field] = &[
    optional("privileged", TEXTS, "Accounts (* matches any text) whose processes count as privileged."),
    optional("service", TEXTS, "Service accounts (* matches any text)."),
];
