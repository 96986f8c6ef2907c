//! The plan of the settings: every key, what it may hold and what it means, as data. What is read and refused
//! ([`check`](crate::check)) and the JSON Schema ([`schema`](crate::schema)) both come from here.

/// What a value must be.
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
    /// A date or an RFC 3339 moment.
    Moment,
    /// A span of the day in UTC.
    Daily,
    /// A regular expression.
    Pattern,
    /// The id of an analytic of the catalogue.
    Analytic,
    /// A list with at least so many entries.
    List(usize, &'static Shape),
    /// An object with keys of the site's own, or with ids of analytics as keys.
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
    /// An object with these keys; where there are groups, all keys of one of them must be there.
    Object(&'static [Field], &'static [&'static [&'static str]]),
    /// The first where the value is an object, else the second.
    Either(&'static Shape, &'static Shape),
}

/// What the keys of an object are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    /// Text of the site's own.
    Any,
    /// Ids of analytics.
    Analytic,
    /// Ids of analytics that join records within a time.
    Joining,
}

/// One key of an object.
#[derive(Debug)]
pub(crate) struct Field {
    /// The key.
    pub key: &'static str,
    /// What it may hold.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// What it means: a sentence for the schema.
    pub about: &'static str,
}

const fn may(key: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { key, shape, required: false, about }
}

const fn must(key: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { key, shape, required: true, about }
}

const MACHINES: Shape = Shape::List(0, &Shape::Machine);
const TEXTS: Shape = Shape::List(0, &Shape::Text);
/// A list that is a condition: an empty one could never hold.
const CONDITION: Shape = Shape::List(1, &Shape::Text);
const PATTERNS: Shape = Shape::List(0, &Shape::Pattern);
const SEVERITY: Shape = Shape::Word(&["info", "low", "medium", "high", "critical"]);
/// Seconds that a join may be set to.
const SECONDS: Shape = Shape::Number(1, 3_600);

/// The whole document.
pub(crate) const SETTINGS: Shape = Shape::Object(
    &[
        may(
            "analytics",
            Shape::Map(Key::Analytic, &Shape::Object(ANALYTIC, &[])),
            "Single analytics switched on, off or re-graded.",
        ),
        may("thresholds", Shape::Thresholds, "How much is too much, by analytic and name of the threshold."),
        may(
            "admin_hosts",
            MACHINES,
            "Hosts and addresses from which administrators work. With an administrator's account a finding is one step less severe and does not give E1.",
        ),
        may("admin_accounts", TEXTS, "Accounts administrators use: DOMAIN\\name or a bare name."),
        may(
            "host_roles",
            Shape::Map(Key::Any, &Shape::Word(&["workstation", "server", "domain_controller", "admin"])),
            "Role of a host. On a domain controller findings of medium and above are one step more severe; admin is the same as an entry in admin_hosts.",
        ),
        may(
            "host_key",
            Shape::Word(&["label", "fqdn"]),
            "What tells hosts apart: the first label of their name (the default), or the full name where labels collide.",
        ),
        may(
            "high_privilege_processes",
            TEXTS,
            "Programs (names or paths, * for anything) that count as privileged whatever account they run under: E1 where they act, IPC-BASE-004 where a user's process reaches into them.",
        ),
        may(
            "sanctioned_rmm",
            TEXTS,
            "Programs (names or paths, * for anything) of the remote management tools the site uses. Findings of medium and below about them, or about what they start, are suppressed, unless they run from a place users can write to.",
        ),
        may(
            "maintenance_windows",
            Shape::List(0, &Shape::Object(MAINTENANCE, &[&["start", "end"], &["daily"]])),
            "Times of planned work. Findings that count events (those with thresholds) and low ones are suppressed.",
        ),
        may(
            "iocs",
            Shape::List(0, &Shape::Tagged(IOC, "type", "value", IOC_VALUES)),
            "Indicators of compromise. An address counts in any connection, logon, activation or DNS answer.",
        ),
        may(
            "allow",
            Shape::List(
                0,
                &Shape::Object(
                    ALLOW,
                    &[&["analytics"], &["hosts"], &["users"], &["images"], &["hashes"], &["channels"]],
                ),
            ),
            "What the site knows and allows: every condition given must hold. The finding is kept and marked as suppressed.",
        ),
        may(
            "baseline",
            Shape::Object(MATURITY, &[]),
            "How much a baseline must have learned of a host before it says that something is new there. Fewer days for laboratories, more where weeks differ.",
        ),
        may("hash_key", Shape::Number(0, u64::MAX), "Key for hashing what attackers can choose."),
        may(
            "show_secrets",
            Shape::Flag,
            "Whether passwords and tokens on command lines stay readable in findings and incidents; masked (****) if not given.",
        ),
        may(
            "PipeNamePattern",
            Shape::Either(&Shape::Object(PIPES, &[]), &PATTERNS),
            "ATT&CK mutable element: pipe names of this environment, as regular expressions. A list alone means anomalous.",
        ),
        may(
            "AllowedParentChildPairs",
            Shape::List(0, &Shape::Object(PAIR, &[])),
            "ATT&CK mutable element: expected lineage. A finding on the start of such a child by such a parent, or about the two as its ends, is suppressed.",
        ),
        may(
            "SocketPathBaseline",
            TEXTS,
            "ATT&CK mutable element: expected UNIX sockets (paths or @names, * for anything). Findings about them are suppressed, unless a program from a place users can write to is at one end.",
        ),
        may(
            "FIFOAccessPatterns",
            TEXTS,
            "ATT&CK mutable element: programs (names or paths, * for anything) expected to use FIFOs. Findings about FIFOs that they make or open are suppressed.",
        ),
        may(
            "COMObjectAllowList",
            Shape::List(0, &Shape::ComClass),
            "ATT&CK mutable element: COM classes of enterprise applications, CLSIDs or ProgIDs. Findings about them are suppressed.",
        ),
        may(
            "AllowedXPCClients",
            TEXTS,
            "ATT&CK mutable element: programs (names or paths, * for anything) expected to use XPC services. Findings about XPC with them as the client are suppressed.",
        ),
        may(
            "TimeWindow",
            Shape::Either(&Shape::Map(Key::Joining, &SECONDS), &SECONDS),
            "ATT&CK mutable element: seconds within which two records count as one behaviour; for all analytics that join records, or by analytic.",
        ),
        may(
            "UnsignedBinaryAlertLevel",
            SEVERITY,
            "ATT&CK mutable element: least severity of a finding with an unsigned program at one end (by the log's signature; without one, by a place users can write to).",
        ),
        may(
            "RemoteHostList",
            MACHINES,
            "ATT&CK mutable element: hosts and addresses expected to call others (DCOM, RPC, pipes over SMB). Analytics of calls between machines treat them as they treat admin_hosts.",
        ),
        may("UserContext", Shape::Object(USERS, &[]), "ATT&CK mutable element: what the site knows of its accounts."),
        may(
            "SuspiciousDLLList",
            TEXTS,
            "ATT&CK mutable element: modules (names or paths, * for anything) whose load IPC-COM-015 reports.",
        ),
    ],
    &[],
);

