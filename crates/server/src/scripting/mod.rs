//! Lua scripts: EVAL and its kin, and functions. A script is a transaction whose commands are decided as it runs: its
//! effects are propagated together, never the script itself.
//!
//! - `interpreter` prepares Lua and its globals (`sandbox.lua`), `api` is what `redis.*` does, `convert` turns replies
//!   into Lua values and back;
//! - `cjson`, `cmsgpack`, `structs` and `bits` are the libraries scripts know;
//! - `shebang` reads the first line of a script, `run` runs one, `functions` keeps the libraries of FUNCTION LOAD.

mod api;
mod arguments;
mod bits;
mod cjson;
mod cmsgpack;
mod convert;
mod current;
mod functions;
mod interpreter;
mod raise;
mod random;
mod run;
mod shebang;
mod structs;

pub(crate) use functions::{Functions, Library, RestorePolicy};
pub(crate) use run::{Running, ScriptCache, sha1_hex};

use interpreter::Interpreter;

/// Everything about scripts that a node keeps.
#[derive(Default)]
pub struct Scripting {
    /// Made when the first script comes.
    eval: Option<Interpreter>,
    pub(crate) cache: ScriptCache,
    pub(crate) functions: Functions,
    /// `math.random` of all scripts.
    random: random::Rand48,
    /// The script that runs now.
    pub(crate) running: Option<Running>,
}

/// What scripts take, in bytes, and how many there are.
pub(crate) struct ScriptMemory {
    /// The interpreter of EVAL.
    pub(crate) eval_vm: usize,
    /// The texts of cached scripts.
    pub(crate) cached: usize,
    pub(crate) cached_count: usize,
    /// The interpreter of functions.
    pub(crate) functions_vm: usize,
    /// The code of libraries.
    pub(crate) libraries: usize,
    pub(crate) libraries_count: usize,
    pub(crate) functions_count: usize,
}

impl ScriptMemory {
    pub(crate) fn of(scripting: &Scripting) -> ScriptMemory {
        let functions = &scripting.functions;
        ScriptMemory {
            eval_vm: scripting.eval.as_ref().map_or(0, Interpreter::used_bytes),
            cached: scripting.cache.bytes(),
            cached_count: scripting.cache.len(),
            functions_vm: functions.vm_bytes(),
            libraries: functions.code_bytes(),
            libraries_count: functions.libraries().len(),
            functions_count: functions.count(),
        }
    }
}
