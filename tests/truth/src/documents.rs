//! Captures, samples and cases to typed documents.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Mutex;

use backchannel_browser::Session;
use backchannel_cases::{Case, Log};
use backchannel_engine::Learner;
use backchannel_report::{FindingDocument, IncidentDocument};
use backchannel_source::{Filled, Options, Sources};

/// What was found in some logs.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// What they are called: a capture's file name, a case's heading.
    pub name: String,
    /// The incidents.
    pub incidents: Vec<IncidentDocument>,
    /// The findings.
    pub findings: Vec<FindingDocument>,
}

fn finish(name: String, session: Session) -> Documents {
    let report = session.finish(&mut |_| {});
    let broken = |error| panic!("{name}: a document is not what it should be: {error}");
    let incidents = report.incidents.iter().map(|text| IncidentDocument::read(text).unwrap_or_else(broken)).collect();
    let broken = |error| panic!("{name}: a document is not what it should be: {error}");
    let findings = report.findings.iter().map(|text| FindingDocument::read(text).unwrap_or_else(broken)).collect();
    Documents { name: name.clone(), incidents, findings }
}

/// What is found in files that are read together.
pub fn of_files(name: &str, files: &[PathBuf]) -> Documents {
    let mut session = Session::open(None).expect("the defaults are good settings");
    for file in files {
        let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        session.push(&name, Rc::new(bytes));
    }
    finish(name.to_owned(), session)
}

/// What is found in each of some files, as many at a time as there are processors; in the order of the files.
pub fn of_each(files: &[PathBuf]) -> Vec<Documents> {
    let (waiting, done) = (Mutex::new(files.iter().enumerate().rev().collect::<Vec<_>>()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().expect("no thread panics with it").pop();
                    let Some((at, file)) = next else { return };
                    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    let documents = of_files(&name, std::slice::from_ref(file));
                    done.lock().expect("no thread panics with it").push((at, documents));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no thread panics with it");
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, documents)| documents).collect()
}

/// The logs of a folder, sorted; what only describes them is left out.
pub fn logs_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    let described = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        name.ends_with(".md") || name == "labels.json" || name == "truth.json"
    };
    files.retain(|path| path.is_file() && !described(path));
    files.sort();
    files
}

/// What is found in a case.
pub fn of_case(suite: &str, case: &Case) -> Documents {
    let baseline = (!case.past.is_empty()).then(|| learned(case));
    let mut session =
        Session::with_baseline(case.settings.as_deref(), baseline.as_deref()).expect("a case has good settings");
    for log in &case.logs {
        session.push(&log.name, Rc::new(log.bytes.clone()));
    }
    finish(format!("{suite}: {}", case.name), session)
}

/// The baseline that a case's past teaches.
fn learned(case: &Case) -> Vec<u8> {
    let mut learner = Learner::open(case.settings.as_deref()).expect("a case has good settings");
    let mut sources = Sources::new(Options::default());
    for Log { name, bytes, .. } in &case.past {
        sources.push(name, Rc::new(bytes.clone()));
    }
    let mut merge = sources.events();
    let mut batch = Vec::new();
    loop {
        match merge.fill(&mut batch) {
            Filled::Batch(_) => {
                learner.packed(&batch).expect("what the reader packs is well formed");
            }
            Filled::Idle => {}
            Filled::End => return learner.baseline(),
        }
    }
}
