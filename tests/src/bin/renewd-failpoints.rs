//! The `renewd` command with its failpoints compiled in: `RENEWD_FAILPOINT=name[:n]` ends it at a named boundary. For
//! crash tests only; the product itself is never built this way.

fn main() -> std::process::ExitCode {
    renewd_cli::run(std::env::args_os())
}
