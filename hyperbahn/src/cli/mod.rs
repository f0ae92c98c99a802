//! The command line: which command, which flags, which exit status.

mod call;
mod describe;
mod dev;
mod exit;
mod logs;
mod lookup;
mod mesh;
mod output;
mod routers;
mod serve;
mod signals;
mod table;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

use exit::Exit;
use mesh::{exits, instances, members, services};

/// Routes calls between services by name.
#[derive(Debug, Parser)]
#[command(name = "hyperbahn", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a router
    Serve(serve::ServeArgs),
    /// Run a mesh of routers with demo services, all in this process
    Dev(dev::DevArgs),
    /// Make one call
    Call(call::CallArgs),
    /// Show what a service can be asked
    Describe(describe::DescribeArgs),
    /// List the routers of the mesh
    Members(members::MembersArgs),
    /// List the routers that hold a service
    Exits(exits::ExitsArgs),
    /// List the processes that offer a service
    Instances(instances::InstancesArgs),
    /// List all services
    Services(services::ServicesArgs),
}

/// Does what `args` say, program name first.
pub(crate) fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Cli::try_parse_from(args) {
        Ok(cli) => run(cli.command).into(),
        Err(error) => refuse(&error).into(),
    }
}

fn run(command: Command) -> Exit {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return output::fail(format_args!("cannot start: {error}")),
    };
    let exit = runtime.block_on(async {
        match command {
            Command::Serve(args) => serve::run(args).await,
            Command::Dev(args) => dev::run(args).await,
            Command::Call(args) => call::run(args).await,
            Command::Describe(args) => describe::run(args).await,
            Command::Members(args) => members::run(args).await,
            Command::Exits(args) => exits::run(args).await,
            Command::Instances(args) => instances::run(args).await,
            Command::Services(args) => services::run(args).await,
        }
    });
    // Nobody waits for whoever may still be typing.
    runtime.shutdown_background();
    exit
}

/// With one processor there is nobody to share work with, and looking for it is not free.
fn runtime() -> std::io::Result<Runtime> {
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut builder = match processors {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.enable_all().build()
}

/// Help and version are no errors; clap's own status for the others means `cancelled` here.
fn refuse(error: &clap::Error) -> Exit {
    // Nothing is left to tell and nobody to tell it when the terminal is gone.
    let _ = error.print();
    match error.use_stderr() {
        true => Exit::Usage,
        false => Exit::Success,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_examples() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string);
            assert!(
                help.is_some_and(|help| help.contains("Examples:")),
                "{}",
                command.get_name()
            );
        }
    }
}
