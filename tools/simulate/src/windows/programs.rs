//! The programs of Windows hosts, with the contents of their version resources. `{user}` in a path is the name of the
//! account. Vendors other than widespread ones are fictitious.

/// A program.
#[derive(Debug)]
pub(crate) struct Program {
    pub image: &'static str,
    /// `OriginalFileName`.
    pub original: &'static str,
    pub description: &'static str,
    pub product: &'static str,
    pub company: &'static str,
    pub version: &'static str,
}

const fn windows(image: &'static str, original: &'static str, description: &'static str) -> Program {
    Program {
        image,
        original,
        description,
        product: "Microsoft® Windows® Operating System",
        company: "Microsoft Corporation",
        version: "10.0.19041.4522 (WinBuild.160101.0800)",
    }
}

const fn office(image: &'static str, original: &'static str, description: &'static str) -> Program {
    Program {
        image,
        original,
        description,
        product: "Microsoft Office",
        company: "Microsoft Corporation",
        version: "16.0.17328.20550",
    }
}

const fn other(
    image: &'static str,
    original: &'static str,
    description: &'static str,
    company: &'static str,
    version: &'static str,
) -> Program {
    Program { image, original, description, product: description, company, version }
}

macro_rules! programs {
    ($($id:ident = $make:expr;)*) => { $(pub(crate) static $id: Program = $make;)* };
}

