//! Ordinary work of Linux hosts: web servers, databases, cron, backups, logins, developers.

use super::machine::{Machine, Process, Who, uid};
use crate::clock::{MILLI, MINUTE, SECOND, weight};
use crate::world::Role;

const POSTGRES_SOCKET: &str = "/run/postgresql/.s.PGSQL.5432";
/// The FIFO from which the maintenance helper reads commands.
pub(crate) const CONTROL: &str = "/run/maint/ctl";
pub(crate) const BUS: &str = "/run/dbus/system_bus_socket";
pub(crate) const DOCKER: &str = "/var/run/docker.sock";

impl Machine {
    /// Auditing and the services start.
    pub(crate) fn boot(&mut self, at: i64) {
        let pid = self.new_pid(at);
        self.daemon_start(at, pid);
        let init = Process {
            pid: 1,
            parent: 0,
            who: Who::service(0),
            comm: "systemd",
            exe: "/usr/lib/systemd/systemd",
            folder: "/".into(),
        };
        let mut time = at + SECOND;
        self.residents.insert("init", init.clone());
        let common: &[(&'static str, u32, &'static str, &[&str])] = &[
            ("cron", 0, "/usr/sbin/cron", &["/usr/sbin/cron", "-f"]),
            ("sshd", 0, "/usr/sbin/sshd", &["/usr/sbin/sshd", "-D"]),
            (
                "dbus",
                104,
                "/usr/bin/dbus-daemon",
                &["/usr/bin/dbus-daemon", "--system", "--address=systemd:", "--nofork"],
            ),
            ("maintenance", uid::MAINTENANCE, "/usr/bin/bash", &["/bin/bash", "/usr/local/lib/maint/helper.sh"]),
        ];
        let of_role: &[(&'static str, u32, &'static str, &[&str])] = match self.role() {
            Role::Web => &[
                (
                    "postgres",
                    uid::POSTGRES,
                    "/usr/lib/postgresql/15/bin/postgres",
                    &["/usr/lib/postgresql/15/bin/postgres", "-D", "/var/lib/postgresql/15/main"],
                ),
                ("nginx", uid::WWW, "/usr/sbin/nginx", &["nginx: worker process"]),
                (
                    "app",
                    uid::APP,
                    "/usr/bin/python3.11",
                    &["/usr/bin/python3", "/srv/shop/bin/gunicorn", "--bind", "unix:/run/shop/app.sock", "shop:app"],
                ),
            ],
            Role::Build => {
                &[("runner", uid::RUNNER, "/usr/bin/python3.11", &["/usr/bin/python3", "/opt/runner/agent.py"])]
            }
            _ => &[],
        };
        for (name, user, exe, arguments) in common.iter().chain(of_role) {
            let process = self.exec(time, &init, Who::service(*user), exe, arguments);
            time += self.random.between(40 * MILLI, 900 * MILLI);
            self.residents.insert(name, process);
        }
        if self.role() == Role::Web {
            let (postgres, app) = (self.resident("postgres"), self.resident("app"));
            self.bind(time, &postgres, POSTGRES_SOCKET, "0140777");
            self.bind(time + 300 * MILLI, &app, "/run/shop/app.sock", "0140770");
        }
        let maintenance = self.resident("maintenance");
        self.control = self.make_fifo(time + 400 * MILLI, &maintenance, CONTROL);
        self.open_fifo(time + 500 * MILLI, &maintenance, CONTROL, self.control, uid::MAINTENANCE, false);
    }

    /// A random ordinary activity.
    pub(crate) fn work(&mut self, at: i64) {
        // People are active in working hours.
        if self.random.below(40) < weight(at) as u64 {
            match self.random.below(100) {
                0..=34 => self.log_in(at),
                35..=54 => self.look_at_services(at),
                55..=69 => self.use_docker(at),
                70..=84 => self.use_agent(at),
                _ => self.use_tmux(at),
            }
            return;
        }
        match (self.role(), self.random.below(100)) {
            (Role::Web, 0..=54) => self.request(at),
            (Role::Web, 55..=69) => self.names(at),
            (Role::Build, 0..=59) => self.build(at),
            (_, 70..=84) => self.cron(at),
            (_, 85..=92) => self.back_up(at),
            _ => self.names(at),
        }
    }

    /// A web request: nginx calls the application, which queries the database.
    fn request(&mut self, at: i64) {
        let (nginx, app) = (self.resident("nginx"), self.resident("app"));
        for number in 0..self.random.between(1, 4) {
            let when = at + number * 120 * MILLI;
            self.connect(when, &nginx, "/run/shop/app.sock", uid::APP, 0);
            self.connect(when + 8 * MILLI, &app, POSTGRES_SOCKET, uid::POSTGRES, 0);
        }
    }

