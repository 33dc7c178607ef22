//! The `renewd` command.

fn main() -> std::process::ExitCode {
    renewd_cli::run(std::env::args_os())
}
