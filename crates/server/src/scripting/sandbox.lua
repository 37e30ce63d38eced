-- Prepares the globals that scripts see. Called once for each interpreter, with the node's functions; what it returns
-- is what the node calls. Everything a script can reach is made read-only afterwards.
local node = ...

local error, getinfo, pairs, protected, rawget, setenv, setmetatable, tostring, type, xpcall =
  error, debug.getinfo, pairs, pcall, rawget, setfenv, setmetatable, tostring, type, xpcall

-- `raising` makes of a function that answers a value, or nil and an error, one that returns the value or raises the
-- error; `checked` of one that answers true and values, or false and a text, one that raises the text.
local raising, checked = node.raising, node.checked
local command = node.command

redis = {
  call = raising(command),
  pcall = function(...)
    local value, failure = command(...)
    if failure then
      failure.ignore_error_stats_update = true
      return failure
    end
    return value
  end,
  sha1hex = raising(node.sha1hex),
  log = raising(node.log),
  setresp = raising(node.setresp),
  set_repl = raising(node.set_repl),
  acl_check_cmd = raising(node.acl_check_cmd),
  error_reply = node.error_reply,
  status_reply = node.status_reply,
  LOG_DEBUG = 0,
  LOG_VERBOSE = 1,
  LOG_NOTICE = 2,
  LOG_WARNING = 3,
  REDIS_VERSION = node.version,
  REDIS_VERSION_NUM = node.version_number,
  REPL_NONE = 0,
  REPL_AOF = 1,
  REPL_SLAVE = 2,
  REPL_REPLICA = 2,
  REPL_ALL = 3,
}
if not node.register_function then
  -- Scripts are replicated by their effects: there is nothing to choose.
  redis.replicate_commands = function() return true end
  redis.breakpoint = function() return false end
  redis.debug = function() end
end

local function library(source)
  local made = {}
  for name, value in pairs(source) do
    made[name] = type(value) == "function" and checked(value) or value
  end
  return made
end

bit, cmsgpack, struct = library(node.bit), library(node.cmsgpack), library(node.struct)
-- A codec with settings of its own.
local function new_cjson()
  local codec = library(node.new_cjson())
  codec.new = new_cjson
  return codec
end
cjson = new_cjson()

math.random, math.randomseed = checked(node.random), checked(node.randomseed)

-- A failed command's error table reaches the script as its text.
function pcall(...)
  local function settle(ok, failure, ...)
    if not ok and type(failure) == "table" and type(rawget(failure, "err")) == "string" then
      return false, rawget(failure, "err")
    end
    return ok, failure, ...
  end
  return settle(protected(...))
end

-- Adds where in the script it happened.
function __redis__err__handler(failure)
  local text
  if type(failure) == "table" then
    text = rawget(failure, "err")
  else
    text = "ERR " .. tostring(failure)
  end
  local place = { err = text, ignore_error_stats_update = type(failure) == "table" and rawget(failure, "ignore_error_stats_update") or nil }
  for level = 2, 200 do
    local frame = getinfo(level, "Sl")
    if not frame then break end
    if frame.currentline > 0 and frame.source ~= "=redis" then
      place.source, place.line = frame.source, frame.currentline
      break
    end
  end
  return place
end
local describe = __redis__err__handler

for _, name in pairs({
  "debug", "dofile", "getfenv", "io", "loadfile", "module", "newproxy", "os", "package", "print", "require", "setfenv",
}) do
  _G[name] = nil
end

-- Bytecode can crash the interpreter: only text is compiled.
local compile, compile_text = loadstring, load
function loadstring(text, name)
  if type(text) == "string" and text:byte(1) == 27 then return nil, "attempt to load chunk with wrong mode" end
  return compile(text, name)
end
function load(reader, name)
  local parts = {}
  local first = true
  return compile_text(function()
    local part = reader()
    if first and part and part ~= "" then
      first = false
      if part:byte(1) == 27 then error("attempt to load chunk with wrong mode", 0) end
    end
    return part
  end, name)
end

-- The code of a library sees little more than redis.register_function; its functions, called later, see everything.
local function missing(_, name)
  error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
end
setmetatable(_G, { __index = missing })

local while_loading = {
  redis = setmetatable({
    register_function = node.register_function and raising(node.register_function),
    log = redis.log,
    LOG_DEBUG = redis.LOG_DEBUG,
    LOG_VERBOSE = redis.LOG_VERBOSE,
    LOG_NOTICE = redis.LOG_NOTICE,
    LOG_WARNING = redis.LOG_WARNING,
    REDIS_VERSION = redis.REDIS_VERSION,
    REDIS_VERSION_NUM = redis.REDIS_VERSION_NUM,
  }, { __index = missing }),
}
local globals = _G

return {
  -- Runs the code of a library; answers true, or false and the described error.
  load = function(body)
    local visible = while_loading
    setenv(body, setmetatable({}, {
      __index = function(_, name)
        local value = rawget(visible, name)
        if value == nil then
          error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
        end
        return value
      end,
      __newindex = function() error("Attempt to modify a readonly table", 2) end,
    }))
    local ok, failure = xpcall(body, describe)
    visible = globals
    return ok, failure
  end,

  -- Runs a function; answers true and its value, or false and the described error.
  run = function(body, keys, arguments)
    if keys then
      return xpcall(function() return body(keys, arguments) end, describe)
    end
    return xpcall(body, describe)
  end,
}
