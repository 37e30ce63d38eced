//! What the command line asks for, with all the ways of writing it that Redis takes.

use crate::config;
use std::io::Read;
use std::path::PathBuf;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Help,
    Version,
    CheckConfig(Source),
    Run(Source),
}

/// Where the configuration comes from.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) file: Option<PathBuf>,
    /// More lines: from standard input, then from options.
    pub(crate) lines: Vec<String>,
}

/// Understands the words after the program's name. `stdin` is read if a lone dash asks for it.
pub(crate) fn parse(args: &[String], stdin: &mut dyn Read) -> Request {
    match args {
        [word] if matches!(word.as_str(), "--help" | "-h") => return Request::Help,
        [word] if matches!(word.as_str(), "--version" | "-v") => return Request::Version,
        _ => {}
    }
    let (check, args): (Vec<&String>, Vec<&String>) =
        args.iter().partition(|word| *word == "--check-config");
    let mut words = args.as_slice();
    let mut source = Source::default();
    if let [first, rest @ ..] = words
        && !first.starts_with("--")
        && *first != "-"
    {
        source.file = Some(PathBuf::from(first));
        words = rest;
    }
    let mut from_stdin = false;
    if let [first, rest @ ..] = words
        && *first == "-"
    {
        (from_stdin, words) = (true, rest);
    }
    if let [rest @ .., last] = words
        && *last == "-"
    {
        (from_stdin, words) = (true, rest);
    }
    if from_stdin {
        let mut text = Vec::new();
        // What cannot be read is not there; the directives given otherwise still count.
        let _ = stdin.read_to_end(&mut text);
        let text = String::from_utf8_lossy(&text);
        source.lines.extend(text.lines().map(str::to_string));
    }
    source.lines.extend(option_lines(words));
    match check.is_empty() {
        true => Request::Run(source),
        false => Request::CheckConfig(source),
    }
}

/// Options as lines of redis.conf. A word with two dashes begins a directive, unless the directive before it still lacks
/// a value: then it is that value.
fn option_lines(words: &[&String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut wants_value = false;
    for (index, word) in words.iter().enumerate() {
        let name = word.strip_prefix("--").filter(|_| !wants_value);
        let Some(name) = name else {
            wants_value = false;
            match lines.last_mut() {
                Some(line) => line.push(' '),
                None => lines.push(String::new()),
            }
            let line = lines.last_mut().expect("there is one by now");
            line.push_str(&resp::inline::quote(word.as_bytes()));
            continue;
        };
        lines.push(name.to_string());
        // `--port 7777` may also come as one word.
        let alone = resp::inline::split_args(name.as_bytes()).is_none_or(|parts| parts.len() == 1);
        let next_is_option = words
            .get(index + 1)
            .is_none_or(|next| next.starts_with("--"));
        if alone && next_is_option && config::by_name(name) == Some(config::SAVE) {
            // The one directive that means something without a value.
            lines.last_mut().expect("just added").push_str(" \"\"");
        } else {
            wants_value = alone;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(words: &[&str]) -> Vec<String> {
        let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
        match parse(&words, &mut "hz 20\n\nport 1".as_bytes()) {
            Request::Run(source) => source.lines,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_become_lines_of_redis_conf() {
        assert_eq!(
            lines(&["--port", "1", "--bind", "a", "b"]),
            ["port \"1\"", "bind \"a\" \"b\""]
        );
        assert_eq!(
            lines(&["--maxmemory 700mb", "--hz 5"]),
            ["maxmemory 700mb", "hz 5"]
        );
        assert_eq!(
            lines(&["/x.conf", "loglevel", "verbose", "--hz '5'"]),
            ["\"loglevel\" \"verbose\"", "hz '5'"]
        );
    }

    #[test]
    fn the_first_value_of_an_option_may_look_like_an_option() {
        assert_eq!(
            lines(&["--port", "--loglevel", "verbose"]),
            ["port \"--loglevel\" \"verbose\""]
        );
        assert_eq!(
            lines(&["--port", "--bla", "--loglevel", "verbose"]),
            ["port \"--bla\"", "loglevel \"verbose\""]
        );
        assert_eq!(
            lines(&["--replicaof", "--127.0.0.1", "--abc"]),
            ["replicaof \"--127.0.0.1\"", "abc"]
        );
        assert_eq!(
            lines(&["--proc-title-template --my--title", "--hz", "1"]),
            ["proc-title-template --my--title", "hz \"1\""]
        );
        assert_eq!(lines(&["--port"]), ["port"]);
    }

    #[test]
    fn save_without_a_value_saves_nothing() {
        assert_eq!(lines(&["--save"]), ["save \"\""]);
        assert_eq!(lines(&["--save", "--hz", "1"]), ["save \"\"", "hz \"1\""]);
        assert_eq!(
            lines(&["--save", "", "--hz", "1"]),
            ["save \"\"", "hz \"1\""]
        );
        assert_eq!(
            lines(&["--proc-title-template", "--save", "--save", ""]),
            ["proc-title-template \"--save\"", "save \"\""]
        );
    }

    #[test]
    fn a_dash_reads_standard_input_before_the_options() {
        assert_eq!(lines(&["-"]), ["hz 20", "", "port 1"]);
        assert_eq!(
            lines(&["/x.conf", "--hz", "3", "-"]),
            ["hz 20", "", "port 1", "hz \"3\""]
        );
    }

    #[test]
    fn help_and_version_stand_alone() {
        let parse = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
            parse(&words, &mut std::io::empty())
        };
        assert_eq!(parse(&["--help"]), Request::Help);
        assert_eq!(parse(&["-v"]), Request::Version);
        let check = parse(&["/x.conf", "--check-config", "--hz", "1"]);
        let source = Source {
            file: Some("/x.conf".into()),
            lines: vec!["hz \"1\"".into()],
        };
        assert_eq!(check, Request::CheckConfig(source));
    }
}
