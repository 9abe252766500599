//! hermod as a program: settings, wiring, the life of the process, the command line.
//!
//! `serve` reads top to bottom as that life: open the data directory and the database, wire the engine,
//! bind, work, and stop when told to.

pub mod cli;
pub mod introduce;
pub mod opening;
pub mod serve;
pub mod settings;
pub mod wiring;

mod accounts;
mod carriers;
mod digigo;
mod doctor;
mod http;
mod logs;
mod mounting;
mod secret;
mod telemetry;
