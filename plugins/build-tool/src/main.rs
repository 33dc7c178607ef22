//! `build-tool MODULE COMPONENT`: wraps a core module, as wit-bindgen left it, into a component without debug names.

use std::process::ExitCode;
use std::{env, fs, io};
use wit_component::ComponentEncoder;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [module, component] => wrap(module, component),
        _ => Err("usage: build-tool MODULE COMPONENT".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            use io::Write;
            let _ = writeln!(io::stderr(), "error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn wrap(module: &str, component: &str) -> Result<(), String> {
    let bytes = fs::read(module).map_err(|error| format!("cannot read `{module}`: {error}"))?;
    let mut encoder = ComponentEncoder::default();
    let wrapped = encoder.validate(true).module(&bytes).and_then(|encoder| encoder.encode());
    let wrapped = wrapped.map_err(|error| format!("cannot wrap `{module}`: {error:#}"))?;
    fs::write(component, wrapped).map_err(|error| format!("cannot write `{component}`: {error}"))
}
