//! A component that can be started, with its interface's functions found by name: the same code serves every published
//! version, because WebAssembly compares types by their structure.
//!
//! INVARIANT (types-are-checked): [`Started::call`] compares the types of a function before every call, and loading a
//! plugin compares those of all its functions.

use crate::call::CallState;
use crate::failure::LoadError;
use crate::version::Version;
use std::collections::BTreeMap;
use wasmtime::component::{Component, ComponentExportIndex, ComponentNamedList, Instance, InstancePre, Lift, Lower};
use wasmtime::{Engine, Store};

/// A linked component and where its functions are.
#[derive(Clone)]
pub(crate) struct Exports {
    pre: InstancePre<CallState>,
    pub(crate) version: Version,
    functions: BTreeMap<&'static str, ComponentExportIndex>,
}

/// One instance of it, in one call's store.
pub(crate) struct Started<'a> {
    instance: Instance,
    exports: &'a Exports,
}

impl Exports {
    /// Finds the functions of an interface.
    ///
    /// # Errors
    /// One of them is missing.
    pub(crate) fn find(
        pre: InstancePre<CallState>,
        component: &Component,
        version: Version,
        interface: &str,
        names: &[&'static str],
    ) -> Result<Self, LoadError> {
        let name = version.name(interface);
        let missing = |what: &str| LoadError::Interface(format!("`{name}` has no function `{what}`"));
        let exported = component.get_export_index(None, &name).ok_or(LoadError::NoInterface)?;
        let mut functions = BTreeMap::new();
        for function in names {
            let index = component.get_export_index(Some(&exported), function).ok_or_else(|| missing(function))?;
            functions.insert(*function, index);
        }
        Ok(Self { pre, version, functions })
    }

    /// The engine that it was compiled for.
    pub(crate) fn engine(&self) -> &Engine {
        self.pre.engine()
    }

    /// Starts it.
    pub(crate) fn start(&self, store: &mut Store<CallState>) -> wasmtime::Result<Started<'_>> {
        Ok(Started { instance: self.pre.instantiate(store)?, exports: self })
    }
}

impl Started<'_> {
    /// The version that the component was built for.
    pub(crate) fn version(&self) -> Version {
        self.exports.version
    }

    /// Calls a function of the interface.
    pub(crate) fn call<P, R>(&self, store: &mut Store<CallState>, function: &str, params: P) -> wasmtime::Result<R>
    where
        P: ComponentNamedList + Lower,
        (R,): ComponentNamedList + Lift,
    {
        let typed = self.instance.get_typed_func::<P, (R,)>(&mut *store, self.index(function)?)?;
        typed.call(store, params).map(|(answer,)| answer)
    }

    /// Whether a function has these types.
    pub(crate) fn has<P, R>(&self, store: &mut Store<CallState>, function: &str) -> wasmtime::Result<()>
    where
        P: ComponentNamedList + Lower,
        (R,): ComponentNamedList + Lift,
    {
        let typed = self.instance.get_typed_func::<P, (R,)>(store, self.index(function)?);
        typed.map(drop).map_err(|error| error.context(format!("function `{function}`")))
    }

    fn index(&self, function: &str) -> wasmtime::Result<&ComponentExportIndex> {
        let index = self.exports.functions.get(function);
        index.ok_or_else(|| wasmtime::Error::msg(format!("this version has no function `{function}`")))
    }
}
