//! The `sentinel` lines of the configuration file: what a person sets, and what a Sentinel keeps across restarts.

use super::{Addr, Core, Level, Master, Who};
use std::fmt;

/// What is wrong with a `sentinel` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateError(pub String);

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn wrong<T>(text: impl Into<String>) -> Result<T, StateError> {
    Err(StateError(text.into()))
}

/// These hold for all groups and take effect before any group is set up, wherever they stand.
pub const GLOBAL_DIRECTIVES: &[&str] = &[
    "announce-ip",
    "announce-port",
    "deny-scripts-reconfig",
    "sentinel-user",
    "sentinel-pass",
    "current-epoch",
    "myid",
    "resolve-hostnames",
    "announce-hostnames",
];

fn number<T: std::str::FromStr>(word: &str) -> Option<T> {
    word.parse().ok()
}

pub(crate) fn yes_no(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn is_id(word: &str) -> bool {
    word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a file can be run as a script.
pub(crate) type MayRun<'a> = &'a dyn Fn(&str) -> bool;

impl Core {
    /// Takes the words after `sentinel` of one line. Names of groups must have been in a `monitor` line before.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn take_line(&mut self, words: &[&str], may_run: MayRun<'_>) -> Result<(), StateError> {
        let Some((&directive, args)) = words.split_first() else {
            return wrong("Unrecognized sentinel configuration statement.");
        };
        let directive = directive.to_ascii_lowercase();
        if GLOBAL_DIRECTIVES.contains(&directive.as_str()) {
            return self.take_global(&directive, args);
        }
        if directive == "monitor" {
            let [name, host, port, quorum] = args else {
                return wrong("Unrecognized sentinel configuration statement.");
            };
            let Some(quorum) = number::<i64>(quorum).filter(|&quorum| quorum > 0) else {
                return wrong("Quorum must be 1 or greater.");
            };
            let port = number(port).unwrap_or(-1);
            return self
                .monitor(name, host, port, quorum)
                .map_err(|error| StateError(error.to_string()));
        }
        let Some((&name, args)) = args.split_first() else {
            return wrong("Unrecognized sentinel configuration statement.");
        };
        if !self.masters.contains_key(name) {
            return wrong("No such master with specified name.");
        }
        self.with_master(name, |core, master| {
            core.take_group_line(master, &directive, args, may_run)
        })
        .expect("it is there")
    }

    fn take_global(&mut self, directive: &str, args: &[&str]) -> Result<(), StateError> {
        let [value] = args else {
            return wrong("Unrecognized sentinel configuration statement.");
        };
        let value = *value;
        let options = &mut self.options;
        let flag = || yes_no(value);
        match directive {
            "announce-ip" => options.announce_ip = value.to_string(),
            "announce-port" => match number(value) {
                Some(port) => options.announce_port = port,
                None => return wrong("Invalid announce port."),
            },
            "deny-scripts-reconfig" => match flag() {
                Some(deny) => options.scripts_may_change = !deny,
                None => {
                    return wrong(
                        "Please specify yes or no for the deny-scripts-reconfig options.",
                    );
                }
            },
            "resolve-hostnames" => match flag() {
                Some(on) => options.resolve_hostnames = on,
                None => return wrong("Please specify yes or no for the resolve-hostnames option."),
            },
            "announce-hostnames" => match flag() {
                Some(on) => options.announce_hostnames = on,
                None => {
                    return wrong("Please specify yes or no for the announce-hostnames option.");
                }
            },
            "sentinel-user" => options.sentinel_user = value.to_string(),
            "sentinel-pass" => options.sentinel_pass = value.to_string(),
            "current-epoch" => match number::<u64>(value) {
                Some(epoch) => self.epoch = self.epoch.max(epoch),
                None => return wrong("Invalid current epoch."),
            },
            "myid" => match is_id(value) {
                true => self.id = value.to_string(),
                false => return wrong("Malformed Sentinel id in myid option."),
            },
            other => unreachable!("{other} is in the list of global directives"),
        }
        Ok(())
    }

    fn take_group_line(
        &mut self,
        master: &mut Master,
        directive: &str,
        args: &[&str],
        may_run: MayRun<'_>,
    ) -> Result<(), StateError> {
        match (directive, args) {
            ("config-epoch", [epoch]) => match number(epoch) {
                Some(epoch) => master.config_epoch = epoch,
                None => return wrong("Invalid config epoch."),
            },
            ("leader-epoch", [epoch]) => match number(epoch) {
                Some(epoch) => master.leader_epoch = epoch,
                None => return wrong("Invalid leader epoch."),
            },
            ("known-slave" | "known-replica", [host, port]) => {
                let Some(port) = number::<u16>(port).filter(|&port| port > 0) else {
                    return wrong("Wrong hostname or port for replica.");
                };
                self.add_replica(master, &Addr::new(*host, port), false);
            }
            // Without an id, as very old files have it, there is nobody to recognise.
            ("known-sentinel", [_, _]) => {}
            ("known-sentinel", [host, port, id]) => {
                let Some(port) = number(port) else {
                    return wrong("Wrong hostname or port for sentinel.");
                };
                if master.peers.contains_key(*id) {
                    return wrong("Duplicate hostname and port for sentinel.");
                }
                self.add_peer(master, id, Addr::new(*host, port));
            }
            ("rename-command", [old, new]) => {
                let old = old.to_ascii_lowercase();
                if master.renamed_commands.contains_key(&old) {
                    return wrong("Same command renamed multiple times with rename-command.");
                }
                master.renamed_commands.insert(old, new.to_string());
            }
            (_, [value]) => set_option(master, directive, value, may_run)?,
            _ => return wrong("Unrecognized sentinel configuration statement."),
        }
        Ok(())
    }

    /// Sets an option of a group, from SENTINEL SET, and tells of it.
    ///
    /// # Errors
    /// What is wrong with the value.
    pub fn set_option(
        &mut self,
        name: &str,
        option: &str,
        values: &[String],
        may_run: MayRun<'_>,
    ) -> Result<(), StateError> {
        self.with_master(name, |core, master| {
            match (option, values) {
                ("rename-command", [old, new]) => {
                    if old.is_empty() || new.is_empty() {
                        return wrong("a command needs a name");
                    }
                    let old = old.to_ascii_lowercase();
                    // Renamed to itself: no longer renamed.
                    match old == new.to_ascii_lowercase() {
                        true => master.renamed_commands.remove(&old),
                        false => master.renamed_commands.insert(old, new.clone()),
                    };
                }
                ("down-after-milliseconds" | "failover-timeout" | "parallel-syncs", [value])
                    if number::<i64>(value).is_none_or(|number| number <= 0) =>
                {
                    return wrong("it must be positive");
                }
                (_, [value]) => set_option(master, option, value, may_run)?,
                _ => return wrong("wrong number of values"),
            }
            if matches!(option, "auth-pass" | "auth-user") {
                core.reconnect_nodes(master);
            }
            let shown = match option {
                "auth-pass" => "******".to_string(),
                _ => values.join(" "),
            };
            let more = format!(" {option} {shown}");
            core.event(Level::Warning, "+set", master, &Who::Master, &more);
            Ok(())
        })
        .unwrap_or_else(|| wrong("No such master with specified name."))
    }

    /// All `sentinel` lines of the file, each with its kind: lines of a kind take the places of lines of that kind.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        let mut add = |kind: &'static str, rest: String| {
            lines.push((kind, format!("sentinel {kind} {rest}")));
        };
        let yes_no = |on: bool| if on { "yes" } else { "no" }.to_string();
        let quote = |text: &str| resp::inline::quote(text.as_bytes());
        let options = &self.options;
        add("myid", self.id.clone());
        if options.scripts_may_change {
            add("deny-scripts-reconfig", yes_no(false));
        }
        if options.resolve_hostnames {
            add("resolve-hostnames", yes_no(true));
        }
        if options.announce_hostnames {
            add("announce-hostnames", yes_no(true));
        }
        for master in self.masters() {
            self.group_lines(master, &mut add);
        }
        add("current-epoch", self.epoch.to_string());
        if !options.announce_ip.is_empty() {
            add("announce-ip", quote(&options.announce_ip));
        }
        if options.announce_port != 0 {
            add("announce-port", options.announce_port.to_string());
        }
        if !options.sentinel_user.is_empty() {
            add("sentinel-user", options.sentinel_user.clone());
        }
        if !options.sentinel_pass.is_empty() {
            add("sentinel-pass", options.sentinel_pass.clone());
        }
        lines
    }

    fn group_lines(&self, master: &Master, add: &mut impl FnMut(&'static str, String)) {
        let name = &master.instance.name;
        // From its promotion on the successor is the master, also after a crash.
        let addr = master.current_addr();
        let host = self.file_host(&addr.host);
        add(
            "monitor",
            format!("{name} {host} {} {}", addr.port, master.quorum),
        );
        for (option, get, default) in NUMBERS {
            let value = get(master);
            let default = match *option {
                "down-after-milliseconds" => self.periods.default_down_after,
                "failover-timeout" => self.periods.default_failover_timeout,
                _ => *default,
            };
            if value != default {
                add(option, format!("{name} {value}"));
            }
        }
        if !master.coordinated_failover {
            add("coordinated-failover", format!("{name} no"));
        }
        let texts = [
            ("notification-script", master.notification_script.as_deref()),
            (
                "client-reconfig-script",
                master.client_reconfig_script.as_deref(),
            ),
            ("auth-pass", Some(master.auth_pass.as_str())),
            ("auth-user", Some(master.auth_user.as_str())),
        ];
        for (option, text) in texts {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                add(option, format!("{name} {text}"));
            }
        }
        add("config-epoch", format!("{name} {}", master.config_epoch));
        add("leader-epoch", format!("{name} {}", master.leader_epoch));
        let replicas = master.replicas.values().map(|r| &r.instance.addr);
        let successor = master.successor().is_some();
        // The old master is the successor's replica.
        let old = successor.then_some(&master.instance.addr);
        for addr in replicas.filter(|a| !successor || *a != addr).chain(old) {
            let host = self.file_host(&addr.host);
            add("known-replica", format!("{name} {host} {}", addr.port));
        }
        for peer in master.peers.values() {
            let addr = &peer.instance.addr;
            let host = self.file_host(&addr.host);
            add(
                "known-sentinel",
                format!("{name} {host} {} {}", addr.port, peer.instance.name),
            );
        }
        for (old, new) in &master.renamed_commands {
            add("rename-command", format!("{name} {old} {new}"));
        }
    }

    fn file_host(&self, host: &str) -> String {
        self.shown(host)
    }
}

