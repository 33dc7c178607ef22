//! Everything about a component before anyone trusts it: digest, size, imports, exports, role, memory, manifest.

use crate::failure::LoadError;
use crate::host::Host;
use crate::limits::Limits;
use crate::load::{check_imports, compile, exports, imports, memory_bytes, role_of};
use crate::manifest::{Manifest, Role};
use renewd_core::ids::Digest;
use serde::{Deserialize, Serialize};

/// What a component needs from the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemoryNeed {
    /// Memories.
    pub memories: u32,
    /// Bytes of the largest of them.
    pub largest_bytes: u64,
    /// Tables.
    pub tables: u32,
    /// Elements of the largest of them.
    pub largest_table: u64,
}

/// What `inspect` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    /// Digest of the bytes.
    pub digest: Digest,
    /// Size of the component, bytes.
    pub bytes: u64,
    /// What it can be loaded for; none when no interface of renewd is exported.
    pub role: Option<Role>,
    /// The world it fits, such as `renewd:plugin/pricing-plugin@1.0.0`.
    pub world: Option<String>,
    /// Imported names.
    pub imports: Vec<String>,
    /// Exported names.
    pub exports: Vec<String>,
    /// What it needs from the start, where that can be told.
    pub memory: Option<MemoryNeed>,
    /// What it says of itself; none when it was refused.
    pub manifest: Option<Manifest>,
    /// Why it would be refused, and the next step.
    pub refused: Option<String>,
    /// The next step after a refusal.
    pub hint: Option<String>,
}

pub(crate) fn inspect(host: &Host, bytes: &[u8]) -> Result<Inspection, LoadError> {
    let inner = host.inner();
    let limits = Limits::default();
    let compiled = compile(inner, bytes, &limits)?;
    let (imports, exports) = (imports(inner, &compiled.component), exports(inner, &compiled.component));
    let found = role_of(&exports);
    let manifest = match &found {
        Ok((role, _)) => check_imports(&imports, *role).and_then(|()| manifest(host, bytes, *role, limits)),
        Err(error) => Err(error.clone()),
    };
    let memory = compiled.component.resources_required().map(|need| MemoryNeed {
        memories: need.num_memories,
        largest_bytes: memory_bytes(need.max_initial_memory_size),
        tables: need.num_tables,
        largest_table: need.max_initial_table_size.unwrap_or(0),
    });
    Ok(Inspection {
        digest: compiled.digest,
        bytes: bytes.len() as u64,
        role: found.as_ref().ok().map(|(role, _)| *role),
        world: found.ok().map(|(role, version)| version.name(&format!("{role}-plugin"))),
        imports,
        exports,
        memory,
        refused: manifest.as_ref().err().map(ToString::to_string),
        hint: manifest.as_ref().err().map(|error| error.hint().to_owned()),
        manifest: manifest.ok(),
    })
}

fn manifest(host: &Host, bytes: &[u8], role: Role, limits: Limits) -> Result<Manifest, LoadError> {
    match role {
        Role::Pricing => host.load_pricing(bytes, limits).map(|plugin| plugin.manifest().clone()),
        Role::Payment => host.load_payment(bytes, limits).map(|plugin| plugin.manifest().clone()),
    }
}
