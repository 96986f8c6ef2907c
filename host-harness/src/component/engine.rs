//! The WebAssembly engine: how modules are compiled, where compiled code is kept, and the clock that limits a call.

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::HostError;

/// How often the engine's clock ticks: how exact a time limit is.
const TICK: Duration = Duration::from_millis(50);

/// How the engine is set up.
#[derive(Clone, Debug, Default)]
pub struct EngineOptions {
    /// Folder in which compiled code is kept; `None`: modules are compiled anew each time.
    pub cache: Option<PathBuf>,
}

impl EngineOptions {
    /// Keeps compiled code in the user's cache folder, where there is one.
    pub fn with_user_cache() -> Self {
        Self { cache: user_cache().map(|folder| folder.join("backchannel").join("compiled")) }
    }
}

/// What a module may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory. 1 GiB unless told otherwise: several times what the module's own bounds allow it for
    /// a few hundred hosts, and a quarter of what WebAssembly could ask for.
    pub memory: usize,
    /// Time a single call may take. 60 s unless told otherwise: a batch takes milliseconds.
    pub batch_time: Duration,
    /// After how many events a snapshot is taken. With `snapshot_bytes` it bounds what must be replayed, and kept.
    pub snapshot_events: u64,
    /// After how many bytes of batches a snapshot is taken.
    pub snapshot_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 1024 * 1024 * 1024,
            batch_time: Duration::from_secs(60),
            snapshot_events: 100_000,
            snapshot_bytes: 24 * 1024 * 1024,
        }
    }
}

impl Limits {
    /// The time limit in ticks of the engine's clock.
    pub(super) fn ticks(&self) -> u64 {
        let ticks = self.batch_time.as_millis().div_ceil(TICK.as_millis());
        // One more, because the first tick may come at once.
        u64::try_from(ticks).unwrap_or(u64::MAX).saturating_add(1)
    }
}

/// An engine. Dropping it ends its clock.
#[derive(Debug)]
pub struct Engine {
    pub(super) inner: wasmtime::Engine,
    // Dropped with the engine: the clock's thread sees that and ends.
    _clock: Sender<()>,
}

impl Engine {
    /// Sets up an engine and starts its clock.
    ///
    /// # Errors
    /// Where this machine cannot run WebAssembly. A cache folder that cannot be used is no error.
    pub fn new(options: &EngineOptions) -> Result<Self, HostError> {
        let mut config = backchannel_compile::configuration();
        // Threads that compile leave their memory behind, a hundred megabytes; where the result is kept it is needed once.
        config.parallel_compilation(options.cache.is_none());
        if let Some(folder) = &options.cache {
            let mut cache = wasmtime::CacheConfig::new();
            cache.with_directory(folder);
            if let Ok(cache) = wasmtime::Cache::new(cache) {
                config.cache(Some(cache));
            }
        }
        let inner = wasmtime::Engine::new(&config).map_err(|error| HostError::Engine(format!("{error:#}")))?;
        let (clock, ended) = channel::<()>();
        let ticking = inner.weak();
        std::thread::Builder::new()
            .name("module-clock".into())
            .spawn(move || {
                while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                    let Some(engine) = ticking.upgrade() else { return };
                    engine.increment_epoch();
                }
            })
            .map_err(|error| HostError::Engine(format!("no thread for its clock: {error}")))?;
        Ok(Self { inner, _clock: clock })
    }

    /// The engine of wasmtime: for taking up a component that was compiled earlier
    /// ([`Module::from_component`](super::Module::from_component)).
    pub fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner
    }
}

fn user_cache() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if cfg!(windows) {
        return folder("LOCALAPPDATA");
    }
    if let Some(folder) = folder("XDG_CACHE_HOME") {
        return Some(folder);
    }
    let home = folder("HOME")?;
    Some(if cfg!(target_os = "macos") { home.join("Library").join("Caches") } else { home.join(".cache") })
}
