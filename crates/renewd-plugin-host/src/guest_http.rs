//! `renewd:plugin/http`: the only way out. In this version every request is denied: nothing is ever sent.

use crate::bindings::http::{HttpError, Request, Response};
use crate::call::{CallState, charge_fuel};
use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

/// Links `http` for payment plugins.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    linker.instance("renewd:plugin/http@0.1.0")?.func_wrap(
        "send",
        |mut store: StoreContextMut<'_, CallState>, (request,): (Request,)| {
            let headers: usize =
                request.headers.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
            let bytes = request.url.len().saturating_add(headers).saturating_add(request.body.len());
            charge_fuel(&mut store, bytes)?;
            let denied = HttpError::Denied("no host is granted to this plugin".to_owned());
            Ok((Err::<Response, HttpError>(denied),))
        },
    )
}
