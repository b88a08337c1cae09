//! Parse, run, exit.

fn main() -> std::process::ExitCode {
    lbctl::commands::run(lbctl::cli::parse())
}
