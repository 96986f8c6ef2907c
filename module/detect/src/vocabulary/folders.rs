//! Which folders users can write to, and which belong to the operating system and to installed programs. The sets come
//! from the analytics catalogue.

use crate::text::starts_with;

/// Whether ordinary users can write to the folder of a file.
pub fn is_user_writable(path: &str) -> bool {
    if path.starts_with('/') {
        return ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/", "/home/", "/Users/", "/private/tmp/"]
            .iter()
            .any(|p| path.starts_with(p))
            || path.contains("/.")
            || path.starts_with("/memfd:")
            || path.ends_with(" (deleted)");
    }
    if starts_with(path, r"\\") && !starts_with(path, r"\\?\") {
        return true;
    }
    const PLACES: [&str; 15] = [
        r"\Users\",
        r"\Windows\Temp\",
        r"\Windows\Tasks\",
        r"\Windows\tracing\",
        r"\Windows\debug\",
        r"\Windows\Fonts\",
        r"\Windows\System32\spool\drivers\color\",
        r"\Windows\servicing\Packages\",
        r"\Windows\servicing\Sessions\",
        r"\PerfLogs\",
        r"\$Recycle.Bin\",
        r"\AppData\",
        r"\Documents and Settings\",
        r"%temp%",
        r"%appdata%",
    ];
    // All of them begin with one of two characters: one pass over the path searches for all.
    let mut starts = memchr::memchr2_iter(b'\\', b'%', path.as_bytes()).filter_map(|at| path.get(at..));
    if starts.any(|rest| PLACES.iter().any(|place| starts_with(rest, place))) {
        return true;
    }
    let rest = after_drive(path);
    if let Some(inside) = strip_prefix(rest, r"\ProgramData\") {
        // Vendors keep programs in their own folders here; any user can create files at its root.
        return !inside.contains('\\');
    }
    if rest.starts_with('\\') {
        // The last two hold the agents of virtual machines in Azure.
        let system = [
            r"\Windows\",
            r"\Program Files\",
            r"\Program Files (x86)\",
            r"\ProgramData\",
            r"\WindowsAzure\",
            r"\Packages\Plugins\",
        ];
        return !system.iter().any(|prefix| starts_with(rest, prefix));
    }
    false
}

/// Whether a file is in a folder of the operating system or of installed programs that users cannot write to.
pub fn is_system_path(path: &str) -> bool {
    if path.starts_with('/') {
        return ["/usr/", "/bin/", "/sbin/", "/lib", "/opt/", "/System/", "/Applications/"]
            .iter()
            .any(|p| path.starts_with(p));
    }
    let rest = after_drive(path);
    [r"\Windows\", r"\Program Files\", r"\Program Files (x86)\"].iter().any(|prefix| starts_with(rest, prefix))
        && !is_user_writable(path)
}

/// Whether a file is in one of Windows' own program folders: System32 and similar, except their user-writable subfolders.
pub fn is_windows_program_path(path: &str) -> bool {
    let rest = after_drive(path);
    [r"\Windows\System32\", r"\Windows\SysWOW64\", r"\Windows\WinSxS\"].iter().any(|prefix| starts_with(rest, prefix))
        && !is_user_writable(path)
}

/// What follows the drive (`C:`) or device (`\Device\HarddiskVolume2`, `\SystemRoot`) of a Windows path.
fn after_drive(path: &str) -> &str {
    let path = path.strip_prefix(r"\\?\").or_else(|| path.strip_prefix(r"\??\")).unwrap_or(path);
    if path.as_bytes().get(1) == Some(&b':') {
        return path.get(2..).unwrap_or("");
    }
    if starts_with(path, r"\device\") {
        return path.match_indices('\\').nth(2).and_then(|(at, _)| path.get(at..)).unwrap_or("");
    }
    if starts_with(path, r"\SystemRoot\") || starts_with(path, "%SystemRoot%") || starts_with(path, "%windir%") {
        return r"\Windows\";
    }
    path
}

fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    if starts_with(text, prefix) { text.get(prefix.len()..) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_folders_are_not_writable_and_their_exceptions_are() {
        for path in [
            r"C:\Windows\System32\cmd.exe",
            r"C:\Program Files\A\b.exe",
            r"\Device\HarddiskVolume2\Windows\x.exe",
            r"C:\ProgramData\Vendor\x.exe",
            r"C:\Windows\servicing\TrustedInstaller.exe",
            r"C:\WindowsAzure\GuestAgent_2.7\WaAppAgent.exe",
            "/usr/bin/nc",
        ] {
            assert!(!is_user_writable(path), "{path}");
        }
        for path in [
            r"C:\Users\a\x.exe",
            r"C:\Windows\Temp\x.exe",
            r"C:\Windows\servicing\Sessions\x.exe",
            r"C:\temp\x.exe",
            r"D:\x.exe",
            r"\\srv\share\x.exe",
            r"C:\ProgramData\x.exe",
            "/dev/shm/x",
            "/memfd:x (deleted)",
        ] {
            assert!(is_user_writable(path), "{path}");
        }
    }

    #[test]
    fn windows_program_folders_are_not_those_beside_or_below_them() {
        assert!(is_windows_program_path(r"C:\Windows\SysWOW64\a.dll"));
        for path in [
            r"C:\Windows \System32\a.dll",
            r"C:\Users\a\Windows\System32\a.dll",
            r"C:\Windows\System32\spool\drivers\color\a.dll",
            r"C:\Program Files\A\a.dll",
        ] {
            assert!(!is_windows_program_path(path), "{path}");
        }
    }
}