    /// A name lookup: the socket of the name service cache is tried first, and does not exist.
    fn names(&mut self, at: i64) {
        let name = if self.random.chance(50) { "sshd" } else { "cron" };
        let process = self.resident(name);
        for step in 0..2 {
            self.connect(at + step * 4 * MILLI, &process, "/var/run/nscd/socket", 0, -2);
        }
    }

    fn cron(&mut self, at: i64) {
        const JOBS: [(&str, &str, &str); 4] = [
            (
                "[ -x /usr/lib/php/sessionclean ] && /usr/lib/php/sessionclean",
                "/usr/bin/find",
                "find -O3 /var/lib/php/sessions -depth -mindepth 1 -name sess_* -delete",
            ),
            ("/usr/local/bin/disk-report --quiet", "/usr/bin/df", "df -P -x tmpfs"),
            (
                "/usr/sbin/logrotate /etc/logrotate.conf",
                "/usr/sbin/logrotate",
                "/usr/sbin/logrotate /etc/logrotate.conf",
            ),
            (
                "/usr/local/bin/cert-check",
                "/usr/bin/openssl",
                "openssl x509 -checkend 604800 -noout -in /etc/ssl/site.pem",
            ),
        ];
        let cron = self.resident("cron");
        let session = self.new_session();
        let pid = self.new_pid(at);
        let mut child = Process { pid, parent: cron.pid, comm: "cron", ..cron };
        let pam = |op: &str, grantors: &str| {
            format!(
                "op=PAM:{op} grantors={grantors} acct=\"root\" exe=\"/usr/sbin/cron\" hostname=? addr=? terminal=cron res=success"
            )
        };
        self.user(at, "USER_ACCT", &child, pam("accounting", "pam_permit"));
        self.user(at + 4 * MILLI, "CRED_ACQ", &child, pam("setcred", "pam_permit"));
        self.login(at + 8 * MILLI, &child, 0, session);
        child.who = Who { uid: 0, auid: 0, session, tty: "(none)" };
        self.user(at + 12 * MILLI, "USER_START", &child, pam("session_open", "pam_loginuid,pam_env,pam_limits"));
        let (line, exe, command) = *self.random.pick(&JOBS);
        let shell = self.exec(at + 20 * MILLI, &child, child.who, "/usr/bin/dash", &["/bin/sh", "-c", line]);
        let arguments: Vec<&str> = command.split(' ').collect();
        let job = self.exec(at + 32 * MILLI, &shell, child.who, exe, &arguments);
        self.user(at + 2 * SECOND, "CRED_DISP", &child, pam("setcred", "pam_permit"));
        self.user(at + 2 * SECOND, "USER_END", &child, pam("session_close", "pam_loginuid,pam_env,pam_limits"));
        for process in [&child, &shell, &job] {
            self.release(at + 3 * SECOND, process);
        }
    }

    /// A database dump through a FIFO: one process writes, another compresses, both under the same account.
    fn back_up(&mut self, at: i64) {
        let who = Who::service(uid::POSTGRES);
        let init = self.resident("init");
        let shell = self.exec(at, &init, who, "/usr/bin/bash", &["/bin/bash", "/usr/local/bin/nightly-dump"]);
        let fifo = "/var/backups/.dump.pipe";
        let maker = self.exec(at + 8 * MILLI, &shell, who, "/usr/bin/mkfifo", &["mkfifo", "-m", "600", fifo]);
        let inode = self.make_fifo(at + 12 * MILLI, &maker, fifo);
        let reader = Process { pid: self.new_pid(at), parent: shell.pid, comm: "nightly-dump", ..shell.clone() };
        let writer = Process { pid: self.new_pid(at), ..reader.clone() };
        self.open_fifo(at + 20 * MILLI, &reader, fifo, inode, who.uid, false);
        self.exec_as(
            at + 24 * MILLI,
            &Process { comm: "gzip", exe: "/usr/bin/gzip", ..reader.clone() },
            &["gzip", "-c"],
        );
        self.open_fifo(at + 24 * MILLI, &writer, fifo, inode, who.uid, true);
        let dump = Process { comm: "pg_dump", exe: "/usr/lib/postgresql/15/bin/pg_dump", ..writer.clone() };
        self.exec_as(at + 32 * MILLI, &dump, &["pg_dump", "-h", "/run/postgresql", "shop"]);
        self.connect(at + 60 * MILLI, &dump, POSTGRES_SOCKET, uid::POSTGRES, 0);
        self.exec(at + 9 * SECOND, &shell, who, "/usr/bin/rm", &["rm", "-f", fifo]);
    }

