//! Raising Lua errors as Lua itself does: any value, from what the script sees as a C function, so that its own frame
//! is there to say where it happened.
#![allow(
    unsafe_code,
    reason = "mlua turns every error of Rust into a value of its own, which scripts would see"
)]

use mlua::ffi::{
    self, LUA_MULTRET, lua_State, lua_call, lua_concat, lua_error, lua_gettop, lua_insert,
    lua_isnil, lua_pop, lua_pushcclosure, lua_pushvalue, lua_remove, lua_settop, lua_toboolean,
    lua_upvalueindex, luaL_where,
};
use mlua::{Function, Lua, Result};
use std::ffi::c_int;

/// Of a function that answers a value, or nil and an error: one that returns the value or raises the error.
pub(super) fn raising(lua: &Lua) -> Result<Function> {
    // SAFETY: `wrap_raising` is a C function for any arguments.
    unsafe { lua.create_c_function(wrap_raising) }
}

/// Of a function that answers true and values, or false and a text: one that returns the values or raises the text with
/// the caller's place before it.
pub(super) fn checked(lua: &Lua) -> Result<Function> {
    // SAFETY: `wrap_checked` is a C function for any arguments.
    unsafe { lua.create_c_function(wrap_checked) }
}

// In all four: no value of Rust with a destructor is alive when Lua may jump out of the frame, and the stack has the
// room that Lua promises every C function (20 slots) for the few values pushed.

unsafe extern "C-unwind" fn wrap_raising(state: *mut lua_State) -> c_int {
    // SAFETY: the argument becomes the closure's upvalue.
    unsafe {
        lua_settop(state, 1);
        lua_pushcclosure(state, call_raising, 1);
    }
    1
}

unsafe extern "C-unwind" fn wrap_checked(state: *mut lua_State) -> c_int {
    // SAFETY: the argument becomes the closure's upvalue.
    unsafe {
        lua_settop(state, 1);
        lua_pushcclosure(state, call_checked, 1);
    }
    1
}

unsafe extern "C-unwind" fn call_raising(state: *mut lua_State) -> c_int {
    // SAFETY: the upvalue was set by `wrap_raising`; two results were asked for, so two are there.
    unsafe {
        call_upvalue(state, 2);
        if lua_isnil(state, -1) == 0 {
            lua_error(state);
        }
        lua_pop(state, 1);
    }
    1
}

unsafe extern "C-unwind" fn call_checked(state: *mut lua_State) -> c_int {
    // SAFETY: the upvalue was set by `wrap_checked`; it answers at least one value.
    unsafe {
        call_upvalue(state, LUA_MULTRET);
        if lua_toboolean(state, 1) == 0 {
            luaL_where(state, 1);
            lua_pushvalue(state, 2);
            lua_concat(state, 2);
            lua_error(state);
        }
        lua_remove(state, 1);
        lua_gettop(state)
    }
}

/// Calls the upvalue with all arguments.
///
/// # Safety
/// Only from a C closure with one upvalue.
unsafe fn call_upvalue(state: *mut lua_State, results: c_int) {
    // SAFETY: as the caller promises.
    unsafe {
        let arguments = lua_gettop(state);
        ffi::luaL_checkstack(state, 4, c"too many arguments".as_ptr());
        lua_pushvalue(state, lua_upvalueindex(1));
        lua_insert(state, 1);
        lua_call(state, arguments, results);
    }
}
