//! The system calls related to inter-process communication, by name and by number.
//!
//! Numbers: Linux `arch/x86/entry/syscalls/syscall_64.tbl` and `syscall_32.tbl`, `include/uapi/asm-generic/unistd.h`.

/// A system call that is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Each is the call of that name.
pub(crate) enum Call {
    Execve,
    Execveat,
    ExitGroup,
    Connect,
    Bind,
    Accept,
    Sendto,
    Sendmsg,
    Mknod,
    Mknodat,
    Open,
    Openat,
    Openat2,
    Creat,
    Chmod,
    Fchmod,
    Fchmodat,
    Chown,
    Fchown,
    Fchownat,
    Unlink,
    Unlinkat,
    Rename,
    Renameat,
    Link,
    Linkat,
    Symlink,
    Symlinkat,
    Mkdir,
    Mkdirat,
    Truncate,
    Ptrace,
    ProcessVmReadv,
    ProcessVmWritev,
    PidfdOpen,
    PidfdGetfd,
    MemfdCreate,
    Shmget,
    Shmat,
    Msgget,
    Msgsnd,
    Msgrcv,
    MqOpen,
}

/// A number that no call has: the architecture has no such call, or the tables do not list it.
const NONE: u32 = u32::MAX;

/// Call, name, number on x86_64, aarch64 and i386.
const CALLS: &[(Call, &str, [u32; 3])] = &[
    (Call::Execve, "execve", [59, 221, 11]),
    (Call::Connect, "connect", [42, 203, 362]),
    (Call::Openat, "openat", [257, 56, 295]),
    (Call::Ptrace, "ptrace", [101, 117, 26]),
    (Call::Execveat, "execveat", [322, 281, 358]),
    (Call::ExitGroup, "exit_group", [231, 94, 252]),
    (Call::Bind, "bind", [49, 200, 361]),
    (Call::Accept, "accept", [43, 202, NONE]),
    (Call::Accept, "accept4", [288, 242, 364]),
    (Call::Sendto, "sendto", [44, 206, 369]),
    (Call::Sendmsg, "sendmsg", [46, 211, 370]),
    (Call::Sendmsg, "sendmmsg", [307, 269, 345]),
    (Call::Mknod, "mknod", [133, NONE, 14]),
    (Call::Mknodat, "mknodat", [259, 33, 297]),
    (Call::Open, "open", [2, NONE, 5]),
    (Call::Openat2, "openat2", [437, 437, 437]),
    (Call::Creat, "creat", [85, NONE, 8]),
    (Call::Chmod, "chmod", [90, NONE, 15]),
    (Call::Fchmod, "fchmod", [91, 52, 94]),
    (Call::Fchmodat, "fchmodat", [268, 53, 306]),
    (Call::Fchmodat, "fchmodat2", [452, 452, 452]),
    (Call::Chown, "chown", [92, NONE, 182]),
    (Call::Chown, "lchown", [94, NONE, 16]),
    (Call::Fchown, "fchown", [93, 55, 95]),
    (Call::Fchownat, "fchownat", [260, 54, 298]),
    (Call::Unlink, "unlink", [87, NONE, 10]),
    (Call::Unlink, "rmdir", [84, NONE, 40]),
    (Call::Unlinkat, "unlinkat", [263, 35, 301]),
    (Call::Rename, "rename", [82, NONE, 38]),
    (Call::Renameat, "renameat", [264, 38, 302]),
    (Call::Renameat, "renameat2", [316, 276, 353]),
    (Call::Link, "link", [86, NONE, 9]),
    (Call::Linkat, "linkat", [265, 37, 303]),
    (Call::Symlink, "symlink", [88, NONE, 83]),
    (Call::Symlinkat, "symlinkat", [266, 36, 304]),
    (Call::Mkdir, "mkdir", [83, NONE, 39]),
    (Call::Mkdirat, "mkdirat", [258, 34, 296]),
    (Call::Truncate, "truncate", [76, 45, 92]),
    (Call::Truncate, "ftruncate", [77, 46, 93]),
    (Call::ProcessVmReadv, "process_vm_readv", [310, 270, 347]),
    (Call::ProcessVmWritev, "process_vm_writev", [311, 271, 348]),
    (Call::PidfdOpen, "pidfd_open", [434, 434, 434]),
    (Call::PidfdGetfd, "pidfd_getfd", [438, 438, 438]),
    (Call::MemfdCreate, "memfd_create", [319, 279, 356]),
    (Call::Shmget, "shmget", [29, 194, 395]),
    (Call::Shmat, "shmat", [30, 196, 397]),
    (Call::Msgget, "msgget", [68, 186, 399]),
    (Call::Msgsnd, "msgsnd", [69, 189, 400]),
    (Call::Msgrcv, "msgrcv", [70, 188, 401]),
    (Call::MqOpen, "mq_open", [240, 180, 277]),
];

/// The call of a SYSCALL record: by the name that its sender resolved (ENRICHED, laurel), else by `arch=` and number.
pub(crate) fn call(name: &str, arch: &str, number: u32) -> Option<Call> {
    if !name.is_empty() {
        return CALLS.iter().find(|(_, known, _)| *known == name).map(|(call, _, _)| *call);
    }
    let column = match arch.strip_prefix("0x").unwrap_or(arch) {
        "c000003e" => 0,
        "c00000b7" => 1,
        "40000003" => 2,
        _ => return None,
    };
    if number == NONE {
        return None;
    }
    CALLS.iter().find(|(_, _, numbers)| numbers[column] == number).map(|(call, _, _)| *call)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_number_depends_on_the_architecture() {
        assert_eq!(call("", "c000003e", 42), Some(Call::Connect));
        assert_eq!(call("", "c00000b7", 203), Some(Call::Connect));
        assert_eq!(call("", "c00000b7", 42), None);
        assert_eq!(call("", "0xc000003e", 59), Some(Call::Execve));
        assert_eq!(call("", "40000003", 11), Some(Call::Execve));
        assert_eq!(call("", "c000003e", NONE), None);
        assert_eq!(call("", "", 42), None);
    }

    #[test]
    fn a_resolved_name_wins_over_the_number() {
        assert_eq!(call("bind", "ffffffff", 42), Some(Call::Bind));
        assert_eq!(call("listen", "c000003e", 42), None);
    }

    #[test]
    fn no_number_is_given_twice() {
        for column in 0..3 {
            let mut numbers: Vec<u32> = CALLS.iter().map(|(_, _, n)| n[column]).filter(|n| *n != NONE).collect();
            let count = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), count);
        }
    }
}
