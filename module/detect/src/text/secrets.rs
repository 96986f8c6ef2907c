//! Passwords and tokens in command lines and in sentences that quote them: masked before a text leaves the detector. The
//! record that a finding cites still has them.

use std::borrow::Cow;
use std::ops::Range;

use super::{base_name, contains, is_any};

/// What stands in the place of a secret.
const MASK: &str = "****";

/// Names whose value, behind `=` or `:`, is a secret wherever they stand: settings, connection strings, headers, and
/// switches such as `/password:`.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "pass",
    "token",
    "access_token",
    "access-token",
    "refresh_token",
    "apikey",
    "api_key",
    "api-key",
    "x-api-key",
    "x-auth-token",
    "secret",
    "client_secret",
    "client-secret",
    "secret_key",
    "aws_secret_access_key",
    "accountkey",
    "sharedaccesskey",
    "pgpassword",
    "mysql_pwd",
    "sshpass",
    "rediscli_auth",
    "ntlmhash",
    "nthash",
];

/// Names that are secrets only as switches (`/rp:`, `/rc4:`): short ones mean other things elsewhere.
const SWITCH_NAMES: &[&str] = &["rp", "rc4", "aes128", "aes256", "ntlm"];

/// Switches whose secret is the next word, whatever the program.
const SWITCHES: &[&str] = &[
    "password",
    "passwd",
    "pass",
    "passphrase",
    "pwd",
    "pw",
    "hashes",
    "hash",
    "aeskey",
    "token",
    "access-token",
    "accesstoken",
    "secret",
    "client-secret",
    "clientsecret",
    "api-key",
    "apikey",
    "rp",
];

/// Programs whose short switches hold a secret: as the next word, or attached to the switch.
struct Client {
    names: &'static [&'static str],
    /// Switches whose next word is the secret.
    apart: &'static [&'static str],
    /// Switches that the secret is attached to.
    attached: &'static [&'static str],
    /// Switches whose next word is `user`, this sign, and the secret.
    behind: Option<(char, &'static [&'static str])>,
}

const CLIENTS: &[Client] = &[
    Client { names: &["sshpass"], apart: &["-p"], attached: &["-p"], behind: None },
    Client {
        names: &["mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump", "7z", "7za", "rar", "winrar"],
        apart: &[],
        attached: &["-p"],
        behind: None,
    },
    Client {
        names: &["psexec", "psexec64", "paexec", "csexec", "xcmd", "remcom", "pskill", "psservice", "pslist"],
        apart: &["-p", "/p"],
        attached: &[],
        behind: None,
    },
    Client { names: &["schtasks", "tasklist", "taskkill", "systeminfo"], apart: &["/p"], attached: &[], behind: None },
    Client {
        names: &["crackmapexec", "cme", "netexec", "nxc", "evil-winrm", "rdesktop", "bloodhound-python"],
        apart: &["-p", "-H"],
        attached: &[],
        behind: None,
    },
    Client {
        names: &["xfreerdp", "wfreerdp", "wlfreerdp", "sdl-freerdp"],
        apart: &[],
        attached: &["/p:"],
        behind: None,
    },
    Client { names: &["winrs"], apart: &["-p"], attached: &[], behind: None },
    Client {
        names: &["curl", "wget"],
        apart: &[],
        attached: &[],
        behind: Some((':', &["-u", "--user", "-U", "--proxy-user"])),
    },
    Client {
        names: &["smbclient", "winexe", "rpcclient", "wmic.py", "smbmap", "pth-winexe", "pth-smbclient"],
        apart: &[],
        attached: &[],
        behind: Some(('%', &["-U", "--user"])),
    },
    Client { names: &["ldapsearch", "ldapmodify", "ldapadd"], apart: &["-w"], attached: &["-w"], behind: None },
    Client { names: &["sqlcmd", "osql", "bcp", "isql"], apart: &["-P"], attached: &["-P"], behind: None },
    Client { names: &["redis-cli"], apart: &["-a"], attached: &[], behind: None },
    Client { names: &["mongo", "mongosh", "mongodump"], apart: &["-p"], attached: &[], behind: None },
];

