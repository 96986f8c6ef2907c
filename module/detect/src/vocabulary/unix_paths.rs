//! Expected and unusual locations of programs on a Unix system. Sources: FHS 3.0; file-hierarchy(7); the folders that
//! developers' tools install themselves into; compiled by hand.

use crate::text::{base_name, contains};

/// Folders in a home directory in which developer tools keep programs: programs there are expected.
const TOOL_FOLDERS: &[&str] = &[
    "/.vscode",
    "/.cursor",
    "/.windsurf",
    "/.config/Code",
    "/.local/",
    "/.nvm/",
    "/.npm/",
    "/.node",
    "/.yarn/",
    "/.bun/",
    "/.deno/",
    "/.volta/",
    "/.cargo/",
    "/.rustup/",
    "/.pyenv/",
    "/.rbenv/",
    "/.rvm/",
    "/.asdf/",
    "/.sdkman/",
    "/.gradle/",
    "/.m2/",
    "/.conda/",
    "/.venv/",
    "/.virtualenvs/",
    "/.cache/JetBrains",
    "/.cache/bazel",
    "/.cache/pypoetry",
    "/.jetbrains",
    "/.docker/",
    "/.krew/",
    "/.linuxbrew/",
    "/.steam/",
    "/.wine/",
    "/.var/app/",
];

/// Programs that builds and application images unpack below the shared folders to run them.
const UNPACKED: &[&str] = &["/tmp/go-build", "/tmp/.mount_", "/tmp/pytest-", "/tmp/bazel", "/tmp/appimage_extracted"];

/// What is unusual about a program's location, as the end of "it runs ..."; `None` if nothing is. A deleted file of a
/// package is an upgrade.
pub fn odd_place(image: &str) -> Option<&'static str> {
    if !image.starts_with('/') {
        return None;
    }
    if image.starts_with("/memfd:") || image.starts_with("/proc/") {
        return Some("from memory, without a file");
    }
    if UNPACKED.iter().any(|folder| image.starts_with(folder)) {
        return None;
    }
    if ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/lock/", "/run/user/"].iter().any(|folder| image.starts_with(folder)) {
        return Some("from a folder that everybody can write to");
    }
    let system = ["/usr/", "/bin/", "/sbin/", "/lib", "/opt/", "/snap/", "/nix/", "/gnu/"];
    if system.iter().any(|folder| image.starts_with(folder)) {
        return None;
    }
    if contains(image, "/.") && !TOOL_FOLDERS.iter().any(|folder| contains(image, folder)) {
        return Some("from a hidden folder or file");
    }
    None
}

/// Whether a program is in a home directory, outside the folders of developer tools.
pub fn is_in_home(image: &str) -> bool {
    ["/home/", "/Users/"].iter().any(|home| image.starts_with(home))
        && !TOOL_FOLDERS.iter().any(|folder| contains(image, folder))
}

/// Whether a path's last component is hidden (starts with a dot).
pub fn is_hidden(path: &str) -> bool {
    base_name(path).starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_in_unusual_locations_are_odd() {
        for image in [
            "/tmp/.x/updater",
            "/dev/shm/a",
            "/memfd:kworker (deleted)",
            "/home/u/.cache/.a/b",
            "/home/u/.ssh/agentd",
            "/var/lib/.x/y",
        ] {
            assert!(odd_place(image).is_some(), "{image}");
        }
    }

    #[test]
    fn installed_programs_and_developer_tools_are_not() {
        for image in [
            "/usr/sbin/nginx (deleted)",
            "/opt/app/bin/server",
            "/home/u/.vscode-server/bin/1/node",
            "/home/u/project/target/debug/app",
            "/tmp/go-build12/b001/exe/main",
            "/tmp/.mount_App1/usr/bin/app",
        ] {
            assert_eq!(odd_place(image), None, "{image}");
        }
        assert!(is_in_home("/home/u/bin/x") && !is_in_home("/home/u/.vscode-server/bin/1/node"));
    }
}
