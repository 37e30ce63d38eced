//! Reads redis.conf and the command line. Every error names where it stands; all of them are found in one reading.

use super::{
    BIND, Config, DirectiveFlag, LATENCY_TRACKING_INFO_PERCENTILES, SAVE, by_name, directive,
};
use std::fmt;
use std::path::{Path, PathBuf};

/// A line of the configuration that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file, or `command line`.
    pub source: String,
    /// Counted from 1.
    pub line: usize,
    pub text: String,
    pub reason: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}\n    >>> '{}'",
            self.source, self.line, self.reason, self.text
        )
    }
}

/// How deep `include` may nest.
const INCLUDE_DEPTH: usize = 16;
const COMMAND_LINE: &str = "command line";

/// Reads the file (if any) and then the lines that the command line adds.
///
/// # Errors
/// Every line that cannot be taken.
pub fn load(file: Option<&Path>, extra_lines: &[String]) -> Result<Config, Vec<ConfigError>> {
    let mut reader = Reader {
        config: Config::default(),
        errors: Vec::new(),
        saves_reset: false,
        open: Vec::new(),
    };
    if let Some(file) = file {
        reader.config.file = std::path::absolute(file)
            .unwrap_or_else(|_| file.into())
            .display()
            .to_string();
        reader.file(file, None);
    }
    for (index, line) in extra_lines.iter().enumerate() {
        reader.line(COMMAND_LINE, index + 1, line);
    }
    if !reader.config.users.is_empty() && !reader.config.text(super::ACLFILE).is_empty() {
        let reason = "users are declared here and in an aclfile at once: keep them in one place";
        reader.error(COMMAND_LINE, 1, "aclfile", reason);
    }
    if reader.errors.is_empty() {
        Ok(reader.config)
    } else {
        Err(reader.errors)
    }
}

struct Reader {
    config: Config,
    errors: Vec<ConfigError>,
    /// The first `save` line replaces the default points, further ones add to it.
    saves_reset: bool,
    /// The files being read, each included by the one before.
    open: Vec<PathBuf>,
}

impl Reader {
    fn file(&mut self, path: &Path, included_at: Option<(&str, usize, &str)>) {
        let identity = std::fs::canonicalize(path).unwrap_or_else(|_| path.into());
        if self.open.contains(&identity) {
            let (source, line, text) = included_at.unwrap_or((COMMAND_LINE, 1, ""));
            return self.error(source, line, text, "include of a file that leads here");
        }
        self.open.push(identity);
        self.lines_of(path, included_at);
        self.open.pop();
    }

    fn lines_of(&mut self, path: &Path, included_at: Option<(&str, usize, &str)>) {
        match std::fs::read(path) {
            Ok(bytes) => {
                let source = path.display().to_string();
                for (index, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
                    self.line(&source, index + 1, line);
                }
            }
            Err(error) => {
                let (source, line, text) = included_at.unwrap_or((COMMAND_LINE, 1, ""));
                self.error(
                    source,
                    line,
                    text,
                    format!("can't open config file '{}': {error}", path.display()),
                );
            }
        }
    }

    fn error(&mut self, source: &str, line: usize, text: &str, reason: impl Into<String>) {
        self.errors.push(ConfigError {
            source: source.into(),
            line,
            text: text.trim().into(),
            reason: reason.into(),
        });
    }

