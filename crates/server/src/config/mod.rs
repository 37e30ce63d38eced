//! redis.conf: the values of all directives, from defaults, file, command line and CONFIG SET.

mod apply;
mod directives;
mod file;
mod kind;
mod rewrite;
pub(crate) mod special;

pub use directives::*;
pub use file::{ConfigError, load};
use kind::ConfigValue;
pub(crate) use kind::parse_memory;
pub(crate) use rewrite::Extent;

/// The value of every directive.
#[derive(Clone)]
pub struct Config {
    values: Vec<ConfigValue>,
    /// `rename-command OLD NEW` lines, in order.
    pub renamed_commands: Vec<(String, String)>,
    /// `user NAME RULE ...` lines: names and rules.
    pub users: Vec<(String, Vec<Vec<u8>>)>,
    /// The configuration file's absolute path, or empty.
    pub file: String,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            values: DIRECTIVES
                .iter()
                .map(|directive| directive.kind.default_value())
                .collect(),
            renamed_commands: Vec::new(),
            users: Vec::new(),
            file: String::new(),
        }
    }
}

const HZ_LEAST: i64 = 1;
const HZ_MOST: i64 = 500;
const REPL_BACKLOG_LEAST_BYTES: i64 = 16 * 1024;

/// Finds a directive by either of its names, in any case.
pub(crate) fn by_name(name: &str) -> Option<DirectiveId> {
    DIRECTIVES
        .iter()
        .position(|d| {
            d.name.eq_ignore_ascii_case(name)
                || (!d.alias.is_empty() && d.alias.eq_ignore_ascii_case(name))
        })
        .map(|index| DirectiveId(index as u16))
}

/// Whether a word is a directive of redis.conf, in any case.
pub fn is_directive(name: &str) -> bool {
    let other = ["include", "rename-command", "loadmodule", "user"];
    by_name(name).is_some() || other.iter().any(|known| name.eq_ignore_ascii_case(known))
}

pub(crate) fn directive(id: DirectiveId) -> &'static Directive {
    &DIRECTIVES[id.0 as usize]
}

impl Config {
    /// A yes-or-no directive.
    ///
    /// # Panics
    /// If the directive is of another kind: a mistake in the code.
    pub fn bool(&self, id: DirectiveId) -> bool {
        match &self.values[id.0 as usize] {
            ConfigValue::Bool(value) => *value,
            other => panic!("{} is {other:?}, not a bool", directive(id).name),
        }
    }

    /// A number or an amount of memory.
    ///
    /// # Panics
    /// If the directive is of another kind: a mistake in the code.
    pub fn integer(&self, id: DirectiveId) -> i64 {
        match &self.values[id.0 as usize] {
            ConfigValue::Integer(value) => *value,
            other => panic!("{} is {other:?}, not a number", directive(id).name),
        }
    }

    /// A word or a text in canonical form.
    ///
    /// # Panics
    /// If the directive is of another kind: a mistake in the code.
    pub fn text(&self, id: DirectiveId) -> &str {
        match &self.values[id.0 as usize] {
            ConfigValue::Text(value) => value,
            other => panic!("{} is {other:?}, not a text", directive(id).name),
        }
    }

    /// Whether the process would have another title than with these values.
    pub(crate) fn title_differs(&self, other: &Config) -> bool {
        [PROC_TITLE_TEMPLATE, PORT, TLS_PORT, BIND]
            .into_iter()
            .any(|id| self.value(id) != other.value(id))
    }

    pub(super) fn value(&self, id: DirectiveId) -> &ConfigValue {
        &self.values[id.0 as usize]
    }

    /// The value as CONFIG GET shows it.
    pub(crate) fn print(&self, id: DirectiveId) -> String {
        let value = directive(id).kind.print(self.value(id));
        match id {
            NOTIFY_KEYSPACE_EVENTS => special::shown_events(&value),
            _ => value,
        }
    }

    /// Sets a directive from the words after its name.
    ///
    /// # Errors
    /// The reason, in the words clients know.
    pub(crate) fn set(&mut self, id: DirectiveId, words: &[&str]) -> Result<(), String> {
        let kind = &directive(id).kind;
        let mut value = kind.parse(words)?;
        if id == CLIENT_OUTPUT_BUFFER_LIMIT
            && let ConfigValue::Text(change) = &value
        {
            value = ConfigValue::Text(special::merge_output_limits(self.text(id), change));
        }
        // These take any number and make the best of it.
        match (id, &mut value) {
            (HZ, ConfigValue::Integer(hz)) => *hz = (*hz).clamp(HZ_LEAST, HZ_MOST),
            (REPL_BACKLOG_SIZE, ConfigValue::Integer(bytes)) => {
                *bytes = (*bytes).max(REPL_BACKLOG_LEAST_BYTES);
            }
            _ => {}
        }
        self.values[id.0 as usize] = value;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_prints_as_it_parses() {
        let config = Config::default();
        for (index, directive) in DIRECTIVES.iter().enumerate() {
            let printed = config.print(DirectiveId(index as u16));
            if printed.is_empty() {
                continue;
            }
            let parsed = directive
                .kind
                .parse(&[&printed])
                .unwrap_or_else(|e| panic!("{}: {e}", directive.name));
            assert_eq!(directive.kind.print(&parsed), printed, "{}", directive.name);
        }
    }

    #[test]
    fn names_and_aliases_are_unique() {
        let mut names: Vec<&str> = DIRECTIVES
            .iter()
            .flat_map(|d| [d.name, d.alias])
            .filter(|name| !name.is_empty())
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_partial_output_limit_keeps_the_other_classes() {
        let mut config = Config::default();
        config
            .set(CLIENT_OUTPUT_BUFFER_LIMIT, &["pubsub", "1mb", "2mb", "3"])
            .unwrap();
        assert_eq!(
            config.text(CLIENT_OUTPUT_BUFFER_LIMIT),
            "normal 0 0 0 slave 268435456 67108864 60 pubsub 1048576 2097152 3"
        );
    }
}