    /// A person logs in over SSH; returns the login shell.
    pub(crate) fn ssh_login(&mut self, at: i64, person: usize, address: &str) -> Process {
        let sshd = self.resident("sshd");
        let pid = self.new_pid(at);
        let (name, user) = {
            let person = &self.world.people[person];
            (person.name.to_string(), person.uid)
        };
        let mut daemon = Process { pid, parent: sshd.pid, ..sshd };
        let pam = |op: &str, grantors: &str, terminal: &str| {
            format!(
                "op=PAM:{op} grantors={grantors} acct=\"{name}\" exe=\"/usr/sbin/sshd\" hostname={address} addr={address} terminal={terminal} res=success"
            )
        };
        self.user(at, "USER_ACCT", &daemon, pam("accounting", "pam_permit", "ssh"));
        self.user(at + 8 * MILLI, "CRED_ACQ", &daemon, pam("setcred", "pam_permit", "ssh"));
        let session = self.new_session();
        self.login(at + 12 * MILLI, &daemon, user, session);
        daemon.who = Who { uid: 0, auid: user, session, tty: "(none)" };
        self.user(
            at + 16 * MILLI,
            "USER_START",
            &daemon,
            pam("session_open", "pam_loginuid,pam_env,pam_limits", "ssh"),
        );
        let login = format!(
            "op=login id={user} exe=\"/usr/sbin/sshd\" hostname={address} addr={address} terminal=/dev/pts/0 res=success"
        );
        self.user(at + 24 * MILLI, "USER_LOGIN", &daemon, login);
        let terminals = ["pts0", "pts1", "pts2", "pts3"];
        let tty = *self.random.pick(&terminals);
        let who = Who { uid: user, auid: user, session, tty };
        let mut shell = self.exec(at + 80 * MILLI, &daemon, who, "/usr/bin/bash", &["-bash"]);
        shell.folder = format!("/home/{name}").into();
        let lasts = self.random.between(8 * MINUTE, 40 * MINUTE);
        self.user(at + lasts, "USER_END", &daemon, pam("session_close", "pam_loginuid,pam_env,pam_limits", "ssh"));
        self.user(at + lasts + 4 * MILLI, "CRED_DISP", &daemon, pam("setcred", "pam_permit", "ssh"));
        self.release(at + lasts, &daemon);
        self.release(at + lasts, &shell);
        shell
    }

    /// One of the two people who work on this host, with their client address.
    fn visitor(&mut self) -> (usize, String) {
        let person = (self.host().owner + self.random.below(2) as usize) % self.world.people.len();
        (person, format!("10.20.0.{}", 20 + person % 200))
    }

    fn log_in(&mut self, at: i64) {
        let (person, address) = self.visitor();
        let shell = self.ssh_login(at, person, &address);
        let who = shell.who;
        self.exec(at + 4 * SECOND, &shell, who, "/usr/bin/ls", &["ls", "--color=auto", "-l"]);
        self.exec(at + 9 * SECOND, &shell, who, "/usr/bin/less", &["less", "/var/log/nginx/access.log"]);
        if self.random.chance(50) {
            self.sudo(at + 20 * SECOND, &shell, "/usr/bin/systemctl", &["systemctl", "reload", "nginx"]);
        }
    }

    /// A command as root.
    pub(crate) fn sudo(&mut self, at: i64, shell: &Process, exe: &'static str, arguments: &[&str]) -> Process {
        let mut words = vec!["sudo"];
        words.extend_from_slice(arguments);
        let sudo = self.exec(at, shell, shell.who, "/usr/bin/sudo", &words);
        let command: String = arguments.join(" ").bytes().map(|byte| format!("{byte:02X}")).collect();
        let cwd = &shell.folder;
        let tty = shell.who.tty;
        let message = format!("cwd=\"{cwd}\" cmd={command} exe=\"/usr/bin/sudo\" terminal={tty} res=success");
        self.user(at + 40 * MILLI, "USER_CMD", &sudo, message);
        let pam = |op: &str| {
            format!(
                "op=PAM:{op} grantors=pam_permit acct=\"root\" exe=\"/usr/bin/sudo\" hostname=? addr=? terminal={tty} res=success"
            )
        };
        self.user(at + 44 * MILLI, "CRED_REFR", &sudo, pam("setcred"));
        self.user(at + 48 * MILLI, "USER_START", &sudo, pam("session_open"));
        let who = Who { uid: 0, ..shell.who };
        let child = self.exec(at + 60 * MILLI, &sudo, who, exe, arguments);
        if exe.ends_with("systemctl") {
            self.connect(at + 80 * MILLI, &child, "/run/systemd/private", 0, 0);
        }
        self.user(at + 2 * SECOND, "USER_END", &sudo, pam("session_close"));
        child
    }