programs! {
    SMSS = windows(r"C:\Windows\System32\smss.exe", "smss.exe", "Windows Session Manager");
    CSRSS = windows(r"C:\Windows\System32\csrss.exe", "CSRSS.Exe", "Client Server Runtime Process");
    WININIT = windows(r"C:\Windows\System32\wininit.exe", "WinInit.exe", "Windows Start-Up Application");
    WINLOGON = windows(r"C:\Windows\System32\winlogon.exe", "WINLOGON.EXE", "Windows Logon Application");
    SERVICES_EXE = windows(r"C:\Windows\System32\services.exe", "services.exe", "Services and Controller app");
    LSASS = windows(r"C:\Windows\System32\lsass.exe", "lsass.exe", "Local Security Authority Process");
    SVCHOST = windows(r"C:\Windows\System32\svchost.exe", "svchost.exe", "Host Process for Windows Services");
    SPOOLSV = windows(r"C:\Windows\System32\spoolsv.exe", "spoolsv.exe", "Spooler SubSystem App");
    SEARCH_INDEXER = windows(r"C:\Windows\System32\SearchIndexer.exe", "SearchIndexer.exe", "Microsoft Windows Search Indexer");
    SEARCH_PROTOCOL = windows(r"C:\Windows\System32\SearchProtocolHost.exe", "SearchProtocolHost.exe", "Microsoft Windows Search Protocol Host");
    SEARCH_FILTER = windows(r"C:\Windows\System32\SearchFilterHost.exe", "SearchFilterHost.exe", "Microsoft Windows Search Filter Host");
    USERINIT = windows(r"C:\Windows\System32\userinit.exe", "USERINIT.EXE", "Userinit Logon Application");
    EXPLORER = windows(r"C:\Windows\explorer.exe", "EXPLORER.EXE", "Windows Explorer");
    SIHOST = windows(r"C:\Windows\System32\sihost.exe", "sihost.exe", "Shell Infrastructure Host");
    TASKHOSTW = windows(r"C:\Windows\System32\taskhostw.exe", "taskhostw.exe", "Host Process for Windows Tasks");
    RUNTIME_BROKER = windows(r"C:\Windows\System32\RuntimeBroker.exe", "RuntimeBroker.exe", "Runtime Broker");
    SMARTSCREEN = windows(r"C:\Windows\System32\smartscreen.exe", "smartscreen.exe", "Windows Defender SmartScreen");
    DLLHOST = windows(r"C:\Windows\System32\dllhost.exe", "dllhost.exe", "COM Surrogate");
    WMIPRVSE = windows(r"C:\Windows\System32\wbem\WmiPrvSE.exe", "Wmiprvse.exe", "WMI Provider Host");
    MOFCOMP = windows(r"C:\Windows\System32\wbem\mofcomp.exe", "mofcomp.exe", "The Managed Object Format (MOF) Compiler");
    BACKGROUND_TASK = windows(r"C:\Windows\System32\backgroundTaskHost.exe", "backgroundTaskHost.exe", "Background Task Host");
    CONHOST = windows(r"C:\Windows\System32\conhost.exe", "CONHOST.EXE", "Console Window Host");
    CMD = windows(r"C:\Windows\System32\cmd.exe", "Cmd.Exe", "Windows Command Processor");
    POWERSHELL_EXE = windows(r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe", "PowerShell.EXE", "Windows PowerShell");
    WHOAMI = windows(r"C:\Windows\System32\whoami.exe", "whoami.exe", "whoami - displays logged on user information");
    MMC = windows(r"C:\Windows\System32\mmc.exe", "mmc.exe", "Microsoft Management Console");
    MSIEXEC = windows(r"C:\Windows\System32\msiexec.exe", "msiexec.exe", "Windows® installer");
    RUNDLL32 = windows(r"C:\Windows\System32\rundll32.exe", "RUNDLL32.EXE", "Windows host process (Rundll32)");
    SPLWOW64 = windows(r"C:\Windows\splwow64.exe", "splwow64.exe", "Print driver host for applications");
    RDPCLIP = windows(r"C:\Windows\System32\rdpclip.exe", "rdpclip.exe", "RDP Clipboard Monitor");
    MSTSC = windows(r"C:\Windows\System32\mstsc.exe", "mstsc.exe", "Remote Desktop Connection");
    VSSVC = windows(r"C:\Windows\System32\VSSVC.exe", "VSSVC.EXE", "Microsoft® Volume Shadow Copy Service");
    GPUPDATE = windows(r"C:\Windows\System32\gpupdate.exe", "GPUpdate.exe", "Microsoft® Group Policy Update Utility");
    NET = windows(r"C:\Windows\System32\net.exe", "net.exe", "Net Command");
    SC = windows(r"C:\Windows\System32\sc.exe", "sc.exe", "Service Control Manager Configuration Tool");
    IPCONFIG = windows(r"C:\Windows\System32\ipconfig.exe", "ipconfig.exe", "IP Configuration Utility");
    TIWORKER = windows(r"C:\Windows\WinSxS\amd64_microsoft-windows-servicingstack_31bf3856ad364e35_10.0.19041.4467_none_7e1bd40a7c7ea4fe\TiWorker.exe", "TiWorker.exe", "Windows Modules Installer Worker");
    MSMPENG = windows(r"C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24050.7-0\MsMpEng.exe", "MsMpEng.exe", "Antimalware Service Executable");
    WORD = office(r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE", "WinWord.exe", "Microsoft Word");
    EXCEL = office(r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE", "Excel.exe", "Microsoft Excel");
    OUTLOOK = office(r"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE", "Outlook.exe", "Microsoft Outlook");
    CLICK_TO_RUN = office(r"C:\Program Files\Common Files\Microsoft Shared\ClickToRun\OfficeClickToRun.exe", "OfficeClickToRun.exe", "Microsoft Office Click-to-Run (SxS)");
    EDGE = other(r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe", "msedge.exe", "Microsoft Edge", "Microsoft Corporation", "126.0.2592.68");
    CHROME = other(r"C:\Program Files\Google\Chrome\Application\chrome.exe", "chrome.exe", "Google Chrome", "Google LLC", "126.0.6478.127");
    EDGE_UPDATE = other(r"C:\Program Files (x86)\Microsoft\EdgeUpdate\MicrosoftEdgeUpdate.exe", "msedgeupdate.dll", "Microsoft Edge Update", "Microsoft Corporation", "1.3.187.41");
    ONEDRIVE = other(r"C:\Users\{user}\AppData\Local\Microsoft\OneDrive\OneDrive.exe", "OneDrive.exe", "Microsoft OneDrive", "Microsoft Corporation", "24.116.0609.0005");
    ONEDRIVE_SETUP = other(r"C:\Users\{user}\AppData\Local\Microsoft\OneDrive\Update\OneDriveSetup.exe", "OneDriveSetup.exe", "Microsoft OneDrive Setup", "Microsoft Corporation", "24.121.0616.0001");
    TEAMS = other(r"C:\Users\{user}\AppData\Local\Microsoft\Teams\current\Teams.exe", "Teams.exe", "Microsoft Teams", "Microsoft Corporation", "1.7.00.15969");
    AGENT = other(r"C:\Program Files\Northwall\Endpoint\nwagent.exe", "nwagent.exe", "Northwall Endpoint Agent", "Northwall Software AB", "7.4.210.0");
    AGENT_TRAY = other(r"C:\Program Files\Northwall\Endpoint\nwtray.exe", "nwtray.exe", "Northwall Endpoint Tray", "Northwall Software AB", "7.4.210.0");
    BACKUP = other(r"C:\Program Files\Vaultline\Backup\vlbackup.exe", "vlbackup.exe", "Vaultline Backup Agent", "Vaultline GmbH", "12.1.0.881");
    CCMEXEC = other(r"C:\Windows\CCM\CcmExec.exe", "CcmExec.exe", "Host Process for Microsoft Configuration Manager", "Microsoft Corporation", "5.00.9122.1000");
    SQLSERVR = other(r"C:\Program Files\Microsoft SQL Server\MSSQL15.MSSQLSERVER\MSSQL\Binn\sqlservr.exe", "SQLSERVR.EXE", "SQL Server Windows NT - 64 Bit", "Microsoft Corporation", "2019.0150.4375.04");
    SQLAGENT = other(r"C:\Program Files\Microsoft SQL Server\MSSQL15.MSSQLSERVER\MSSQL\Binn\SQLAGENT.EXE", "SQLAGENT.EXE", "SQL Server Agent", "Microsoft Corporation", "2019.0150.4375.04");
    PSEXEC = other(r"C:\Tools\PsExec64.exe", "psexec.c", "Execute processes remotely", "Sysinternals - www.sysinternals.com", "2.43");
    PSEXESVC = other(r"C:\Windows\PSEXESVC.exe", "psexesvc.exe", "PsExec Service", "Sysinternals", "2.43");
}

const fn unknown(image: &'static str) -> Program {
    Program { image, original: "-", description: "-", product: "-", company: "-", version: "-" }
}

// Tools of attackers, without a version resource.
programs! {
    IMPLANT = unknown(r"C:\Users\{user}\AppData\Local\Temp\wupdate.exe");
    IMPLANT_PUBLIC = unknown(r"C:\Users\Public\Libraries\hostsvc.exe");
    POTATO_TOOL = unknown(r"C:\Windows\Temp\prnchk.exe");
    EXECUTOR = unknown(r"C:\Windows\winmgrsvc.exe");
}
