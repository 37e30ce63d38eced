//! Compat scripts, a file for each of Redis's command groups; `tests::compat` says how to write one.

mod command;
mod string;
