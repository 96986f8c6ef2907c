//! The WebAssembly engine: its configuration, the cache of compiled code, and the clock that limits the time of calls.

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::HostError;

/// Period of the engine's clock: the precision of time limits.
const TICK: Duration = Duration::from_millis(50);

/// Options of the engine.
#[derive(Clone, Debug, Default)]
pub struct EngineOptions {
    /// Folder for cached compiled code; `None`: modules are compiled each time.
    pub cache: Option<PathBuf>,
}

impl EngineOptions {
    /// Caches compiled code in the user's cache folder, if there is one.
    pub fn with_user_cache() -> Self {
        Self { cache: user_cache().map(|folder| folder.join("backchannel").join("compiled")) }
    }
}

/// Resource limits of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory. Default 1 GiB: several times what the module's own bounds allow for a few hundred hosts,
    /// and a quarter of the maximum of WebAssembly.
    pub memory: usize,
    /// Time limit of a single call. Default 60 s; a batch takes milliseconds.
    pub batch_time: Duration,
    /// Number of events between snapshots. With `snapshot_bytes` it bounds what is kept and evaluated again after a
    /// failure.
    pub snapshot_events: u64,
    /// Bytes of batches between snapshots.
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
    // Dropped with the engine, which ends the clock's thread.
    _clock: Sender<()>,
}

impl Engine {
    /// Creates an engine and starts its clock.
    ///
    /// # Errors
    /// If WebAssembly cannot run on this machine. An unusable cache folder is not an error.
    pub fn new(options: &EngineOptions) -> Result<Self, HostError> {
        let mut config = backchannel_compile::configuration();
        // Threads that compile leave their memory behind, a hundred megabytes; where the result is kept it is needed
        // once.
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
            .map_err(|error| HostError::Engine(format!("the thread of its clock could not be started: {error}")))?;
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
