//! Classes of paths: the parts of a path that are the same on every host, for every user and in every version.

/// The class of a path: lower case, without drive or device, user names, GUIDs, versions and long numbers as `*`.
pub fn path(path: &str) -> String {
    let lower = path.to_ascii_lowercase();
    let rest = without_volume(&lower);
    let mut out = String::with_capacity(rest.len());
    let mut after_home = false;
    for (at, part) in rest.split(['\\', '/']).enumerate() {
        if at > 0 {
            out.push(if rest.contains('\\') { '\\' } else { '/' });
        }
        if after_home || is_variable(part) {
            out.push('*');
        } else {
            out.push_str(part);
        }
        after_home = matches!(part, "users" | "home" | "documents and settings") && at <= 1;
    }
    out
}

/// The class of a socket's or FIFO's path: `/var/run` as `/run`, an abstract name with its `@`; below
/// world-writable folders programs generate names, so that only the part before the first separator is kept.
pub fn socket(name: &str) -> String {
    let name = name.strip_prefix("/var").filter(|rest| rest.starts_with("/run/")).unwrap_or(name);
    let path = path(name);
    let temporary =
        ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/", "@"].iter().any(|folder| path.starts_with(folder));
    if !temporary {
        return path;
    }
    let parts = path.split('/').map(|part| {
        let (hidden, rest) = part.strip_prefix('.').map_or(("", part), |rest| (".", rest));
        match rest.find(|c: char| !c.is_ascii_alphabetic() && c != '@') {
            Some(0) => format!("{hidden}*"),
            Some(at) => format!("{hidden}{}*", rest.get(..at).unwrap_or("")),
            None => part.to_owned(),
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

fn without_volume(path: &str) -> &str {
    let path = path.strip_prefix(r"\\?\").or_else(|| path.strip_prefix(r"\??\")).unwrap_or(path);
    if path.as_bytes().get(1) == Some(&b':') {
        return path.get(2..).unwrap_or("");
    }
    if path.starts_with(r"\device\") {
        return path.match_indices('\\').nth(2).and_then(|(at, _)| path.get(at..)).unwrap_or("");
    }
    path
}

/// Whether a component of a path varies with the version, the process or the session: mostly digits, or a GUID.
fn is_variable(part: &str) -> bool {
    if part.is_empty() {
        return false;
    }
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    let hex = part.bytes().filter(u8::is_ascii_hexdigit).count();
    let marks = part.bytes().filter(|b| matches!(b, b'.' | b'-' | b'_' | b'{' | b'}')).count();
    (digits > 0 && digits + marks == part.len()) || (part.len() >= 8 && digits >= 2 && hex + marks >= part.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_socket_names_are_not_part_of_the_class() {
        assert_eq!(socket("/tmp/pymp-zk_u_vmb/listener-zk_u_"), "/tmp/pymp*/listener*");
        assert_eq!(socket("/tmp/ssh-46WFpPYSXz9D/agent.7551"), "/tmp/ssh*/agent*");
        assert_eq!(socket("/var/run/docker.sock"), "/run/docker.sock");
        assert_eq!(socket("@/tmp/.X11-unix/X4"), "@/tmp/.x*/x*");
    }

    #[test]
    fn users_drives_and_versions_are_not_part_of_the_class() {
        assert_eq!(
            path(r"C:\Users\alice\AppData\Local\App\app-1.2.3\App.exe"),
            r"\users\*\appdata\local\app\app-1.2.3\app.exe"
        );
        assert_eq!(path(r"\Device\HarddiskVolume2\Program Files\App\7.0.1\a.exe"), r"\program files\app\*\a.exe");
        assert_eq!(path("/home/bob/.local/bin/tool"), "/home/*/.local/bin/tool");
        assert_eq!(path(r"C:\ProgramData\{0B4F2A53-0B2E-4B0F-9B0C-0A0A0A0A0A0A}\x.exe"), r"\programdata\*\x.exe");
    }
}
