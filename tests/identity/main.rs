//! The built-in identity, spoken to over HTTP and from the command line, on every backend that is built in.

mod commands;
mod first_start;
mod house;
mod login;
mod malformed;
mod tokens;
