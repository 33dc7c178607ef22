//! `renewd:plugin/http` as guests see it: fuel for what is copied, and time that does not count as the guest's own.

use crate::bindings::http::{HttpError, Request, Response};
use crate::call::{CallState, charge_fuel, grant_fuel};
use crate::version::Version;
use std::time::Instant;
use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

/// Links `http` for payment plugins.
pub(crate) fn link(linker: &mut Linker<CallState>, version: Version) -> wasmtime::Result<()> {
    linker.instance(&version.name("http"))?.func_wrap(
        "send",
        |mut store: StoreContextMut<'_, CallState>, (request,): (Request,)| {
            charge_fuel(&mut store, request.url.len().saturating_add(size(&request.headers, &request.body)))?;
            let begun = Instant::now();
            let state = store.data_mut();
            let limits = state.limits;
            let answer: Result<Response, HttpError> = state.door.send(&request, &limits);
            let ticks = state.after_waiting(begun.elapsed());
            store.set_epoch_deadline(ticks);
            let copied = answer.as_ref().map_or(0, |response| size(&response.headers, &response.body));
            grant_fuel(&mut store, answer.as_ref().map_or(0, |response| response.body.len()))?;
            charge_fuel(&mut store, copied)?;
            Ok((answer,))
        },
    )
}

fn size(headers: &[(String, String)], body: &[u8]) -> usize {
    let headers: usize = headers.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
    headers.saturating_add(body.len())
}
