//! Functions: libraries of code that the node keeps, by FUNCTION LOAD.

use super::current;
use super::interpreter::{Interpreter, Purpose};
use super::run::{Job, lua_failed, split_keys, syntax_error};
use super::shebang::{self, ScriptFlags};
use crate::context::ServerContext;
use crate::server::Server;
use front::command::{CommandError, CommandResult};
use mlua::{Function as LuaFunction, Lua, MultiValue, Result as LuaResult, Table, Value};
use std::collections::{BTreeMap, HashMap};

/// One function of a library.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) description: Option<Vec<u8>>,
    pub(crate) flags: ScriptFlags,
    callback: LuaFunction,
}

/// A library: its code, whole, and the functions it registered.
pub(crate) struct Library {
    pub(crate) code: Vec<u8>,
    pub(crate) functions: Vec<Function>,
}

/// All libraries of the node.
#[derive(Default)]
pub(crate) struct Functions {
    interpreter: Option<Interpreter>,
    libraries: BTreeMap<String, Library>,
    /// Which library each function is of, and its place there. Names are matched without regard to case.
    by_name: HashMap<String, (String, usize)>,
    /// What the library that is being loaded has registered so far.
    loading: Option<Vec<Function>>,
}

impl Functions {
    /// Every library with its name.
    pub(crate) fn libraries(&self) -> impl ExactSizeIterator<Item = (&str, &Library)> {
        self.libraries
            .iter()
            .map(|(name, library)| (name.as_str(), library))
    }

    /// How many functions all libraries have together.
    pub(crate) fn count(&self) -> usize {
        self.by_name.len()
    }

    /// Bytes of the libraries' code, `used_memory_functions`.
    pub(crate) fn code_bytes(&self) -> usize {
        self.libraries
            .values()
            .map(|library| library.code.capacity())
            .sum()
    }

    /// Bytes that the interpreter holds, `used_memory_vm_functions`.
    pub(crate) fn vm_bytes(&self) -> usize {
        self.interpreter.as_ref().map_or(0, Interpreter::used_bytes)
    }

    /// Deletes a library; false if there is none of this name.
    pub(crate) fn delete(&mut self, name: &str) -> bool {
        let found = self.libraries.remove(name).is_some();
        self.by_name.retain(|_, (library, _)| library != name);
        found
    }

    fn insert(&mut self, name: String, library: Library) {
        for (index, function) in library.functions.iter().enumerate() {
            let key = function.name.to_ascii_lowercase();
            self.by_name.insert(key, (name.clone(), index));
        }
        self.libraries.insert(name, library);
    }

    pub(super) fn find(&self, name: &[u8]) -> Option<&Function> {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let (library, index) = self.by_name.get(&name)?;
        Some(&self.libraries[library].functions[*index])
    }
}

