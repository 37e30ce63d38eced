//! Directives with a syntax of their own: each parser turns the words into one canonical text, and a typed reader gives
//! the code what that text means.

use crate::effects::EventClass;
use front::OutputLimit;

use super::kind::parse_memory;

fn words<'a>(args: &[&'a str]) -> Vec<&'a str> {
    args.iter()
        .flat_map(|arg| arg.split_ascii_whitespace())
        .collect()
}

pub(super) fn save(args: &[&str]) -> Result<String, String> {
    let words = words(args);
    if !words.len().is_multiple_of(2) {
        return Err("Invalid save parameters".into());
    }
    for pair in words.chunks(2) {
        let seconds = pair[0].parse::<i64>().ok().filter(|seconds| *seconds >= 1);
        let changes = pair[1].parse::<i32>().ok().filter(|changes| *changes >= 0);
        if seconds.is_none() || changes.is_none() {
            return Err("Invalid save parameters".into());
        }
    }
    Ok(words.join(" "))
}

pub(super) fn bind(args: &[&str]) -> Result<String, String> {
    /// As many as the server listens on.
    const ADDRESSES_MAX: usize = 16;
    let words = words(args);
    if words.len() > ADDRESSES_MAX {
        return Err("Too many bind addresses specified.".into());
    }
    Ok(words.join(" "))
}

pub(super) fn dir(args: &[&str]) -> Result<String, String> {
    match args {
        [path] => Ok((*path).to_string()),
        _ => Err("wrong number of arguments".into()),
    }
}

pub(super) fn replicaof(args: &[&str]) -> Result<String, String> {
    match words(args).as_slice() {
        [] | ["no", "one"] => Ok(String::new()),
        [host, port] => match port.parse::<u16>() {
            Ok(port) => Ok(format!("{host} {port}")),
            _ => Err("Invalid master port".into()),
        },
        _ => Err("wrong number of arguments".into()),
    }
}

pub(super) fn percentiles(args: &[&str]) -> Result<String, String> {
    let mut canonical = Vec::new();
    let text = args.join(" ");
    // Each space separates: two in a row have an empty word between them.
    for word in text.split(' ').filter(|_| !text.is_empty()) {
        let number: f64 = word
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .ok_or("Invalid latency-tracking-info-percentiles parameters")?;
        if !(0.0..=100.0).contains(&number) {
            return Err(
                "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"
                    .into(),
            );
        }
        let text = format!("{number:.6}");
        canonical.push(text.trim_end_matches('0').trim_end_matches('.').to_string());
    }
    Ok(canonical.join(" "))
}

/// The numbers of a canonical text.
pub(crate) fn numbers(text: &str) -> Vec<f64> {
    words(&[text])
        .iter()
        .filter_map(|word| word.parse().ok())
        .collect()
}