type Number = (&'static str, fn(&Master) -> u64, u64);

/// The options of a group that are numbers, and what they are unless set; two defaults can be changed by SENTINEL DEBUG.
const NUMBERS: &[Number] = &[
    ("down-after-milliseconds", |m| m.down_after, 0),
    ("failover-timeout", |m| m.failover_timeout, 0),
    ("parallel-syncs", |m| u64::from(m.parallel_syncs), 1),
    (
        "master-reboot-down-after-period",
        |m| m.reboot_down_after,
        0,
    ),
    (
        "refused-down-after-milliseconds",
        |m| m.refused_down_after,
        super::group::REFUSED_DOWN_AFTER_MS,
    ),
];

/// Sets an option of a group, from its line or from SENTINEL SET. Longer than the range of a signed number is too long.
pub(crate) fn set_option(
    master: &mut Master,
    option: &str,
    value: &str,
    may_run: MayRun<'_>,
) -> Result<(), StateError> {
    let time = number::<i64>(value);
    let positive = time.filter(|&time| time > 0).map(|time| time as u64);
    let not_negative = time.filter(|&time| time >= 0).map(|time| time as u64);
    match option {
        "down-after-milliseconds" => match positive {
            Some(time) => master.down_after = time,
            None => return wrong("negative or zero time parameter."),
        },
        "failover-timeout" => match positive {
            Some(time) => master.failover_timeout = time,
            None => return wrong("negative or zero time parameter."),
        },
        "master-reboot-down-after-period" => match not_negative {
            Some(time) => master.reboot_down_after = time,
            None => return wrong("negative time parameter."),
        },
        "refused-down-after-milliseconds" => match not_negative {
            Some(time) => master.refused_down_after = time,
            None => return wrong("negative time parameter."),
        },
        "parallel-syncs" => match number::<i32>(value) {
            Some(count) => master.parallel_syncs = count.max(0) as u32,
            None => return wrong("Invalid number of parallel syncs."),
        },
        "quorum" => match number::<u32>(value).filter(|&quorum| quorum > 0) {
            Some(quorum) => master.quorum = quorum,
            None => return wrong("Quorum must be 1 or greater."),
        },
        "coordinated-failover" => match yes_no(value) {
            Some(on) => master.coordinated_failover = on,
            None => return wrong("Please specify yes or no for the coordinated-failover option."),
        },
        "notification-script" | "client-reconfig-script" => {
            if !value.is_empty() && !may_run(value) {
                let kind = match option {
                    "notification-script" => "Notification",
                    _ => "Client reconfiguration",
                };
                return wrong(format!(
                    "{kind} script seems non existing or non executable."
                ));
            }
            let script = (!value.is_empty()).then(|| value.to_string());
            match option {
                "notification-script" => master.notification_script = script,
                _ => master.client_reconfig_script = script,
            }
        }
        "auth-pass" => master.auth_pass = value.to_string(),
        "auth-user" => master.auth_user = value.to_string(),
        _ => return wrong("Unrecognized sentinel configuration statement."),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Core, String> {
        let mut core = Core::new("0".repeat(40), 1);
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            core.take_line(&words[1..], &|_| true)
                .map_err(|error| format!("{line}: {error}"))?;
        }
        Ok(core)
    }

    #[test]
    fn what_is_written_reads_as_the_same_state() {
        let id = "b".repeat(40);
        let text = format!(
            "sentinel myid {}\nsentinel deny-scripts-reconfig no\nsentinel monitor m 10.0.0.1 6379 2\n\
             sentinel down-after-milliseconds m 5000\nsentinel failover-timeout m 10000\nsentinel parallel-syncs m 2\n\
             sentinel refused-down-after-milliseconds m 0\nsentinel coordinated-failover m no\n\
             sentinel notification-script m /bin/x\nsentinel auth-pass m secret\nsentinel auth-user m bob\n\
             sentinel config-epoch m 7\nsentinel leader-epoch m 8\nsentinel known-replica m 10.0.0.2 6380\n\
             sentinel known-sentinel m 10.0.0.3 26379 {id}\nsentinel rename-command m config c0nf\n\
             sentinel current-epoch 9\nsentinel announce-port 7\nsentinel sentinel-user s\nsentinel sentinel-pass p",
            "a".repeat(40)
        );
        let core = read(&text).unwrap();
        let lines: Vec<String> = core.lines().into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines.join("\n"), text);
    }

    #[test]
    fn bad_lines_say_what_is_wrong() {
        for (line, reason) in [
            ("sentinel monitor m 10.0.0.1 6379 0", "Quorum must be"),
            ("sentinel monitor m a.name 6379 1", "Can't resolve"),
            ("sentinel monitor m 10.0.0.1 6379", "Unrecognized"),
            ("sentinel down-after-milliseconds x 1", "No such master"),
            ("sentinel myid short", "Malformed Sentinel id"),
            ("sentinel resolve-hostnames maybe", "yes or no"),
            ("sentinel nonsense", "Unrecognized"),
        ] {
            let found = read(line).err().unwrap();
            assert!(found.contains(reason), "{found}");
        }
        let group = "sentinel monitor m 10.0.0.1 6379 1\n";
        for (line, reason) in [
            ("sentinel down-after-milliseconds m 0", "negative or zero"),
            (
                "sentinel known-replica m 10.0.0.2 0",
                "Wrong hostname or port",
            ),
            ("sentinel parallel-syncs m x", "parallel syncs"),
            ("sentinel monitor m 10.0.0.1 6379 1", "Duplicate master"),
        ] {
            let found = read(&format!("{group}{line}")).err().unwrap();
            assert!(found.contains(reason), "{found}");
        }
    }
}
