//! A payment gateway for tests and benchmarks, as a process: `renewd-bank --ledgers DIR [--port N] [--latency MS]
//! [--fates RULES] [--created UNIX-SECONDS] [--until-input-ends]`. See `renewd_tests::bank`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for tests that says where it listens")]

use renewd_tests::bank::server::{Setup, serve};
use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn main() -> ExitCode {
    match setup().and_then(|setup| serve(setup, listening).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn listening(port: u16) {
    println!("listening on {port}");
    _ = std::io::stdout().flush();
}

#[expect(clippy::disallowed_methods, reason = "the gateway has a clock of its own, as gateways do")]
fn unix_seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0))
}

fn setup() -> Result<Setup, String> {
    let mut setup =
        Setup { folder: ".".into(), port: 0, fates: String::new(), latency: Duration::ZERO, created: unix_seconds() };
    let mut args = std::env::args().skip(1);
    while let Some(option) = args.next() {
        if option == "--until-input-ends" {
            std::thread::spawn(end_with_input);
            continue;
        }
        let value = args.next().ok_or_else(|| format!("`{option}` needs a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("`{value}` is no number"));
        match option.as_str() {
            "--ledgers" => setup.folder = value.clone().into(),
            "--fates" => setup.fates = value.clone(),
            "--port" => setup.port = u16::try_from(number()?).map_err(|_| format!("`{value}` is no port"))?,
            "--latency" => setup.latency = Duration::from_millis(number()?),
            "--created" => setup.created = i64::try_from(number()?).map_err(|_| format!("`{value}` is no time"))?,
            _ => return Err(format!("`{option}` is no option")),
        }
    }
    setup.fates.parse::<renewd_tests::bank::Rules>()?;
    Ok(setup)
}

/// Whoever started the gateway holds its input open; when it is gone, so is the gateway.
fn end_with_input() {
    _ = std::io::stdin().read_to_end(&mut Vec::new());
    std::process::exit(0);
}