    fn line(&mut self, source: &str, number: usize, text: &str) {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            return;
        }
        let Some(words) = resp::inline::split_args(trimmed.as_bytes()) else {
            return self.error(
                source,
                number,
                text,
                "Unbalanced quotes in configuration line",
            );
        };
        let words: Vec<String> = words
            .into_iter()
            .map(|word| String::from_utf8_lossy(&word).into_owned())
            .collect();
        let Some((name, args)) = words.split_first() else {
            return;
        };
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        match (name.to_ascii_lowercase().as_str(), args.as_slice()) {
            ("include", [pattern]) if self.open.len() <= INCLUDE_DEPTH => {
                for path in included_files(pattern) {
                    self.file(&path, Some((source, number, text)));
                }
            }
            ("include", [_]) => self.error(source, number, text, "include is nested too deep"),
            ("rename-command", [old, new]) => {
                self.config
                    .renamed_commands
                    .push((old.to_string(), new.to_string()));
            }
            ("user", [name, rules @ ..]) => self.user(source, number, text, name, rules),
            // Accepted for old files' sake.
            (
                "list-max-ziplist-entries" | "list-max-ziplist-value" | "lua-replicate-commands",
                [_],
            ) => {}
            (name, _) => self.directive(source, number, text, name, &args),
        }
    }

    fn user(&mut self, source: &str, number: usize, text: &str, name: &str, rules: &[&str]) {
        match self.declared_user(name, rules) {
            Ok(rules) => self.config.users.push((name.into(), rules)),
            Err((at, reason)) => {
                let reason = format!("Error in user declaration '{at}': {reason}");
                self.error(source, number, text, reason);
            }
        }
    }

    /// The rules of a user, tried out on one that nobody keeps; or what is wrong, and with which word.
    fn declared_user(&self, name: &str, rules: &[&str]) -> Result<Vec<Vec<u8>>, (String, String)> {
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if name.contains(char::is_whitespace) {
            return Err((name.into(), "Spaces not allowed in ACL usernames".into()));
        }
        if self.config.users.iter().any(|(known, _)| known == name) {
            let reason = "Duplicate user found. A user can only be defined once in config files";
            return Err((name.into(), reason.into()));
        }
        let rules = front::acl::merge_selector_words(rules).map_err(|selector| {
            let reason = "Unmatched parenthesis in selector definition";
            (shown(&selector), reason.to_string())
        })?;
        // The default user exists already: its line replaces what it may do instead of adding to it.
        let reset = (name == "default").then(|| b"reset".to_vec());
        let rules: Vec<Vec<u8>> = reset.into_iter().chain(rules).collect();
        let (table, _) = crate::commands::table();
        front::acl::Acl::default()
            .set_user(&table, name.as_bytes(), &rules)
            .map_err(|wrong| (shown(&wrong.rule), wrong.error.to_string()))?;
        Ok(rules)
    }

    fn directive(&mut self, source: &str, number: usize, text: &str, name: &str, args: &[&str]) {
        let Some(id) = by_name(name) else {
            return self.error(
                source,
                number,
                text,
                "Bad directive or wrong number of arguments",
            );
        };
        let wanted = directive(id);
        // A list may be written as nothing: of these Redis takes that.
        let args = match args {
            [] if [SAVE, BIND, LATENCY_TRACKING_INFO_PERCENTILES].contains(&id) => &[""],
            args => args,
        };
        if args.len() != 1 && !wanted.has(DirectiveFlag::MultiArg) {
            return self.error(source, number, text, "wrong number of arguments");
        }
        let joined;
        let mut args = args.to_vec();
        if id == super::SAVE {
            let cleared = args == [""];
            if self.saves_reset && !cleared {
                joined = self.config.text(id).to_string();
                args.insert(0, &joined);
            }
            self.saves_reset = true;
        }
        if let Err(reason) = self.config.set(id, &args) {
            self.error(source, number, text, reason);
        }
    }
}

/// The files of an `include`; a pattern that matches nothing includes nothing, a plain path must exist.
fn included_files(pattern: &str) -> Vec<PathBuf> {
    if !pattern.contains(['*', '?', '[']) {
        return vec![PathBuf::from(pattern)];
    }
    let path = Path::new(pattern);
    let (Some(dir), Some(name)) = (
        path.parent(),
        path.file_name().and_then(|name| name.to_str()),
    ) else {
        return Vec::new();
    };
    let dir = if dir.as_os_str().is_empty() {
        Path::new(".")
    } else {
        dir
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| {
            front::glob::matches(name.as_bytes(), entry.file_name().as_encoded_bytes(), false)
        })
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::*;

    fn read(text: &str) -> Result<Config, Vec<ConfigError>> {
        load(None, &text.lines().map(str::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn later_lines_win_and_save_lines_add_up() {
        let config =
            read("port 1\nPORT 2\nsave 900 1\nsave 300 10\n# comment\n\nbind 127.0.0.1 ::1")
                .unwrap();
        assert_eq!(config.integer(PORT), 2);
        assert_eq!(config.text(SAVE), "900 1 300 10");
        assert_eq!(config.text(BIND), "127.0.0.1 ::1");
        assert_eq!(read("save \"\"").unwrap().text(SAVE), "");
        assert_eq!(read("save").unwrap().text(SAVE), "");
        assert_eq!(read("bind").unwrap().text(BIND), "");
        assert_eq!(read("save 1 1\nsave").unwrap().text(SAVE), "");
    }

    #[test]
    fn a_file_that_includes_itself_many_times_is_read_once() {
        let folder =
            std::env::temp_dir().join(format!("platform-kv-include-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("redis.conf");
        std::fs::write(&path, format!("include {}\n", path.display()).repeat(8)).unwrap();
        let errors = load(Some(&path), &[]).err().unwrap();
        assert_eq!(errors.len(), 8, "each line once: {errors:?}");
        assert_eq!(errors[7].reason, "include of a file that leads here");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn every_bad_line_is_reported_with_its_place() {
        let errors = read("port x\nappendonly maybe\nnonsense 1\nmaxmemory 1 2\nrequirepass \"a")
            .err()
            .unwrap();
        let found: Vec<_> = errors.iter().map(|e| (e.line, e.reason.as_str())).collect();
        assert_eq!(
            found,
            [
                (1, "argument couldn't be parsed into an integer"),
                (2, "argument must be 'yes' or 'no'"),
                (3, "Bad directive or wrong number of arguments"),
                (4, "wrong number of arguments"),
                (5, "Unbalanced quotes in configuration line"),
            ]
        );
    }
}