pub(super) fn hostname(args: &[&str]) -> Result<String, String> {
    /// As long as a name in the DNS.
    const LONGEST: usize = 255;
    let [name] = args else {
        return Err("wrong number of arguments".into());
    };
    if name.len() > LONGEST {
        return Err(format!(
            "Hostnames must be less than {} characters",
            LONGEST + 1
        ));
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    match name.bytes().all(allowed) {
        true => Ok((*name).to_string()),
        false => Err("Hostnames may only contain alphanumeric characters, hyphens or dots".into()),
    }
}

pub(super) fn proc_title_template(args: &[&str]) -> Result<String, String> {
    let [template] = args else {
        return Err("wrong number of arguments".into());
    };
    match crate::process_title::expand(template, |_| Some(String::from("x"))) {
        Some(title) if !title.is_empty() => Ok((*template).to_string()),
        _ => Err("template format is invalid or contains unknown variables".into()),
    }
}

pub(super) fn oom_score_adj_values(args: &[&str]) -> Result<String, String> {
    let words = words(args);
    if words.len() != 3 {
        return Err("wrong number of arguments".into());
    }
    for word in &words {
        if !word
            .parse::<i32>()
            .is_ok_and(|value| (-2000..=2000).contains(&value))
        {
            return Err(
                "Invalid oom-score-adj-values, elements must be between -2000 and 2000.".into(),
            );
        }
    }
    Ok(words.join(" "))
}

/// The classes of `client-output-buffer-limit`, as CONFIG GET orders them; a replica's old name is printed.
const OUTPUT_CLASSES: [(&str, &str); 3] = [
    ("normal", "normal"),
    ("slave", "replica"),
    ("pubsub", "pubsub"),
];

pub(super) fn client_output_buffer_limit(args: &[&str]) -> Result<String, String> {
    let words = words(args);
    if !words.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    let mut text = Vec::new();
    for limit in words.chunks(4) {
        let class = OUTPUT_CLASSES
            .iter()
            .find(|(old, new)| {
                limit[0].eq_ignore_ascii_case(old) || limit[0].eq_ignore_ascii_case(new)
            })
            .ok_or("Invalid client class specified in buffer limit configuration.")?;
        let error = "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
        let hard = parse_memory(limit[1]).ok_or(error)?;
        let soft = parse_memory(limit[2]).ok_or(error)?;
        let seconds = limit[3].parse::<u32>().map_err(|_| error)?;
        text.push(format!("{} {hard} {soft} {seconds}", class.0));
    }
    Ok(text.join(" "))
}

/// The lines that state a canonical `client-output-buffer-limit`, one for each class by its present name.
pub(super) fn output_limit_lines(text: &str) -> Vec<String> {
    let words = words(&[text]);
    let limits = words.chunks(4).zip(OUTPUT_CLASSES);
    limits
        .filter_map(|(limit, (_, name))| {
            let [_, hard, soft, seconds] = *limit else {
                return None;
            };
            let [hard, soft] = [hard, soft].map(|bytes| human_bytes(bytes.parse().unwrap_or(0)));
            Some(format!("{name} {hard} {soft} {seconds}"))
        })
        .collect()
}

/// Bytes in the largest unit that divides them: `2gb`, `1500000`.
pub(super) fn human_bytes(bytes: i64) -> String {
    let units = [(1 << 30, "gb"), (1 << 20, "mb"), (1 << 10, "kb")];
    let unit = units
        .into_iter()
        .find(|(unit, _)| bytes != 0 && bytes % unit == 0);
    match unit {
        Some((unit, name)) => format!("{}{name}", bytes / unit),
        None => bytes.to_string(),
    }
}

/// A partial `client-output-buffer-limit` over the present one: classes not named keep theirs.
pub(super) fn merge_output_limits(present: &str, change: &str) -> String {
    let mut limits: Vec<Vec<&str>> = words(&[present]).chunks(4).map(<[&str]>::to_vec).collect();
    for limit in words(&[change]).chunks(4) {
        if let Some(place) = limits.iter_mut().find(|place| place[0] == limit[0]) {
            *place = limit.to_vec();
        }
    }
    limits.concat().join(" ")
}

/// `client-output-buffer-limit` by class: normal, replica, pubsub.
pub(crate) fn output_limits(text: &str) -> [OutputLimit; 3] {
    let words = words(&[text]);
    let number = |at: usize| {
        words
            .get(at)
            .and_then(|word| word.parse::<usize>().ok())
            .unwrap_or(0)
    };
    [0, 1, 2].map(|class| OutputLimit {
        hard_bytes: number(class * 4 + 1),
        soft_bytes: number(class * 4 + 2),
        soft_seconds: number(class * 4 + 3) as u64,
    })
}

/// As CONFIG GET shows a canonical `notify-keyspace-events`: `A` hides `n`, though it does not include it.
pub(super) fn shown_events(text: &str) -> String {
    match text.contains('A') {
        true => text.replace('n', ""),
        false => text.into(),
    }
}

/// The letters of `notify-keyspace-events`, in the order CONFIG GET prints them.
const EVENT_LETTERS: [(char, EventClass); 13] = [
    ('g', EventClass::GENERIC),
    ('$', EventClass::STRING),
    ('l', EventClass::LIST),
    ('s', EventClass::SET),
    ('h', EventClass::HASH),
    ('z', EventClass::SORTED_SET),
    ('x', EventClass::EXPIRED),
    ('e', EventClass::EVICTED),
    ('t', EventClass::STREAM),
    ('d', EventClass::MODULE),
    ('K', EventClass::KEYSPACE),
    ('E', EventClass::KEYEVENT),
    ('m', EventClass::KEY_MISS),
];

/// `A` stands for these.
fn all_events() -> EventClass {
    EVENT_LETTERS[..10]
        .iter()
        .fold(EventClass::NONE, |all, (_, class)| all.and(*class))
}

/// The classes of a `notify-keyspace-events` text; None if a letter is unknown.
pub(crate) fn event_classes(text: &str) -> Option<EventClass> {
    text.chars()
        .try_fold(EventClass::NONE, |all, letter| match letter {
            'A' => Some(all.and(all_events())),
            'n' => Some(all.and(EventClass::NEW)),
            _ => EVENT_LETTERS
                .iter()
                .find(|(known, _)| *known == letter)
                .map(|(_, class)| all.and(*class)),
        })
}

pub(super) fn notify_keyspace_events(args: &[&str]) -> Result<String, String> {
    let [text] = args else {
        return Err("wrong number of arguments".into());
    };
    let classes =
        event_classes(text).ok_or("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")?;
    let mut canonical = String::new();
    if classes.has(all_events()) {
        canonical.push('A');
    } else {
        canonical.extend(
            EVENT_LETTERS[..10]
                .iter()
                .filter(|(_, class)| classes.any(*class))
                .map(|(c, _)| c),
        );
    }
    if classes.any(EventClass::NEW) {
        canonical.push('n');
    }
    canonical.extend(
        EVENT_LETTERS[10..]
            .iter()
            .filter(|(_, class)| classes.any(*class))
            .map(|(c, _)| c),
    );
    Ok(canonical)
}