/// The text with every secret masked; borrowed where it holds none.
pub fn masked(text: &str) -> Cow<'_, str> {
    let mut spans = spans(text);
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    spans.sort_by_key(|span| (span.start, span.end));
    let (mut out, mut end) = (String::with_capacity(text.len()), 0);
    for span in spans {
        if span.start < end {
            continue;
        }
        out.push_str(text.get(end..span.start).unwrap_or(""));
        out.push_str(MASK);
        end = span.end;
    }
    out.push_str(text.get(end..).unwrap_or(""));
    Cow::Owned(out)
}

/// As [`masked`], in place.
pub fn mask(text: &mut String) {
    if let Cow::Owned(changed) = masked(text) {
        *text = changed;
    }
}

/// Where the secrets are: may overlap, in no order.
fn spans(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let words: Vec<(usize, &str)> = words(text).collect();
    let word = |nth: usize| words.get(nth).copied();
    let (mut client, mut impacket, mut since): (Option<&Client>, bool, usize) = (None, false, 0);
    for (nth, &(at, raw)) in words.iter().enumerate() {
        let bare = raw.trim_matches(['"', '\'', '(', '{', '[']);
        if is_any(bare, &["|", "||", "&", "&&", ";"]) {
            (client, impacket) = (None, false);
            continue;
        }
        let program = program(bare);
        if let Some(known) = CLIENTS.iter().find(|client| is_any(program, client.names)) {
            (client, since) = (Some(known), nth);
        }
        impacket |= super::ends_with(bare, ".py") || super::starts_with(program, "impacket-");
        credentials_of_url(at, raw, &mut found);
        named(text, at, raw, &mut found);
        let next = |found: &mut Vec<Range<usize>>| {
            if let Some((at, _)) = word(nth + 1) {
                push(text, at, found);
            }
        };
        let switch = bare.trim_start_matches(['-', '/']);
        if switch.len() < bare.len() && is_any(switch, SWITCHES) {
            next(&mut found);
        }
        if is_any(bare, &["bearer", "basic"])
            && nth.checked_sub(1).and_then(word).is_some_and(|(_, before)| contains(before, "authorization"))
        {
            next(&mut found);
        }
        if is_any(bare.trim_end_matches(':'), &["x-api-key", "x-auth-token", "private-token"]) && raw.contains(':') {
            next(&mut found);
        }
        if bare.eq_ignore_ascii_case("convertto-securestring") && contains(text, "asplaintext") {
            let named = word(nth + 1).is_some_and(|(_, word)| word.eq_ignore_ascii_case("-string"));
            if let Some((at, _)) = word(nth + 1 + usize::from(named)) {
                push(text, at, &mut found);
            }
        }
        if impacket && !raw.contains("://") {
            credentials_at_host(at, raw, &mut found);
        }
        if is_any(program, &["net", "net1"]) {
            net(text, &words, nth, &mut found);
        }
        // Case tells such switches apart: curl's -u and -U are two, cme's -H is no help.
        if let Some(client) = client.filter(|_| nth > since) {
            if client.apart.contains(&bare) {
                next(&mut found);
            } else if let Some(switch) = client.attached.iter().find(|switch| bare.starts_with(**switch)) {
                let offset = raw.find(switch).unwrap_or(0) + switch.len();
                if offset < raw.len() {
                    push(text, at + offset, &mut found);
                }
            } else if let Some((sign, switches)) = client.behind {
                let (from, value) = match switches.iter().find(|switch| bare.starts_with(**switch)) {
                    Some(switch) if bare == *switch => word(nth + 1).unwrap_or((at, "")),
                    Some(switch) => {
                        let offset = raw.find(switch).unwrap_or(0) + switch.len();
                        (at + offset, raw.get(offset..).unwrap_or(""))
                    }
                    None => continue,
                };
                if let Some(sign_at) = value.find(sign) {
                    push(text, from + sign_at + 1, &mut found);
                }
            }
        }
    }
    found
}

/// Words between blanks, with their places.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_ascii_whitespace().map(move |word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