/// Library and function names end up in commands and logs.
fn is_name(name: &[u8]) -> bool {
    !name.is_empty()
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

const BAD_NAME: &str = "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";

impl Server {
    /// FCALL and FCALL_RO.
    pub(crate) fn fcall(cx: &mut ServerContext<'_>, read_only: bool) -> CommandResult {
        cx.server.show_to_monitors(cx.client, cx.args);
        let functions = &cx.server.scripting.functions;
        let Some(function) = functions.find(cx.args[1]) else {
            return Err(CommandError::text("ERR Function not found"));
        };
        let not_a_number = CommandError::text("ERR Bad number of keys provided");
        let (keys, arguments) = split_keys(cx.args, not_a_number)?;
        let job = Job {
            body: function.callback.clone(),
            name: function.name.clone(),
            is_function: true,
            flags: function.flags,
            read_only,
            keys,
            arguments,
        };
        let functions = &mut cx.server.scripting.functions;
        let interpreter = functions.interpreter.take().expect("it has a function");
        let result = Server::run_job(cx, &interpreter, job);
        cx.server.scripting.functions.interpreter = Some(interpreter);
        result
    }

    /// Loads a library and returns its name.
    ///
    /// # Errors
    /// What is wrong with it; nothing changed then.
    pub(crate) fn load_library(
        &mut self,
        code: &[u8],
        replace: bool,
    ) -> Result<String, CommandError> {
        let (name, text) = shebang::of_library(code)?;
        if !is_name(name.as_bytes()) {
            return Err(CommandError::text(BAD_NAME));
        }
        if !replace && self.scripting.functions.libraries.contains_key(&name) {
            return Err(CommandError::err(format_args!(
                "Library '{name}' already exists"
            )));
        }
        let functions = self.register_functions(text)?;
        let taken = functions.iter().find(|function| {
            let key = function.name.to_ascii_lowercase();
            let owner = self.scripting.functions.by_name.get(&key);
            owner.is_some_and(|(library, _)| *library != name)
        });
        if let Some(function) = taken {
            return Err(CommandError::err(format_args!(
                "Function {} already exists",
                function.name
            )));
        }
        if functions.is_empty() {
            return Err(CommandError::text("ERR No functions registered"));
        }
        self.scripting.functions.delete(&name);
        let library = Library {
            code: code.to_vec(),
            functions,
        };
        self.scripting.functions.insert(name.clone(), library);
        Ok(name)
    }

    /// Runs a library's code for what it registers.
    fn register_functions(&mut self, text: &[u8]) -> Result<Vec<Function>, CommandError> {
        let functions = &mut self.scripting.functions;
        let interpreter = match functions.interpreter.take() {
            Some(interpreter) => interpreter,
            None => Interpreter::new(Purpose::Functions).map_err(|error| lua_failed(&error))?,
        };
        functions.loading = Some(Vec::new());
        let result = interpreter
            .compile(text, "@user_function")
            .map_err(|error| {
                let text = syntax_error(&error);
                CommandError::err(format_args!("Error compiling function: {text}"))
            })
            .and_then(|body| {
                current::lend(self, || interpreter.load(&body)).map_err(|error| lua_failed(&error))
            });
        self.scripting.functions.interpreter = Some(interpreter);
        let registered = self.scripting.functions.loading.take().unwrap_or_default();
        match result? {
            None => Ok(registered),
            Some(text) => Err(CommandError::err(format_args!(
                "Error registering functions: {}",
                String::from_utf8_lossy(&text)
            ))),
        }
    }

    /// FUNCTION FLUSH: forgets all libraries and what they left in their interpreter.
    pub(crate) fn flush_functions(&mut self) {
        self.scripting.functions = Functions::default();
    }

    /// FUNCTION RESTORE: all libraries of a dump or, on an error, none.
    ///
    /// # Errors
    /// A library that is there already, or cannot be loaded.
    pub(crate) fn restore_functions(
        &mut self,
        codes: &[Vec<u8>],
        policy: RestorePolicy,
    ) -> CommandResult {
        let before = std::mem::take(&mut self.scripting.functions);
        let mut kept: Vec<&Library> = Vec::new();
        let mut names = Vec::new();
        let mut load = || -> CommandResult {
            for code in codes {
                names.push(self.load_library(code, false)?);
            }
            if policy == RestorePolicy::Flush {
                return Ok(());
            }
            for (name, library) in &before.libraries {
                match (names.contains(name), policy) {
                    (false, _) => kept.push(library),
                    (true, RestorePolicy::Replace) => {}
                    (true, _) => {
                        return Err(CommandError::err(format_args!(
                            "Library {name} already exists"
                        )));
                    }
                }
            }
            for library in &kept {
                self.load_library(&library.code, false)?;
            }
            Ok(())
        };
        let result = load();
        if result.is_err() {
            self.scripting.functions = before;
        }
        result
    }
}

/// What FUNCTION RESTORE does with the libraries that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RestorePolicy {
    Flush,
    Append,
    Replace,
}

impl Interpreter {
    /// Runs a library's code; the text of what went wrong, if something did.
    fn load(&self, body: &LuaFunction) -> LuaResult<Option<Vec<u8>>> {
        let (ok, failure): (bool, Value) = self.load.call(body)?;
        let text = match failure {
            _ if ok => return Ok(None),
            Value::Table(table) => table.raw_get("err")?,
            other => other,
        };
        Ok(Some(match text {
            Value::String(text) => super::convert::one_line(&text.as_bytes()),
            _ => b"the library raised an error without a text".to_vec(),
        }))
    }
}

