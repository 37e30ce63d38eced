//! A Lua interpreter with the globals that scripts know, and nothing they could change.
#![allow(
    unsafe_code,
    reason = "Lua's C API has no safe door to its debug library and to the read-only tables of our build"
)]

use super::{api, bits, cjson, cmsgpack, raise, structs};
use mlua::chunk::ChunkMode;
use mlua::ffi::{LUA_GLOBALSINDEX, lua_State};
use mlua::{Function, IntoLua, Lua, LuaOptions, MultiValue, Result, StdLib, Table, Value};
use std::ffi::c_int;

unsafe extern "C-unwind" {
    /// Of our build of Lua (`crates/lua-src`): writes to the table fail from now on, or no longer.
    fn lua_enablereadonlytable(state: *mut lua_State, index: c_int, enabled: c_int);
}

/// What a function of a library answers: true and its values, or false and what is wrong; `sandbox.lua` raises that.
pub(super) type Checked = Result<MultiValue>;

pub(super) fn fine(values: impl IntoIterator<Item = Value>) -> Checked {
    Ok(std::iter::once(Value::Boolean(true))
        .chain(values)
        .collect())
}

pub(super) fn wrong(lua: &Lua, text: &str) -> Checked {
    Ok(MultiValue::from_iter([
        Value::Boolean(false),
        Value::String(lua.create_string(text)?),
    ]))
}

/// What an interpreter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Eval,
    Functions,
}

/// See the module.
pub(super) struct Interpreter {
    pub(super) lua: Lua,
    run: Function,
    /// Runs the code of a library.
    pub(super) load: Function,
    globals: Table,
    /// The main thread of `lua`.
    state: MainState,
}

#[derive(Clone, Copy)]
struct MainState(*mut lua_State);

/// The tables that scripts share. What one script did to them, another user's script would see.
const SHARED_TABLES: &[&str] = &[
    "bit",
    "cjson",
    "cmsgpack",
    "coroutine",
    "math",
    "redis",
    "string",
    "struct",
    "table",
];

impl Interpreter {
    /// # Errors
    /// When Lua cannot get the memory it needs.
    pub(super) fn new(purpose: Purpose) -> Result<Interpreter> {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::DEBUG;
        // Rust never panics through Lua here, and pcall must be the plain one for SCRIPT KILL to get past it.
        let options = LuaOptions::new().catch_rust_panics(false);
        // SAFETY: the debug library is what makes this unsafe; `sandbox.lua` takes it away from scripts.
        let lua = unsafe { Lua::unsafe_new_with(libraries, options) };
        let node = lua.create_table()?;
        api::register(&lua, &node, purpose)?;
        node.raw_set("raising", raise::raising(&lua)?)?;
        node.raw_set("checked", raise::checked(&lua)?)?;
        node.raw_set("bit", bits::library(&lua)?)?;
        node.raw_set("cmsgpack", cmsgpack::library(&lua)?)?;
        node.raw_set("struct", structs::library(&lua)?)?;
        node.raw_set(
            "new_cjson",
            lua.create_function(|lua, ()| cjson::codec(lua))?,
        )?;
        let prepared: Table = lua
            .load(include_str!("sandbox.lua"))
            .set_name("=redis")
            .set_mode(ChunkMode::Text)
            .call(node)?;
        let globals = lua.globals();
        globals.raw_set("KEYS", Value::Nil)?;
        globals.raw_set("ARGV", Value::Nil)?;
        let mut state = std::ptr::null_mut();
        // SAFETY: the closure only looks at the state it is given, which lives as long as `lua`.
        unsafe { lua.exec_raw::<()>((), |given| state = given)? };
        let interpreter = Interpreter {
            run: prepared.raw_get("run")?,
            load: prepared.raw_get("load")?,
            globals,
            state: MainState(state),
            lua,
        };
        interpreter.protect()?;
        Ok(interpreter)
    }

    fn protect(&self) -> Result<()> {
        let mut tables: Vec<Table> = Vec::new();
        for name in SHARED_TABLES {
            tables.push(self.globals.raw_get(*name)?);
        }
        tables.extend(self.globals.metatable());
        let text_methods: Table = self.lua.load("return getmetatable('')").eval()?;
        tables.push(text_methods);
        for table in tables {
            self.set_readonly(&table, true)?;
        }
        self.set_globals_readonly(true);
        Ok(())
    }

    /// Makes a table read-only, or changeable again.
    pub(super) fn set_readonly(&self, table: &Table, readonly: bool) -> Result<()> {
        let table = table.clone().into_lua(&self.lua)?;
        // SAFETY: the one value on the stack is a table.
        unsafe {
            self.lua.exec_raw::<()>(table, |state| {
                lua_enablereadonlytable(state, -1, c_int::from(readonly));
                mlua::ffi::lua_pop(state, 1);
            })
        }
    }

    fn set_globals_readonly(&self, readonly: bool) {
        // SAFETY: the main state lives as long as `lua`; the call sets a byte of the table of globals and cannot fail.
        unsafe { lua_enablereadonlytable(self.state.0, LUA_GLOBALSINDEX, c_int::from(readonly)) };
    }

    /// Compiles a script.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn compile(&self, text: &[u8], name: &str) -> Result<Function> {
        self.lua
            .load(text)
            .set_name(name)
            .set_mode(ChunkMode::Text)
            .into_function()
    }

    /// Sets KEYS and ARGV for the next script.
    pub(super) fn set_arguments(&self, keys: &[&[u8]], arguments: &[&[u8]]) -> Result<()> {
        let keys = self.list(keys)?;
        let arguments = self.list(arguments)?;
        self.set_globals_readonly(false);
        let set = self
            .globals
            .raw_set("KEYS", keys)
            .and_then(|()| self.globals.raw_set("ARGV", arguments));
        self.set_globals_readonly(true);
        set
    }

    pub(super) fn list(&self, words: &[&[u8]]) -> Result<Table> {
        let table = self.lua.create_table_with_capacity(words.len(), 0)?;
        for (index, word) in (1..).zip(words) {
            table.raw_set(index, self.lua.create_string(word)?)?;
        }
        Ok(table)
    }

    /// Runs a compiled script (with arguments, a function of a library): `Ok` of what it returned, or of the described
    /// error.
    ///
    /// # Errors
    /// When Lua itself failed, as without memory.
    pub(super) fn run(
        &self,
        body: &Function,
        arguments: Option<(Table, Table)>,
    ) -> Result<std::result::Result<Value, Value>> {
        let (keys, arguments) = match arguments {
            Some((keys, arguments)) => (Value::Table(keys), Value::Table(arguments)),
            None => (Value::Nil, Value::Nil),
        };
        let (ok, value): (bool, Value) = self.run.call((body, keys, arguments))?;
        Ok(if ok { Ok(value) } else { Err(value) })
    }

    pub(super) fn used_bytes(&self) -> usize {
        self.lua.used_memory()
    }
}
