//! The directives of sentinel.conf that are not Sentinel's own: where it listens, what it logs, who may talk to it.

use front::log::Level;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) port: u16,
    pub(crate) bind: String,
    pub(crate) tcp_backlog: i32,
    pub(crate) unixsocket: String,
    pub(crate) unixsocketperm: u32,
    pub(crate) dir: String,
    pub(crate) logfile: String,
    pub(crate) log_level: Level,
    pub(crate) log_json: bool,
    pub(crate) daemonize: bool,
    pub(crate) pidfile: String,
    pub(crate) protected_mode: bool,
    pub(crate) requirepass: String,
    pub(crate) aclfile: String,
    pub(crate) acllog_max_len: usize,
    pub(crate) maxclients: usize,
    pub(crate) timeout_seconds: u64,
    pub(crate) tcp_keepalive_seconds: u32,
    /// Names and rules.
    pub(crate) users: Vec<(String, Vec<Vec<u8>>)>,
}

/// Where a Sentinel listens unless told otherwise.
pub(crate) const DEFAULT_PORT: u16 = 26379;

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            port: DEFAULT_PORT,
            bind: front::listen::BIND_ALL.into(),
            tcp_backlog: 511,
            unixsocket: String::new(),
            unixsocketperm: 0,
            dir: String::new(),
            logfile: String::new(),
            log_level: Level::Notice,
            log_json: false,
            daemonize: false,
            pidfile: String::new(),
            // Whoever runs a Sentinel wants others to reach it.
            protected_mode: false,
            requirepass: String::new(),
            aclfile: String::new(),
            acllog_max_len: 128,
            maxclients: 10_000,
            timeout_seconds: 0,
            tcp_keepalive_seconds: 300,
            users: Vec::new(),
        }
    }
}

/// What became of a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Yes,
    /// It is not a directive of a Sentinel.
    NotMine,
}

impl Settings {
    /// Takes a directive and the words after it.
    ///
    /// # Errors
    /// The reason, in the words people know from redis.conf.
    pub(crate) fn take(&mut self, name: &str, words: &[&str]) -> Result<Taken, String> {
        if name == "user" {
            let Some((user, rules)) = words.split_first() else {
                return Err("wrong number of arguments".into());
            };
            let rules: Vec<&[u8]> = rules.iter().map(|rule| rule.as_bytes()).collect();
            let rules = front::acl::merge_selector_words(&rules)
                .map_err(|_| "Unmatched parenthesis in acl selector".to_string())?;
            self.users.push((user.to_string(), rules));
            return Ok(Taken::Yes);
        }
        if name == "bind" {
            self.bind = words.join(" ");
            return Ok(Taken::Yes);
        }
        let one = match words {
            [one] => Ok(*one),
            _ => Err("wrong number of arguments".to_string()),
        };
        match name {
            "port" => self.port = number(one?, 0, 65535)? as u16,
            "tcp-backlog" => self.tcp_backlog = number(one?, 0, i32::MAX.into())? as i32,
            "unixsocket" => self.unixsocket = one?.into(),
            "unixsocketperm" => {
                self.unixsocketperm = u32::from_str_radix(one?, 8)
                    .ok()
                    .filter(|mode| *mode <= 0o777)
                    .ok_or("argument couldn't be parsed into an integer")?;
            }
            "dir" => self.dir = one?.into(),
            "logfile" => self.logfile = one?.into(),
            "loglevel" => {
                self.log_level = match one? {
                    "debug" => Level::Debug,
                    "verbose" => Level::Verbose,
                    "notice" => Level::Notice,
                    "warning" => Level::Warning,
                    _ => {
                        return Err(
                            "argument(s) must be one of the following: debug, verbose, notice, warning"
                                .into(),
                        );
                    }
                }
            }
            "platform-kv-log-format" => {
                self.log_json = match one? {
                    "json" => true,
                    "redis" => false,
                    _ => {
                        return Err("argument(s) must be one of the following: redis, json".into());
                    }
                }
            }
            "daemonize" => self.daemonize = flag(one?)?,
            "pidfile" => self.pidfile = one?.into(),
            "protected-mode" => self.protected_mode = flag(one?)?,
            "requirepass" => self.requirepass = one?.into(),
            "aclfile" => self.aclfile = one?.into(),
            "acllog-max-len" => self.acllog_max_len = number(one?, 0, i64::MAX)? as usize,
            "maxclients" => self.maxclients = number(one?, 1, u32::MAX.into())? as usize,
            "timeout" => self.timeout_seconds = number(one?, 0, i32::MAX.into())? as u64,
            "tcp-keepalive" => {
                self.tcp_keepalive_seconds = number(one?, 0, i32::MAX.into())? as u32;
            }
            "tls-port" if one != Ok("0") => {
                return Err("TLS is not available here: set tls-port to 0".into());
            }
            _ => return Ok(Taken::NotMine),
        }
        Ok(Taken::Yes)
    }
}

fn flag(word: &str) -> Result<bool, String> {
    match word.to_ascii_lowercase().as_str() {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("argument must be 'yes' or 'no'".into()),
    }
}

fn number(word: &str, least: i64, most: i64) -> Result<i64, String> {
    let number: i64 = word
        .parse()
        .map_err(|_| "argument couldn't be parsed into an integer".to_string())?;
    match (least..=most).contains(&number) {
        true => Ok(number),
        false => Err(format!(
            "argument must be between {least} and {most} inclusive"
        )),
    }
}