    fn look_at_services(&mut self, at: i64) {
        let (person, address) = self.visitor();
        let shell = self.ssh_login(at, person, &address);
        let client =
            self.exec(at + 6 * SECOND, &shell, shell.who, "/usr/bin/systemctl", &["systemctl", "status", "nginx"]);
        self.connect(at + 6 * SECOND + 12 * MILLI, &client, BUS, 0, 0);
    }

    fn use_docker(&mut self, at: i64) {
        let (person, address) = self.visitor();
        let shell = self.ssh_login(at, person, &address);
        const COMMANDS: [&[&str]; 3] =
            [&["docker", "ps"], &["docker", "logs", "--tail", "50", "shop-worker"], &["docker", "images"]];
        let words = *self.random.pick(&COMMANDS);
        let client = self.exec(at + 5 * SECOND, &shell, shell.who, "/usr/bin/docker", words);
        self.connect(at + 5 * SECOND + 40 * MILLI, &client, DOCKER, 0, 0);
    }

    /// A person uses their own SSH agent.
    fn use_agent(&mut self, at: i64) {
        let (person, address) = self.visitor();
        let shell = self.ssh_login(at, person, &address);
        let who = shell.who;
        let agent = self.exec(at + 3 * SECOND, &shell, who, "/usr/bin/ssh-agent", &["ssh-agent", "-s"]);
        let tail = self.random.text("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", 12);
        let socket = format!("/tmp/ssh-{tail}/agent.{}", agent.pid);
        self.bind(at + 3 * SECOND + 8 * MILLI, &agent, &socket, "0140600");
        let add = self.exec(at + 6 * SECOND, &shell, who, "/usr/bin/ssh-add", &["ssh-add"]);
        self.connect(at + 6 * SECOND + 4 * MILLI, &add, &socket, who.uid, 0);
        let ssh = self.exec(at + 20 * SECOND, &shell, who, "/usr/bin/ssh", &["ssh", "build01"]);
        self.connect_to(at + 20 * SECOND + 8 * MILLI, &ssh, [10, 60, 0, 12], 22);
        self.connect(at + 20 * SECOND + 40 * MILLI, &ssh, &socket, who.uid, 0);
    }

    fn use_tmux(&mut self, at: i64) {
        let (person, address) = self.visitor();
        let shell = self.ssh_login(at, person, &address);
        let who = shell.who;
        let socket = format!("/tmp/tmux-{}/default", who.uid);
        let client = self.exec(at + 4 * SECOND, &shell, who, "/usr/bin/tmux", &["tmux", "new", "-s", "work"]);
        let server = Process { pid: self.new_pid(at), parent: 1, comm: "tmux: server", ..client.clone() };
        self.bind(at + 4 * SECOND + 8 * MILLI, &server, &socket, "0140700");
        self.connect(at + 4 * SECOND + 12 * MILLI, &client, &socket, who.uid, 0);
        self.exec(at + 5 * SECOND, &server, who, "/usr/bin/bash", &["-bash"]);
    }

    /// A build job: compilers, tests, and a temporary socket of Python's multiprocessing.
    fn build(&mut self, at: i64) {
        let runner = self.resident("runner");
        let who = runner.who;
        let shell = self.exec(at, &runner, who, "/usr/bin/bash", &["bash", "-e", "/opt/runner/work/step.sh"]);
        let make = self.exec(at + 40 * MILLI, &shell, who, "/usr/bin/make", &["make", "-j4", "test"]);
        for number in 0..self.random.between(1, 4) {
            let when = at + SECOND + number * 300 * MILLI;
            let compiler = self.exec(when, &make, who, "/usr/bin/gcc-12", &["gcc", "-O2", "-c", "src/parse.c"]);
            self.release(when + MINUTE, &compiler);
        }
        let tests = self.exec(at + 4 * SECOND, &make, who, "/usr/bin/python3.11", &["python3", "-m", "pytest", "-q"]);
        let tail = self.random.text("abcdefghijklmnopqrstuvwxyz0123456789_", 8);
        let socket = format!("/tmp/pymp-{tail}/listener-{}", &tail[..5]);
        self.bind(at + 5 * SECOND, &tests, &socket, "0140755");
        self.connect(at + 5 * SECOND + 40 * MILLI, &tests, &socket, who.uid, 0);
    }
}
