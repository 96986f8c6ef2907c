//! What a command line says of another machine: which account is used there, and its name or address. One reading for all
//! analytics that see the source's side.

use super::script_text::is_this_machine;
use crate::text::{base_name, contains, find, is_any, starts_with};

/// Switches, without their dash or slash, whose value is an account.
const ACCOUNT: &[&str] = &["user", "username", "credential"];
/// Short ones, of programs that are known to have them.
const SHORT_ACCOUNT: &[(&[&str], &[&str])] = &[
    (&["psexec", "psexec64", "paexec", "csexec", "remcom", "schtasks", "tasklist", "taskkill", "winrs"], &["u"]),
    (&["crackmapexec", "cme", "netexec", "nxc", "evil-winrm", "rdesktop", "xfreerdp"], &["u"]),
    (&["smbclient", "winexe", "rpcclient", "pth-winexe"], &["U"]),
];
/// Switches whose value is a machine.
const MACHINE: &[&str] = &["node", "computername", "cn", "remote", "r", "target"];

/// The account that a command line or script names for another machine: `/user:CORP\x`, `-Credential CORP\x`,
/// `corp/x:secret@host` of impacket's tools. `None` for a variable and an expression.
pub fn account(line: &str) -> Option<String> {
    let mut words = line.split_ascii_whitespace().peekable();
    let mut short: &[&str] = &[];
    let (mut impacket, mut nth) = (false, 0);
    while let Some(raw) = words.next() {
        nth += 1;
        let word = raw.trim_matches(QUOTES);
        let name = program(word);
        if let Some((_, switches)) = SHORT_ACCOUNT.iter().find(|(names, _)| is_any(name, names)) {
            short = switches;
        }
        impacket |= word.ends_with(".py") || starts_with(name, "impacket-");
        if impacket
            && nth > 1
            && let Some(account) = of_impacket(word)
        {
            return Some(account);
        }
        if let Some(at) = find(word, "pscredential(") {
            let rest = word.get(at + "pscredential(".len()..).unwrap_or("");
            if let Some(account) = literal(rest.split(',').next().unwrap_or("")) {
                return Some(account);
            }
        }
        let Some(switch) = word.strip_prefix(['-', '/']) else { continue };
        let (switch, value) = split(switch.trim_start_matches('-'));
        if !(is_any(switch, ACCOUNT) || short.contains(&switch)) {
            continue;
        }
        let value = if value.is_empty() { words.peek().copied().unwrap_or("") } else { value };
        if value.starts_with('(') {
            continue;
        }
        // Samba's tools write the secret behind a percent sign.
        let value = if short == ["U"] { value.split('%').next().unwrap_or("") } else { value };
        if let Some(account) = literal(value) {
            return Some(account);
        }
    }
    None
}

/// The other machine that a command line names: `\\host`, `/node:host`, `-ComputerName host`, `domain/user@host`.
pub fn machine(line: &str) -> Option<&str> {
    let mut words = line.split_ascii_whitespace().peekable();
    let (mut impacket, mut nth) = (false, 0);
    while let Some(raw) = words.next() {
        nth += 1;
        let word = raw.trim_matches(QUOTES);
        impacket |= word.ends_with(".py") || starts_with(program(word), "impacket-");
        let named = if impacket && nth > 1 && of_impacket(word).is_some() {
            word.rsplit('@').next()
        } else if let Some(rest) = word.strip_prefix(r"\\") {
            rest.split('\\').next()
        } else {
            let bare = word.trim_start_matches(['-', '/']);
            let (switch, value) = split(bare);
            let assigned = bare.len() < word.len() || is_any(switch, &["computername", "target"]);
            if !assigned || !is_any(switch, MACHINE) {
                continue;
            }
            if value.is_empty() { words.peek().copied() } else { Some(value) }
        };
        let named = named.map(|named| named.trim_matches(QUOTES).split(',').next().unwrap_or(""));
        let fitting = named.filter(|named| is_name(named) && !is_this_machine(&named.to_ascii_lowercase()));
        if fitting.is_some() {
            return fitting;
        }
    }
    None
}

const QUOTES: [char; 6] = ['"', '\'', '(', ')', ';', ','];

/// A switch and the value behind `:` or `=`.
fn split(switch: &str) -> (&str, &str) {
    switch.split_once([':', '=']).unwrap_or((switch, ""))
}

/// The name of a program without folder and extension.
fn program(word: &str) -> &str {
    let name = base_name(word);
    name.strip_suffix(".exe").or_else(|| name.strip_suffix(".EXE")).unwrap_or(name)
}

/// `[[domain/]user[:secret]]@host`, with the account as Windows writes it.
fn of_impacket(word: &str) -> Option<String> {
    let (account, host) = word.rsplit_once('@')?;
    let account = account.split(':').next()?;
    if !is_name(host) || contains(account, "@") {
        return None;
    }
    literal(&account.replacen('/', "\\", 1))
}

/// An account that is written out.
fn literal(value: &str) -> Option<String> {
    let value = value.trim_matches(QUOTES);
    let fitting = |byte: u8| {
        byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'\\' | b'/' | b'.' | b'-' | b'_' | b'@' | b'$')
    };
    let written = !value.is_empty()
        && value.bytes().all(fitting)
        && !value.starts_with(['$', '-', '/', '@'])
        && value.bytes().any(|byte| byte.is_ascii_alphanumeric());
    written.then(|| value.to_owned())
}

/// Whether a machine's name or address is written out.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_and_the_machine_of_every_spelling_are_read() {
        for (line, who, on) in [
            (r#"wmic /node:"fs9" /user:CORP\ops.lind /password:x process call create a"#, r"CORP\ops.lind", "fs9"),
            (r"PsExec64.exe \\fs9 -u CORP\ops -p x cmd", r"CORP\ops", "fs9"),
            (r"net use \\fs9\c$ x /user:CORP\ops", r"CORP\ops", "fs9"),
            ("schtasks /create /s fs9 /u CORP\\ops /tn t", r"CORP\ops", ""),
            (r"Invoke-Command -ComputerName fs9 -Credential 'CORP\ops' { a }", r"CORP\ops", "fs9"),
            ("python3 wmiexec.py corp.example/ops:x@10.9.9.9 whoami", r"corp.example\ops", "10.9.9.9"),
            ("winexe -U corp/ops%x //10.9.9.9 cmd", "corp/ops", ""),
            ("a.exe action=dcom computername=fs9 command=calc", "", "fs9"),
            (r"runas /user:CORP\ops cmd", r"CORP\ops", ""),
        ] {
            assert_eq!(account(line).unwrap_or_default(), who, "{line}");
            assert_eq!(machine(line).unwrap_or_default(), on, "{line}");
        }
    }

    #[test]
    fn a_variable_and_this_machine_are_none() {
        for line in [
            "Invoke-Command -ComputerName $t -Credential $cred { a }",
            "Invoke-Command -ComputerName localhost -Credential (Get-Credential) { a }",
            "docker run -u 1000 -r x",
            "mkdir /user",
        ] {
            assert_eq!(account(line), None, "{line}");
        }
        assert_eq!(machine("Invoke-Command -ComputerName $t"), None);
        assert_eq!(machine(r"type \\.\pipe\x"), None);
    }
}
