//! Names of pipes: which part is a name, which part a process id.

/// The class of a pipe name: lower case, without its leading backslash, variable parts as `*`: GUIDs, runs of 8 or
/// more hexadecimal digits, runs of 3 or more decimal digits.
pub fn class(name: &str) -> String {
    let name = name.trim_start_matches('\\');
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let run = rest.bytes().take_while(|b| b.is_ascii_alphanumeric()).count();
        let word = rest.get(..run).unwrap_or("");
        let hex = run >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit()) && word.bytes().any(|b| b.is_ascii_digit());
        let decimal = run >= 3 && word.bytes().all(|b| b.is_ascii_digit());
        if hex || decimal {
            out.push('*');
        } else if run > 0 {
            out.push_str(&word.to_ascii_lowercase());
        } else {
            out.push(first);
        }
        rest = rest.get(run.max(if run > 0 { 0 } else { first.len_utf8() })..).unwrap_or("");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_processes_do_not_make_a_class() {
        assert_eq!(class(r"\mojo.5688.8052.1894572093485"), "mojo.*.*.*");
        assert_eq!(class(r"\PIPE\srvsvc"), r"pipe\srvsvc");
        assert_eq!(class(r"\Winsock2\CatalogChangeListener-37c-0"), r"winsock2\catalogchangelistener-37c-0");
    }
}
