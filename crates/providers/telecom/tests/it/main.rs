//! Stories told with the carriers' stand-ins.

mod http;
mod smpp;
