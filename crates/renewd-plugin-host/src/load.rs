//! From bytes to a plugin: size, compilation, imports, exports, types, manifest, in this order.
//!
//! INVARIANT (nothing-else-linked): a linker holds `types`, `log`, and for payment `http`; another import is refused by name.

use crate::call::CallState;
use crate::exports::Exports;
use crate::failure::LoadError;
use crate::host::Inner;
use crate::limits::Limits;
use crate::manifest::Role;
use crate::payment::PaymentPlugin;
use crate::pricing::PricingPlugin;
use crate::version::{PACKAGE, Version};
use crate::{guest_http, guest_log};
use renewd_core::ids::Digest;
use wasmtime::component::{Component, Linker};

/// The header of a component and of a core module.
const COMPONENT_HEADER: [u8; 8] = *b"\0asm\x0d\0\x01\0";
const MODULE_HEADER: [u8; 8] = *b"\0asm\x01\0\0\0";

/// A compiled component with the digest of its bytes.
pub(crate) struct Compiled {
    pub(crate) component: Component,
    pub(crate) digest: Digest,
}

pub(crate) fn pricing(inner: &Inner, bytes: &[u8], limits: Limits) -> Result<PricingPlugin, LoadError> {
    let compiled = compile(inner, bytes, &limits)?;
    let exports = link(inner, &compiled.component, Role::Pricing, &limits)?;
    PricingPlugin::new(exports, compiled.digest, limits)
}

pub(crate) fn payment(inner: &Inner, bytes: &[u8], limits: Limits) -> Result<PaymentPlugin, LoadError> {
    let compiled = compile(inner, bytes, &limits)?;
    let exports = link(inner, &compiled.component, Role::Payment, &limits)?;
    PaymentPlugin::new(exports, compiled.digest, limits)
}

/// Bounds the size, then compiles, or takes the kept artefact.
pub(crate) fn compile(inner: &Inner, bytes: &[u8], limits: &Limits) -> Result<Compiled, LoadError> {
    if bytes.len() > limits.component_bytes {
        return Err(LoadError::TooLarge { bytes: bytes.len(), most: limits.component_bytes });
    }
    if bytes.starts_with(&MODULE_HEADER) {
        return Err(LoadError::CoreModule);
    }
    if !bytes.starts_with(&COMPONENT_HEADER) {
        return Err(LoadError::NotWasm);
    }
    let digest = Digest::of(bytes);
    let component = inner.artefacts.component(&inner.engine, &digest, bytes)?;
    Ok(Compiled { component, digest })
}

/// The names of a component's imports, in its order.
pub(crate) fn imports(inner: &Inner, component: &Component) -> Vec<String> {
    component.component_type().imports(&inner.engine).map(|(name, _)| name.to_owned()).collect()
}

/// The names of a component's exports, in its order.
pub(crate) fn exports(inner: &Inner, component: &Component) -> Vec<String> {
    component.component_type().exports(&inner.engine).map(|(name, _)| name.to_owned()).collect()
}

/// Refuses the first import that the role does not have.
pub(crate) fn check_imports(imports: &[String], role: Role) -> Result<(), LoadError> {
    match imports.iter().find(|import| !is_linked(import, role)) {
        Some(import) => Err(LoadError::ForeignImport { import: crate::text::excerpt(import), role }),
        None => Ok(()),
    }
}

/// The role and version that a component's exports give it.
///
/// # Errors
/// Neither interface is exported, or one of another version.
pub(crate) fn role_of(exports: &[String]) -> Result<(Role, Version), LoadError> {
    for version in Version::ALL {
        for role in [Role::Pricing, Role::Payment] {
            if exports.contains(&version.name(role.as_str())) {
                return Ok((role, version));
            }
        }
    }
    let of_package = |export: &&String| export.starts_with(&format!("{PACKAGE}/"));
    match exports.iter().find(of_package) {
        Some(found) => Err(LoadError::OtherVersion { found: crate::text::excerpt(found), served: Version::SERVED }),
        None => Err(LoadError::NoInterface),
    }
}

fn link(inner: &Inner, component: &Component, role: Role, limits: &Limits) -> Result<Exports, LoadError> {
    let exported = exports(inner, component);
    check_imports(&imports(inner, component), role)?;
    let of_role = |version: &Version| exported.contains(&version.name(role.as_str()));
    let Some(version) = Version::ALL.into_iter().find(of_role) else {
        role_of(&exported)?;
        return Err(LoadError::WrongRole { wanted: role });
    };
    check_memory(component, limits)?;
    let interface_error = |error: wasmtime::Error| LoadError::Interface(format!("{error:#}"));
    let linker = linker(inner, role).map_err(interface_error)?;
    let pre = linker.instantiate_pre(component).map_err(interface_error)?;
    let functions = match role {
        Role::Pricing => PricingPlugin::FUNCTIONS.as_slice(),
        Role::Payment => PaymentPlugin::functions(version),
    };
    Exports::find(pre, component, version, role.as_str(), functions)
}

fn linker(inner: &Inner, role: Role) -> wasmtime::Result<Linker<CallState>> {
    let mut linker = Linker::new(&inner.engine);
    for version in Version::ALL {
        linker.instance(&version.name("types"))?;
        guest_log::link(&mut linker, version)?;
        if role == Role::Payment {
            guest_http::link(&mut linker, version)?;
        }
    }
    Ok(linker)
}

fn check_memory(component: &Component, limits: &Limits) -> Result<(), LoadError> {
    let needed = memory_bytes(component.resources_required().and_then(|needed| needed.max_initial_memory_size));
    if needed > limits.memory_bytes as u64 {
        return Err(LoadError::MemoryNeed { bytes: needed, most: limits.memory_bytes });
    }
    Ok(())
}

/// wasmtime counts initial memory in pages of 64 KiB.
pub(crate) fn memory_bytes(pages: Option<u64>) -> u64 {
    pages.unwrap_or(0).saturating_mul(65_536)
}

fn is_linked(import: &str, role: Role) -> bool {
    let allowed: &[&str] = match role {
        Role::Pricing => &["types", "log"],
        Role::Payment => &["types", "log", "http"],
    };
    let is_it = |name: &&str| Version::ALL.iter().any(|version| version.name(name) == import);
    allowed.iter().any(is_it)
}
