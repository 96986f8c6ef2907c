//! Loading and inspecting a module: validation against the contract, and compilation.

use std::sync::Arc;

use wasmtime::component::{Component, types::ComponentItem};

use super::{About, AnalyticEntry, CONTRACT, Engine, HostError, Limits, Sections, baked::filter, sections, v0_1};

/// A compiled module. Cheap to clone; many detectors can be opened from one.
#[derive(Clone)]
pub struct Module {
    pub(super) inner: Arc<Loaded>,
}

/// State shared by all detectors of a module.
pub(super) struct Loaded {
    pub(super) engine: Arc<Engine>,
    pub(super) pre: v0_1::Pre,
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module").finish_non_exhaustive()
    }
}

impl Module {
    /// Loads a module: a WebAssembly component that imports nothing and implements [`CONTRACT`].
    ///
    /// # Errors
    /// [`HostError::Refused`], with the reason.
    pub fn load(engine: &Arc<Engine>, bytes: &[u8]) -> Result<Self, HostError> {
        Self::from_component(engine, compile(engine, bytes)?)
    }

    /// As [`load`](Self::load), for a component that was compiled earlier, for this engine.
    ///
    /// # Errors
    /// [`HostError::Refused`], with the reason.
    pub fn from_component(engine: &Arc<Engine>, component: Component) -> Result<Self, HostError> {
        let (imports, exports) = surface(engine, &component);
        if !imports.is_empty() {
            return Err(HostError::Refused(format!(
                "it imports {}; a module of Backchannel imports nothing, so that it has no access to the machine",
                list(&imports)
            )));
        }
        check_contract(&exports)?;
        let pre = v0_1::prepare(&engine.inner, &component).map_err(|error| {
            HostError::Refused(format!("it names the contract {CONTRACT}, but its exports have other types: {error:#}"))
        })?;
        Ok(Self { inner: Arc::new(Loaded { engine: Arc::clone(engine), pre }) })
    }

    /// The module's description of itself.
    ///
    /// # Errors
    /// If the call fails.
    pub fn describe(&self, limits: &Limits) -> Result<About, HostError> {
        self.instance(limits)?.describe().map_err(HostError::Lost)
    }

    /// The analytics of the module, by family and id.
    ///
    /// # Errors
    /// If the call fails.
    pub fn analytics(&self, limits: &Limits) -> Result<Vec<AnalyticEntry>, HostError> {
        self.instance(limits)?.analytics().map_err(HostError::Lost)
    }

    pub(super) fn instance(&self, limits: &Limits) -> Result<v0_1::Instance, HostError> {
        v0_1::Instance::new(&self.inner.engine.inner, &self.inner.pre, limits).map_err(HostError::Lost)
    }
}

/// Imports and exports of a component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportExport {
    /// Names of the imports.
    pub imports: Vec<String>,
    /// Names of the exports.
    pub exports: Vec<String>,
}

/// Properties of a module, found without trusting it.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// Size in bytes.
    pub size: usize,
    /// Imports and exports.
    pub surface: ImportExport,
    /// Content of its custom sections: what was baked in, whether it is signed. It is not verified.
    pub sections: Sections,
    /// Its description, if it implements our contract or is a filter for Fluent Bit; otherwise the reason for rejecting
    /// it.
    pub about: Result<About, String>,
    /// Number of analytics; `None` if it has no function that returns them.
    pub analytics: Option<usize>,
}

/// Inspects a module: a component, or a core module as Fluent Bit loads it.
///
/// # Errors
/// [`HostError::Refused`] if the bytes are neither.
pub fn inspect(engine: &Arc<Engine>, bytes: &[u8], limits: &Limits) -> Result<Inspection, HostError> {
    let sections = sections(bytes);
    if bytes.starts_with(&CORE) {
        let (surface, about) = filter(bytes, &sections);
        return Ok(Inspection { size: bytes.len(), surface, sections, about, analytics: None });
    }
    let component = compile(engine, bytes)?;
    let (imports, exports) = surface(engine, &component);
    let module = Module::load(engine, bytes);
    let about =
        module.as_ref().map_err(ToString::to_string).and_then(|m| m.describe(limits).map_err(|e| e.to_string()));
    let analytics = module.ok().and_then(|m| m.analytics(limits).ok()).map(|list| list.len());
    let surface = ImportExport { imports, exports };
    Ok(Inspection { size: bytes.len(), surface, sections, about, analytics })
}

/// The first bytes of a component.
const COMPONENT: [u8; 8] = *b"\0asm\x0d\0\x01\0";
/// The first bytes of a core module.
const CORE: [u8; 8] = *b"\0asm\x01\0\0\0";

fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, HostError> {
    if bytes.starts_with(&CORE) {
        return Err(HostError::Refused(
            "it is a core WebAssembly module (the kind that Fluent Bit loads); a component is expected".into(),
        ));
    }
    if !bytes.starts_with(&COMPONENT) {
        return Err(HostError::Refused("it is not a WebAssembly component".into()));
    }
    Component::new(&engine.inner, bytes).map_err(|error| {
        HostError::Refused(format!("it is damaged, or needs features that this host lacks: {error:#}"))
    })
}

fn surface(engine: &Engine, component: &Component) -> (Vec<String>, Vec<String>) {
    let of = component.component_type();
    // An imported type gives the module no access; a function or instance would.
    let imports = of
        .imports(&engine.inner)
        .filter(|(_, item)| !matches!(item.ty, ComponentItem::Type(_)))
        .map(|(name, _)| name.to_owned());
    let exports = of.exports(&engine.inner).map(|(name, _)| name.to_owned());
    (imports.collect(), exports.collect())
}

fn check_contract(exports: &[String]) -> Result<(), HostError> {
    let (package, version) = CONTRACT.split_once('@').unwrap_or((CONTRACT, ""));
    let wanted = format!("{package}/detector@{version}");
    if exports.contains(&wanted) {
        return Ok(());
    }
    let other = exports.iter().find_map(|name| name.strip_prefix(&format!("{package}/detector@")));
    Err(HostError::Refused(match other {
        Some(other) => format!("it implements {package}@{other}; this host supports {CONTRACT}"),
        None if exports.is_empty() => format!("it exports nothing; {wanted} is expected"),
        None => format!("it exports {}; {wanted} is expected", list(exports)),
    }))
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut text = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}
