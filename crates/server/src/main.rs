use std::process::ExitCode;

use clap::Parser;

// Messages are made on one thread and freed on another, where glibc's allocator is slow: a seventh of an accept.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    server::cli::run(server::cli::Arguments::parse())
}
