//! What can go wrong with a plugin, one type for each moment: making the host, loading a plugin, calling it.

use crate::invalid_output::InvalidOutput;
use crate::manifest::Role;
use serde::{Deserialize, Serialize};

/// The host itself cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The engine refuses this machine or these settings.
    #[error("cannot start the WebAssembly engine: {0}")]
    Engine(String),
}

/// A component was refused before it was ever asked for anything that matters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// More bytes than a component may have.
    #[error("the component has {bytes} bytes, and at most {most} are accepted")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// The bytes are no WebAssembly at all.
    #[error("the file is not a WebAssembly component")]
    NotWasm,
    /// A core module, not a component.
    #[error("the file is a core WebAssembly module, not a component")]
    CoreModule,
    /// It does not validate or compile.
    #[error("the component is not valid: {0}")]
    Invalid(String),
    /// It wants something that is not linked.
    #[error("the plugin imports `{import}`, which renewd does not give to a {role} plugin")]
    ForeignImport {
        /// The first import that is refused.
        import: String,
        /// The role it was loaded for.
        role: Role,
    },
    /// It exports neither interface.
    #[error("the component exports neither `renewd:plugin/pricing` nor `renewd:plugin/payment`")]
    NoInterface,
    /// It was built for another version of the interface.
    #[error("the plugin was built for `{found}`, and this renewd serves {served}")]
    OtherVersion {
        /// The export's name.
        found: String,
        /// The versions served here.
        served: &'static str,
    },
    /// It is a plugin for the other role.
    #[error("the plugin has no {wanted} interface, so it cannot be used for {wanted}")]
    WrongRole {
        /// The role it was loaded for.
        wanted: Role,
    },
    /// Names fit, but a type does not.
    #[error("the plugin's interface differs from renewd's: {0}")]
    Interface(String),
    /// It needs more memory from the start than it may have.
    #[error("the plugin starts with {bytes} bytes of memory, and at most {most} are granted")]
    MemoryNeed {
        /// Initial memory.
        bytes: u64,
        /// The limit.
        most: usize,
    },
    /// `describe` failed.
    #[error("the plugin cannot describe itself: {0}")]
    Describe(PluginFailure),
    /// The manifest breaks a rule.
    #[error("the plugin's manifest is not acceptable: {0}")]
    Manifest(InvalidOutput),
}

impl LoadError {
    /// The next step for the person who wants to use the plugin.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => {
                "build it smaller: optimise for size, strip it, and leave out what it does not use"
            }
            Self::NotWasm => "name the built `.wasm` file of the plugin",
            Self::CoreModule => "turn it into a component with `wasm-tools component new FILE -o OUT`",
            Self::Invalid(_) | Self::Interface(_) => {
                "build it against the WIT files that this renewd prints with `renewd plugin new`"
            }
            Self::ForeignImport { .. } => {
                "build it without that import: Rust for `wasm32-unknown-unknown`, JavaScript with `--backend-qjs-stub-wasi` or all features \
                 disabled, Python with `--stub-wasi`; only a payment plugin may import `renewd:plugin/http`"
            }
            Self::NoInterface => "export the world `pricing-plugin` or `payment-plugin` of `renewd:plugin`",
            Self::OtherVersion { .. } => "build it against the version that this renewd serves, or use a newer renewd",
            Self::WrongRole { .. } => "correct `role` in the `Plugin` document, or name another file",
            Self::MemoryNeed { .. } => {
                "link it with a smaller stack (`-zstack-size=65536`), or raise `limits.memory` of the `Plugin` document"
            }
            Self::Describe(failure) => failure.hint(),
            Self::Manifest(_) => "correct what `describe` answers",
        }
    }
}

/// A call came to nothing. The plugin can be called again: the next call starts from a clean instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "failure", rename_all = "kebab-case")]
pub enum PluginFailure {
    /// The guest stopped itself or did what no program may.
    #[error("the plugin crashed: {what}")]
    Trap {
        /// The kind of crash.
        what: String,
    },
    /// The budget of operations is used up.
    #[error("the plugin used up its {budget} units of fuel")]
    OutOfFuel {
        /// Fuel that the call had.
        budget: u64,
    },
    /// The wall time is used up.
    #[error("the plugin did not answer within {milliseconds} ms")]
    Deadline {
        /// The limit.
        milliseconds: u64,
    },
    /// More memory than granted.
    #[error("the plugin asked for more than its {most} bytes of memory")]
    Memory {
        /// The limit over all memories.
        most: usize,
    },
    /// More tables, table elements, memories or instances than granted.
    #[error("the plugin asked for more {what} than the {most} it may have")]
    Count {
        /// Which count.
        what: String,
        /// The limit.
        most: usize,
    },
    /// Too deep a recursion.
    #[error("the plugin used up its stack")]
    Stack,
    /// Too many bytes in one crossing from guest to host.
    #[error("the plugin passed more than {most} bytes to renewd at once")]
    HostcallLimit {
        /// The limit of the call.
        most: usize,
    },
    /// The answer breaks a rule.
    #[error("{what}")]
    InvalidOutput {
        /// Which rule.
        what: InvalidOutput,
    },
    /// The engine could not start the guest.
    #[error("the plugin could not be started: {what}")]
    Start {
        /// What the engine says.
        what: String,
    },
}

impl PluginFailure {
    /// A short kebab-case word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Trap { .. } => "plugin-trap",
            Self::OutOfFuel { .. } => "plugin-out-of-fuel",
            Self::Deadline { .. } => "plugin-deadline",
            Self::Memory { .. } => "plugin-memory",
            Self::Count { .. } => "plugin-count",
            Self::Stack => "plugin-stack",
            Self::HostcallLimit { .. } => "plugin-hostcall-limit",
            Self::InvalidOutput { .. } => "plugin-invalid-output",
            Self::Start { .. } => "plugin-start",
        }
    }

    /// The next step.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Trap { .. } | Self::Stack | Self::InvalidOutput { .. } => {
                "this is a mistake in the plugin: run `renewd plugin test` on it, or pin an older build"
            }
            Self::OutOfFuel { .. } => {
                "look for an endless loop in the plugin, or raise `limits.fuel` of the `Plugin` document"
            }
            Self::Deadline { .. } => {
                "look for an endless loop in the plugin, or raise `limits.deadline` of the `Plugin` document"
            }
            Self::Memory { .. } => "raise `limits.memory` of the `Plugin` document if the plugin really needs more",
            Self::Count { .. } | Self::Start { .. } => "build the plugin as one component with one memory",
            Self::HostcallLimit { .. } => "the plugin answers or logs far too much: shorten its texts",
        }
    }
}