/// The name of a program without folder and extension.
fn program(word: &str) -> &str {
    let name = base_name(word);
    match name.rsplit_once('.') {
        Some((stem, ending)) if is_any(ending, &["exe", "com"]) => stem,
        _ => name,
    }
}

/// Adds the value that begins at `at`: up to the closing quote, or the next blank. What asks for the secret (`*`) and
/// what is only a switch is none.
fn push(text: &str, at: usize, found: &mut Vec<Range<usize>>) {
    let Some(rest) = text.get(at..) else { return };
    let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''));
    let (begin, end) = match quote {
        Some(quote) => (1, rest.get(1..).and_then(|rest| rest.find(quote)).map_or(rest.len(), |end| end + 1)),
        None => (0, rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\'')).unwrap_or(rest.len())),
    };
    let mut value = rest.get(begin..end).unwrap_or("");
    // A full stop that ends the sentence is no part of what it quotes.
    if at + end == text.len() {
        value = value.strip_suffix('.').unwrap_or(value);
    }
    if !matches!(value, "" | "*" | MASK) {
        found.push(at + begin..at + begin + value.len());
    }
}

/// `scheme://user:secret@host`.
fn credentials_of_url(at: usize, word: &str, found: &mut Vec<Range<usize>>) {
    let mut from = 0;
    while let Some(begin) = word.get(from..).and_then(|rest| rest.find("://")).map(|begin| from + begin + 3) {
        let rest = word.get(begin..).unwrap_or("");
        let authority = rest.get(..rest.find(['/', '?', '"', '\'']).unwrap_or(rest.len())).unwrap_or("");
        if let Some(end) = authority.rfind('@')
            && let Some(colon) = authority.get(..end).and_then(|user| user.find(':'))
            && colon + 1 < end
        {
            found.push(at + begin + colon + 1..at + begin + end);
        }
        from = begin;
    }
}

/// `domain/user:secret@host`, as impacket's tools take it.
fn credentials_at_host(at: usize, word: &str, found: &mut Vec<Range<usize>>) {
    if let Some(end) = word.rfind('@')
        && let Some(colon) = word.get(..end).and_then(|user| user.find(':'))
        && colon + 1 < end
    {
        found.push(at + colon + 1..at + end);
    }
}

/// Values behind a name: `Password=x;`, `/rp:x`, `--token=x`.
fn named(text: &str, at: usize, word: &str, found: &mut Vec<Range<usize>>) {
    for (sign, _) in word.match_indices(['=', ':']) {
        let before = word.get(..sign).unwrap_or("");
        let start = before.rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))).map_or(0, |place| {
            place + before.get(place..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
        });
        let name = before.get(start..).unwrap_or("");
        let bare = name.trim_start_matches('-');
        let switch = bare.len() < name.len() || before.get(..start).is_some_and(|lead| lead.ends_with('/'));
        if !(is_any(bare, NAMES) || (switch && is_any(bare, SWITCH_NAMES))) {
            continue;
        }
        let value = at + sign + 1;
        let rest = text.get(value..).unwrap_or("");
        // In prose a blank follows the colon; a path is no secret.
        if rest.starts_with(|c: char| c.is_ascii_whitespace()) || rest.starts_with("//") || rest.is_empty() {
            continue;
        }
        if rest.starts_with(['"', '\'']) {
            push(text, value, found);
            continue;
        }
        let end =
            rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, ';' | '&' | '"' | '\'')).unwrap_or(rest.len());
        let mut secret = rest.get(..end).unwrap_or("");
        if value + end == text.len() {
            secret = secret.strip_suffix('.').unwrap_or(secret);
        }
        if !matches!(secret, "" | "*" | MASK) {
            found.push(value..value + secret.len());
        }
    }
}

