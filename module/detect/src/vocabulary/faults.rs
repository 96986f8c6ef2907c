//! Log lines in which a program reports an error on a socket. Source: strerror(3) of ECONNREFUSED, EACCES and
//! EPIPE in the C locale, as daemons print them.

use crate::text::contains_any;

/// The path of the UNIX socket for which a log line reports an error; `None` if there is none.
pub fn socket(message: &str) -> Option<&str> {
    if !contains_any(message, &["connection refused", "permission denied", "broken pipe", "connection reset"]) {
        return None;
    }
    let word = |word: &str| word.ends_with(".sock") || word.ends_with(".socket") || word.starts_with("/run/");
    message
        .split([' ', '\'', '"', '`', '(', ')', '[', ']', ',', ';', '='])
        .map(|part| part.trim_start_matches("unix://").trim_start_matches("unix:").trim_end_matches([':', '.']))
        .map(|part| part.strip_prefix("/var").filter(|rest| rest.starts_with("/run/")).unwrap_or(part))
        .find(|part| part.starts_with(['/', '@']) && word(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_found_in_the_formats_of_daemons() {
        for line in [
            "dial unix /var/run/app.sock: connect: permission denied",
            "connect() to unix:/run/app.sock failed (13: Permission denied) while connecting to upstream",
            "could not connect to '/run/app.sock': Connection refused",
        ] {
            assert_eq!(socket(line), Some("/run/app.sock"), "{line}");
        }
        assert_eq!(socket("open /etc/shadow: Permission denied"), None);
        assert_eq!(socket("listening on /run/app.sock"), None);
    }
}