const ANALYTIC: &[Field] = &[
    may("enabled", Shape::Flag, "On or off; an experimental one is switched on fully with true."),
    may("severity", SEVERITY, "The severity to report instead."),
];

const MATURITY: &[Field] = &[
    may("mature_days", Shape::Number(1, 31), "Days on which the host was seen; 3 if not given."),
    may("mature_events", Shape::Number(1, 1_000_000), "Exchanges seen of the host; 500 if not given."),
];

const IOC: &[Field] = &[
    must("type", Shape::Word(&["hash", "image", "channel", "clsid", "address"]), "What is compared."),
    must(
        "value",
        Shape::Text,
        "The value: a hash in hexadecimal, a class id, an address, a block such as 10.1.0.0/16 or a name; in names of programs and channels * stands for anything.",
    ),
    may("list", Shape::Text, "The list it is from."),
    may("severity", SEVERITY, "Severity of a match; critical if not given."),
    may("confidence", Shape::Word(&["low", "medium", "high", "certain"]), "Confidence of a match; high if not given."),
    may("expires", Shape::Moment, "Not used for events after this; a date means its last second."),
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
    must("name", Shape::Text, "Its name; no two rules share one."),
    must("reason", Shape::Text, "Why."),
    must("owner", Shape::Text, "Who answers for it."),
    may("expires", Shape::Moment, "Event time after which it no longer holds; a date means its last second."),
    may("analytics", Shape::List(1, &Shape::Analytic), "Condition: ids of analytics."),
    may("hosts", CONDITION, "Condition: hosts, * for anything."),
    may("users", CONDITION, "Condition: accounts, * for anything."),
    may("images", CONDITION, "Condition: path or name of a process at either end, * for anything."),
    may("hashes", Shape::List(1, &Shape::Hash), "Condition: hash of a process at either end."),
    may("channels", CONDITION, "Condition: name of the channel, * for anything."),
];

const MAINTENANCE: &[Field] = &[
    must("name", Shape::Text, "Its name."),
    must("reason", Shape::Text, "What is done."),
    may("hosts", CONDITION, "Hosts it is for, * for anything; all if not given."),
    may("start", Shape::Moment, "Beginning, by event time; a date means its first second."),
    may("end", Shape::Moment, "End; a date means its last second."),
    may(
        "daily",
        Shape::Daily,
        "Every day between these times of day in UTC; over midnight where the second is earlier.",
    ),
];

const PIPES: &[Field] = &[
    may("anomalous", PATTERNS, "Names to watch: IPC-PIPE-001 reports them as it reports known tools."),
    may("legitimate", PATTERNS, "Names of the site's own: findings about them are suppressed."),
];

const PAIR: &[Field] = &[
    must("parent", Shape::Text, "Name or path of the parent, * for anything."),
    must("child", Shape::Text, "Name or path of the child, * for anything."),
];

const USERS: &[Field] = &[
    may("privileged", TEXTS, "Accounts (* for anything) whose processes count as privileged."),
    may("service", TEXTS, "Accounts (* for anything) that are services, not persons."),
];
