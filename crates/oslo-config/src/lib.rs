//! oslo.config: declared options, and their values from the command line, the environment and INI files.
//!
//! A program declares its options in tables of [`option`], and hands them in. [`Files`] finds and [`ini`] parses the
//! files; an [`Evaluator`] takes each option from its strongest source and resolves `$references`; [`Effective`] holds
//! the values with their sources, and shows them. [`sample()`] writes a file with every option in it.

mod effective;
mod evaluate;
mod files;
pub mod ini;
pub mod option;
mod sample;
mod setting;
mod show;
mod template;

pub use effective::{Effective, Section};
pub use evaluate::{CliValue, Evaluator, Sources};
pub use files::{File, Files};
pub use sample::sample;
pub use setting::{Setting, Source};