/// `redis.register_function`, in both its forms.
pub(super) fn register_function(lua: &Lua, values: MultiValue) -> LuaResult<(Value, Value)> {
    let function = match registered(&values)? {
        Ok(function) => function,
        Err(text) => {
            let failure = lua.create_table()?;
            failure.raw_set("err", format!("ERR {text}"))?;
            return Ok((Value::Nil, Value::Table(failure)));
        }
    };
    let known = current::with(|server| match &mut server.scripting.functions.loading {
        Some(loading) if loading.iter().any(|other| other.name == function.name) => true,
        Some(loading) => {
            loading.push(function);
            false
        }
        None => false,
    });
    if known {
        let failure = lua.create_table()?;
        failure.raw_set("err", "ERR Function already exists in the library")?;
        return Ok((Value::Nil, Value::Table(failure)));
    }
    Ok((Value::Nil, Value::Nil))
}

fn text_of(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Integer(number) => Some(number.to_string().into_bytes()),
        _ => None,
    }
}

type Registered = LuaResult<Result<Function, &'static str>>;

fn registered(values: &MultiValue) -> Registered {
    match values.len() {
        1 => match &values[0] {
            Value::Table(table) => named_arguments(table),
            _ => Ok(Err(
                "calling redis.register_function with a single argument is only applicable to Lua table (representing \
                 named arguments).",
            )),
        },
        2 => {
            let Some(name) = text_of(&values[0]) else {
                return Ok(Err(
                    "first argument to redis.register_function must be a string",
                ));
            };
            let Value::Function(callback) = &values[1] else {
                return Ok(Err(
                    "second argument to redis.register_function must be a function",
                ));
            };
            Ok(function_of(
                name,
                callback.clone(),
                None,
                ScriptFlags::default(),
            ))
        }
        _ => Ok(Err("wrong number of arguments to redis.register_function")),
    }
}

fn named_arguments(table: &Table) -> Registered {
    let (mut name, mut callback, mut description) = (None, None, None);
    let mut flags = ScriptFlags::default();
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let Some(key) = text_of(&key) else {
            return Ok(Err(
                "named argument key given to redis.register_function is not a string",
            ));
        };
        match key.as_slice() {
            b"function_name" => match text_of(&value) {
                Some(text) => name = Some(text),
                None => {
                    return Ok(Err(
                        "function_name argument given to redis.register_function must be a string",
                    ));
                }
            },
            b"description" => match text_of(&value) {
                Some(text) => description = Some(text),
                None => {
                    return Ok(Err(
                        "description argument given to redis.register_function must be a string",
                    ));
                }
            },
            b"callback" => match value {
                Value::Function(function) => callback = Some(function),
                _ => {
                    return Ok(Err(
                        "callback argument given to redis.register_function must be a function",
                    ));
                }
            },
            b"flags" => match value {
                Value::Table(list) => match flags_of(&list)? {
                    Some(found) => flags = found,
                    None => return Ok(Err("unknown flag given")),
                },
                _ => {
                    return Ok(Err(
                        "flags argument to redis.register_function must be a table representing function flags",
                    ));
                }
            },
            _ => return Ok(Err("unknown argument given to redis.register_function")),
        }
    }
    let Some(name) = name else {
        return Ok(Err(
            "redis.register_function must get a function name argument",
        ));
    };
    let Some(callback) = callback else {
        return Ok(Err("redis.register_function must get a callback argument"));
    };
    Ok(function_of(name, callback, description, flags))
}

fn flags_of(list: &Table) -> LuaResult<Option<ScriptFlags>> {
    let mut flags = ScriptFlags::default();
    for index in 1i64.. {
        match list.raw_get(index)? {
            Value::Nil => break,
            Value::String(name) if flags.set(&name.as_bytes()) => {}
            _ => return Ok(None),
        }
    }
    Ok(Some(flags))
}

fn function_of(
    name: Vec<u8>,
    callback: LuaFunction,
    description: Option<Vec<u8>>,
    flags: ScriptFlags,
) -> Result<Function, &'static str> {
    if !is_name(&name) {
        return Err(BAD_NAME.strip_prefix("ERR ").unwrap_or(BAD_NAME));
    }
    Ok(Function {
        name: String::from_utf8_lossy(&name).into_owned(),
        description,
        flags,
        callback,
    })
}
