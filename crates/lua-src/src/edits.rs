//! What is changed in Lua 5.1.5, and why. Each place must be found exactly once, or the build fails.

/// One replacement in one file.
pub(crate) struct Edit {
    pub(crate) file: &'static str,
    pub(crate) find: &'static str,
    pub(crate) replace: &'static str,
}

/// See the module.
pub(crate) const EDITS: &[Edit] = &[
    // CVE-2025-49844: the chunk's name was not reachable for the collector while the parser ran.
    Edit {
        file: "lparser.c",
        find: "  luaX_setinput(L, &lexstate, z, luaS_new(L, name));\n",
        replace: "  setsvalue2s(L, L->top, luaS_new(L, name));\n  incr_top(L);\n\
                  \x20 luaX_setinput(L, &lexstate, z, rawtsvalue(L->top - 1));\n",
    },
    Edit {
        file: "lparser.c",
        find: "  lua_assert(lexstate.fs == NULL);\n  return funcstate.f;\n",
        replace: "  lua_assert(lexstate.fs == NULL);\n  L->top--;\n  return funcstate.f;\n",
    },
    // CVE-2025-46817: the number of elements overflowed an int.
    Edit {
        file: "lbaselib.c",
        find: "  n = e - i + 1;  /* number of elements */\n  if (n <= 0 || !lua_checkstack(L, n))",
        replace: "  if ((unsigned int)e - (unsigned int)i >= LUAI_MAXCSTACK) n = 0;\n  else n = e - i + 1;\n\
                  \x20 if (n <= 0 || !lua_checkstack(L, n))",
    },
    // A call from Lua into Rust takes some places of its own beside the arguments; scripts may pass 7,999, as in Redis.
    Edit {
        file: "luaconf.h",
        find: "#define LUAI_MAXCSTACK\t8000\n",
        replace: "#define LUAI_MAXCSTACK\t8100\n",
    },
    // The loop after it counted past INT_MAX when the range ended there.
    Edit {
        file: "lbaselib.c",
        find: "  while (i++ < e)  /* push arg[i + 1...e] */\n    lua_rawgeti(L, 1, i);\n  return n;",
        replace: "  while (i < e)\n    lua_rawgeti(L, 1, ++i);\n  return n;",
    },
    // CVE-2025-46819: the level of a long bracket overflowed an int.
    Edit {
        file: "llex.c",
        find: "  while (ls->current == '=') {\n    save_and_next(ls);\n    count++;\n  }",
        replace: "  while (ls->current == '=') {\n    save_and_next(ls);\n\
                  \x20   if (++count >= 1000000) luaX_lexerror(ls, \"invalid long string delimiter\", TK_STRING);\n  }",
    },
    // Tables that scripts cannot change: what one script did to a shared table would reach the next one's user
    // (CVE-2022-24735, CVE-2025-46818).
    Edit {
        file: "lobject.h",
        find: "  lu_byte flags;  /* 1<<p means tagmethod(p) is not present */ \n",
        replace: "  lu_byte flags;  /* 1<<p means tagmethod(p) is not present */ \n  lu_byte readonly;\n",
    },
    Edit {
        file: "ltable.c",
        find: "  t->flags = cast_byte(~0);\n",
        replace: "  t->flags = cast_byte(~0);\n  t->readonly = 0;\n",
    },
    Edit {
        file: "lvm.c",
        find: "      TValue *oldval = luaH_set(L, h, key); /* do a primitive set */\n",
        replace: "      TValue *oldval;\n\
                  \x20     if (h->readonly) luaG_runerror(L, \"Attempt to modify a readonly table\");\n\
                  \x20     oldval = luaH_set(L, h, key);\n",
    },
    Edit {
        file: "lapi.c",
        find: "  setobj2t(L, luaH_set(L, hvalue(t), L->top-2), L->top-1);\n",
        replace: "  if (hvalue(t)->readonly) luaG_runerror(L, \"Attempt to modify a readonly table\");\n\
                  \x20 setobj2t(L, luaH_set(L, hvalue(t), L->top-2), L->top-1);\n",
    },
    Edit {
        file: "lapi.c",
        find: "  setobj2t(L, luaH_setnum(L, hvalue(o), n), L->top-1);\n",
        replace: "  if (hvalue(o)->readonly) luaG_runerror(L, \"Attempt to modify a readonly table\");\n\
                  \x20 setobj2t(L, luaH_setnum(L, hvalue(o), n), L->top-1);\n",
    },
    Edit {
        file: "lapi.c",
        find: "    case LUA_TTABLE: {\n      hvalue(obj)->metatable = mt;\n",
        replace: "    case LUA_TTABLE: {\n\
                  \x20     if (hvalue(obj)->readonly) luaG_runerror(L, \"Attempt to modify a readonly table\");\n\
                  \x20     hvalue(obj)->metatable = mt;\n",
    },
    Edit {
        file: "lapi.c",
        find: "LUA_API int lua_setfenv (lua_State *L, int idx) {\n",
        replace: "LUA_API void lua_enablereadonlytable (lua_State *L, int idx, int enabled) {\n\
                  \x20 StkId t = index2adr(L, idx);\n\
                  \x20 api_check(L, ttistable(t));\n\
                  \x20 hvalue(t)->readonly = cast_byte(enabled != 0);\n}\n\n\n\
                  LUA_API int lua_setfenv (lua_State *L, int idx) {\n",
    },
    Edit {
        file: "lua.h",
        find: "LUA_API int   (lua_setmetatable) (lua_State *L, int objindex);\n",
        replace: "LUA_API int   (lua_setmetatable) (lua_State *L, int objindex);\n\
                  LUA_API void  (lua_enablereadonlytable) (lua_State *L, int idx, int enabled);\n",
    },
];
