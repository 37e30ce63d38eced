//! The first line of a script: `#!lua flags=no-writes` or `#!lua name=mylib`.

use front::command::CommandError;

/// What a script declares about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScriptFlags {
    /// It only reads.
    pub(crate) no_writes: bool,
    /// It may start when memory is over its limit.
    pub(crate) allow_oom: bool,
    /// It may run on a replica that lost its master.
    pub(crate) allow_stale: bool,
    pub(crate) no_cluster: bool,
    /// There is no shebang: the script is judged command by command, as before Redis 7.
    pub(crate) compatible: bool,
}

impl ScriptFlags {
    /// Sets a flag by its name; false if there is none of that name.
    pub(crate) fn set(&mut self, name: &[u8]) -> bool {
        match name {
            b"no-writes" => self.no_writes = true,
            b"allow-oom" => self.allow_oom = true,
            b"allow-stale" => self.allow_stale = true,
            b"no-cluster" => self.no_cluster = true,
            // Keys of several slots: there are no slots here.
            b"allow-cross-slot-keys" => {}
            _ => return false,
        }
        true
    }

    /// The names of the flags that are set.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        [
            (self.no_writes, "no-writes"),
            (self.allow_oom, "allow-oom"),
            (self.allow_stale, "allow-stale"),
            (self.no_cluster, "no-cluster"),
        ]
        .into_iter()
        .filter_map(|(set, name)| set.then_some(name))
    }
}

/// The flags of a script for EVAL, and its text with the shebang blanked out (line numbers stay).
///
/// # Errors
/// The shebang is not one.
pub(crate) fn of_script(text: &[u8]) -> Result<(ScriptFlags, &[u8]), CommandError> {
    if !text.starts_with(b"#!") {
        let flags = ScriptFlags {
            compatible: true,
            ..ScriptFlags::default()
        };
        return Ok((flags, text));
    }
    let end =
        memchr::memchr(b'\n', text).ok_or(CommandError::text("ERR Invalid script shebang"))?;
    let mut words = text[..end]
        .split(|&byte| byte == b' ')
        .filter(|word| !word.is_empty());
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let engine = words.next().unwrap_or_default();
    if engine != b"#!lua" {
        return Err(CommandError::err(format_args!(
            "Unexpected engine in script shebang: {}",
            shown(engine)
        )));
    }
    let mut flags = ScriptFlags::default();
    for word in words {
        let Some(list) = word.strip_prefix(b"flags=") else {
            return Err(CommandError::err(format_args!(
                "Unknown lua shebang option: {}",
                shown(word)
            )));
        };
        for flag in list
            .split(|&byte| byte == b',')
            .filter(|flag| !flag.is_empty())
        {
            if !flags.set(flag) {
                return Err(CommandError::err(format_args!(
                    "Unexpected flag in script shebang: {}",
                    shown(flag)
                )));
            }
        }
    }
    Ok((flags, &text[end..]))
}

/// The name of a function library, and its code with the shebang blanked out (line numbers stay).
///
/// # Errors
/// The shebang is missing or names no library.
pub(crate) fn of_library(code: &[u8]) -> Result<(String, &[u8]), CommandError> {
    if !code.starts_with(b"#!") {
        return Err(CommandError::text("ERR Missing library metadata"));
    }
    let end =
        memchr::memchr(b'\n', code).ok_or(CommandError::text("ERR Invalid library metadata"))?;
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let words = resp::inline::split_args(&code[2..end])
        .filter(|words| !words.is_empty())
        .ok_or(CommandError::text("ERR Invalid library metadata"))?;
    if !words[0].eq_ignore_ascii_case(b"lua") {
        return Err(CommandError::err(format_args!(
            "Engine '{}' not found",
            shown(&words[0])
        )));
    }
    let mut name = None;
    for word in &words[1..] {
        match word.strip_prefix(b"name=") {
            Some(_) if name.is_some() => {
                return Err(CommandError::text(
                    "ERR Invalid metadata value, name argument was given multiple times",
                ));
            }
            Some(value) => name = Some(shown(value)),
            None => {
                return Err(CommandError::err(format_args!(
                    "Invalid metadata value given: {}",
                    shown(word)
                )));
            }
        }
    }
    let name = name.ok_or(CommandError::text("ERR Library name was not given"))?;
    Ok((name, &code[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_and_lines_keep_their_numbers() {
        let (flags, text) = of_script(b"#!lua flags=no-writes,allow-oom\nreturn 1").unwrap();
        assert!(flags.no_writes && flags.allow_oom && !flags.compatible);
        assert_eq!(text, b"\nreturn 1");
        let (flags, text) = of_script(b"return 1").unwrap();
        assert!(flags.compatible);
        assert_eq!(text, b"return 1");
    }

    #[test]
    fn a_wrong_shebang_is_named() {
        let error = |text: &[u8]| of_script(text).map(|_| ()).unwrap_err().to_string();
        assert_eq!(error(b"#!lua"), "ERR Invalid script shebang");
        assert_eq!(
            error(b"#!py\n"),
            "ERR Unexpected engine in script shebang: #!py"
        );
        assert_eq!(error(b"#!lua x=1\n"), "ERR Unknown lua shebang option: x=1");
        assert_eq!(
            error(b"#!lua flags=x\n"),
            "ERR Unexpected flag in script shebang: x"
        );
        let error = |text: &[u8]| of_library(text).map(|_| ()).unwrap_err().to_string();
        assert_eq!(error(b"return 1"), "ERR Missing library metadata");
        assert_eq!(error(b"#!lua\n"), "ERR Library name was not given");
        assert_eq!(error(b"#!py name=a\n"), "ERR Engine 'py' not found");
    }
}