/// `net use [drive:] \\host\share SECRET /user:…` and `net user NAME SECRET …`.
fn net(text: &str, words: &[(usize, &str)], nth: usize, found: &mut Vec<Range<usize>>) {
    let word = |offset: usize| words.get(nth + offset).map_or("", |(_, word)| word.trim_matches(['"', '\'']));
    let secret = match word(1) {
        verb if verb.eq_ignore_ascii_case("use") => {
            let share = (2..5).find(|offset| word(*offset).starts_with(r"\\"));
            let Some(share) = share else { return };
            share + 1
        }
        verb if verb.eq_ignore_ascii_case("user") && !word(2).starts_with('/') => 3,
        _ => return,
    };
    if !word(secret).starts_with('/')
        && let Some((at, _)) = words.get(nth + secret)
    {
        push(text, *at, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_tokens_are_masked_and_nothing_else() {
        for (line, expected) in [
            (
                "wmic /node:fs9 /user:CORP\\x /password:Winter1! process list",
                "wmic /node:fs9 /user:CORP\\x /password:**** process list",
            ),
            ("schtasks /create /s fs9 /ru x /rp Spring2 /tn t", "schtasks /create /s fs9 /ru x /rp **** /tn t"),
            (r"net use \\fs9\c$ Autumn3 /user:CORP\x", r"net use \\fs9\c$ **** /user:CORP\x"),
            (r"net use z: \\fs9\c$ * /user:CORP\x", r"net use z: \\fs9\c$ * /user:CORP\x"),
            (r#"cmd /c "net use \\fs9\c$ Autumn3 /user:x""#, r#"cmd /c "net use \\fs9\c$ **** /user:x""#),
            ("net user guest2 Summer4 /add", "net user guest2 **** /add"),
            ("net user guest2 /active:yes", "net user guest2 /active:yes"),
            ("psexec.py corp/bo:S3cr@10.9.9.9 whoami", "psexec.py corp/bo:****@10.9.9.9 whoami"),
            ("wmiexec.py -hashes aad3b:31d6c corp/bo@10.9.9.9", "wmiexec.py -hashes **** corp/bo@10.9.9.9"),
            (r"PsExec64.exe \\fs9 -u CORP\x -p Winter1! cmd", r"PsExec64.exe \\fs9 -u CORP\x -p **** cmd"),
            ("curl -u bo:S3cr https://x.example/a", "curl -u bo:**** https://x.example/a"),
            ("curl -H 'Authorization: Bearer ey.J0.eX' x", "curl -H 'Authorization: Bearer ****' x"),
            ("git clone https://bo:tok@git.example/a.git", "git clone https://bo:****@git.example/a.git"),
            ("sshpass -p S3cr ssh bo@h", "sshpass -p **** ssh bo@h"),
            ("mysql -u root -pS3cr shop", "mysql -u root -p**** shop"),
            ("Server=db;Uid=sa;Pwd=S3cr;Database=x", "Server=db;Uid=sa;Pwd=****;Database=x"),
            ("smbclient //fs9/c$ -U corp/bo%S3cr", "smbclient //fs9/c$ -U corp/bo%****"),
            (
                "ConvertTo-SecureString 'two words' -AsPlainText -Force",
                "ConvertTo-SecureString '****' -AsPlainText -Force",
            ),
            ("xfreerdp /v:10.9.9.9 /u:bo /p:S3cr", "xfreerdp /v:10.9.9.9 /u:bo /p:****"),
            ("x was started: a.exe --token=abc.", "x was started: a.exe --token=****."),
        ] {
            assert_eq!(masked(line), expected);
        }
    }

    #[test]
    fn ordinary_text_is_left_alone_and_masking_twice_is_masking_once() {
        for text in [
            "mkdir -p /srv/a/b",
            "docker run -p 8080:80 nginx",
            "ssh -p 2222 bo@h",
            "the password: unknown",
            "rundll32.exe x.dll,Culture=neutral, PublicKeyToken=b77a5c561934e089",
            "svchost.exe -k DcomLaunch -p",
            "grep -H pattern file",
            "msbuild a.sln /p:Configuration=Release",
            "rundll32.exe a.dll,a /p:qwe",
        ] {
            assert_eq!(masked(text), text);
        }
        let once = masked("curl -u bo:S3cr x; PGPASSWORD=a psql").into_owned();
        assert_eq!(masked(&once), once);
    }
}
