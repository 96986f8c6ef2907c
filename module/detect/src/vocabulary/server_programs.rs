//! Server programs that do not normally start a shell: databases, caches, brokers, web servers. Application servers that
//! run in an interpreter (python, node, java, php) start helpers regularly and are not included. Source: the products'
//! documentation; compiled by hand.

use crate::Actor;
use crate::text::contains_any;

const DATABASES: &[&str] = &[
    "postgres",
    "postmaster",
    "mysqld",
    "mariadbd",
    "redis-server",
    "valkey-server",
    "keydb-server",
    "memcached",
    "mongod",
    "mongos",
    "clickhouse-server",
    "clickhouse",
    "influxd",
    "slapd",
    "etcd",
    "firebird",
    "mosquitto",
    "nats-server",
    "gpfdist",
];

const FRONTS: &[&str] = &[
    "nginx", "apache2", "httpd", "lighttpd", "haproxy", "squid", "named", "unbound", "cupsd", "smbd", "vsftpd",
    "proftpd", "rpcbind", "ntpd", "chronyd",
];

/// Whether the process is a database, a cache or a broker.
pub fn is_database(actor: Actor<'_>) -> bool {
    actor.is(DATABASES)
}

/// Whether the process is a server program of another kind: web, names, files, print.
pub fn is_front(actor: Actor<'_>) -> bool {
    actor.is(FRONTS)
}

/// Whether a command is one that such servers run by themselves: archiving, log rotation, mail, locales.
pub fn is_own_helper(command: &str) -> bool {
    contains_any(
        command,
        &[
            "pg_wal",
            "pg_xlog",
            "archive-push",
            "archive-get",
            "wal-push",
            "wal-fetch",
            "archive_command",
            "restore_command",
            "locale -a",
            "rotatelogs",
            "cronolog",
            "sendmail",
            "/usr/lib/cups/",
            "/usr/libexec/cups/",
            "backup-push",
            "dhcp-script",
            "resolvconf",
            "wsrep_sst",
        ],
    ) || has_wal_segment(command)
}

/// Whether it contains a word of 24 hexadecimal digits: the name of a segment of PostgreSQL's write-ahead log.
fn has_wal_segment(command: &str) -> bool {
    command
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| word.len() == 24 && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_recognised_by_its_program_or_its_argv_name() {
        let redis = Actor { image: "/usr/bin/redis-check-rdb", original_name: "redis-server", ..Actor::default() };
        assert!(is_database(redis));
        let python = Actor { image: "/usr/bin/python3.11", original_name: "gunicorn", ..Actor::default() };
        assert!(!is_database(python) && !is_front(python));
    }

    #[test]
    fn archiving_is_a_helper_and_discovery_is_not() {
        assert!(is_own_helper("sh -c cp /data/x /mnt/000000010000000A000000FE"));
        assert!(!is_own_helper("sh -c id; uname -a"));
    }
}
