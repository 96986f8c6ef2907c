//! Pre-initialises a core module: calls its function that stores settings and a baseline, then writes its memory as a
//! new module.

use wasmtime::{Config, Engine, Instance, Linker, Module, OptLevel, Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wizer::Wizer;

use crate::snapshot::{Live, ready};
use crate::{BakeError, Site};

/// Upper bound of the module's memory: protects against settings or a baseline of excessive size.
const MEMORY: usize = 1024 * 1024 * 1024;

pub(crate) type BakeStore = Store<StoreLimits>;

/// Instantiates a module, runs `call`, which calls its function `init`, and writes its memory as a module without that
/// function. `call` returns whether the module accepted its input.
pub(crate) fn run(
    module: &[u8],
    init: &str,
    call: impl FnOnce(&mut BakeStore, &Instance) -> wasmtime::Result<bool>,
) -> Result<Vec<u8>, BakeError> {
    let mut wizer = Wizer::new();
    wizer.init_func(init);
    let failed = |error: wasmtime::Error| BakeError::Module(format!("{error:#}"));
    let (context, instrumented) = wizer.instrument(module).map_err(failed)?;
    let (mut store, instance) = instantiate(&instrumented).map_err(failed)?;
    if !call(&mut store, &instance).map_err(failed)? {
        return Err(BakeError::Rejected);
    }
    let mut live = Live { store, instance };
    let baked = ready(wizer.snapshot(&context, &mut live));
    baked.unwrap_or_else(|| wasmtime::bail!("its memory cannot be read")).map_err(failed)
}

fn instantiate(module: &[u8]) -> wasmtime::Result<(BakeStore, Instance)> {
    // The code runs once: compiling it quickly matters more than fast code.
    let engine = Engine::new(Config::new().cranelift_opt_level(OptLevel::None))?;
    let module = Module::new(&engine, module)?;
    let limits = StoreLimitsBuilder::new().memory_size(MEMORY).trap_on_grow_failure(true).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    let mut linker = Linker::new(&engine);
    // The resource tables, which only a component has. Baking uses no resources.
    linker.define_unknown_imports_as_traps(&module)?;
    let instance = linker.instantiate(&mut store, &module)?;
    Ok((store, instance))
}

/// Calls `bake: func(settings: option<string>, baseline: option<list<u8>>) -> bool` with the component model's
/// canonical ABI: an option is a discriminant and its value; a string or a list is an address and a length, in memory
/// allocated with `cabi_realloc` and owned by the callee.
pub(crate) fn component(store: &mut BakeStore, instance: &Instance, site: &Site<'_>) -> wasmtime::Result<bool> {
    let realloc = instance.get_typed_func::<(u32, u32, u32, u32), u32>(&mut *store, "cabi_realloc")?;
    let mut given = |bytes: Option<&[u8]>| -> wasmtime::Result<(u32, u32, u32)> {
        match bytes {
            None => Ok((0, 0, 0)),
            // Nothing is allocated for an empty list; any aligned, non-null address is valid.
            Some([]) => Ok((1, 1, 0)),
            Some(bytes) => {
                let length = u32::try_from(bytes.len())?;
                let at = realloc.call(&mut *store, (0, 0, 1, length))?;
                write(store, instance, at, bytes)?;
                Ok((1, at, length))
            }
        }
    };
    let settings = given(site.settings.map(|settings| settings.json.as_bytes()))?;
    let baseline = given(site.baseline)?;
    let bake = instance.get_typed_func::<(u32, u32, u32, u32, u32, u32), u32>(&mut *store, "bake")?;
    let taken = bake.call(store, (settings.0, settings.1, settings.2, baseline.0, baseline.1, baseline.2))?;
    Ok(taken != 0)
}

/// Calls `backchannel_open(settings, length, baseline, length)` of a filter, with memory from its `malloc`; address 0
/// means not given. It returns the number of mistakes.
pub(crate) fn filter(store: &mut BakeStore, instance: &Instance, site: &Site<'_>) -> wasmtime::Result<bool> {
    let malloc = instance.get_typed_func::<u32, u32>(&mut *store, "malloc")?;
    let free = instance.get_typed_func::<u32, ()>(&mut *store, "free")?;
    let mut given = |bytes: Option<&[u8]>| -> wasmtime::Result<(u32, u32)> {
        let Some(bytes) = bytes else { return Ok((0, 0)) };
        let length = u32::try_from(bytes.len())?;
        let at = malloc.call(&mut *store, length)?;
        write(store, instance, at, bytes)?;
        Ok((at, length))
    };
    let settings = given(site.settings.map(|settings| settings.json.as_bytes()))?;
    let baseline = given(site.baseline)?;
    let open = instance.get_typed_func::<(u32, u32, u32, u32), u32>(&mut *store, "backchannel_open")?;
    let mistakes = open.call(&mut *store, (settings.0, settings.1, baseline.0, baseline.1))?;
    for (at, _) in [baseline, settings] {
        free.call(&mut *store, at)?;
    }
    Ok(mistakes == 0)
}

fn write(store: &mut BakeStore, instance: &Instance, at: u32, bytes: &[u8]) -> wasmtime::Result<()> {
    let memory = instance.get_memory(&mut *store, "memory");
    let memory = memory.ok_or_else(|| wasmtime::Error::msg("it exports no memory"))?;
    Ok(memory.write(store, at as usize, bytes)?)
}
