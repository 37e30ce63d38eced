//! The kinds of directive values: how words become a value and how a value prints.

/// A directive's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConfigValue {
    Bool(bool),
    Integer(i64),
    Text(String),
}

/// Parses a directive of its own syntax into its canonical text.
pub(crate) type Canonical = fn(&[&str]) -> Result<String, String>;

/// See the module.
pub(crate) enum Kind {
    /// yes or no; the default.
    Bool(bool),
    /// Default, least, most.
    Integer(i64, i64, i64),
    /// Bytes, with units; default, least.
    Memory(i64, i64),
    /// Bytes or `n%`.
    MemoryOrPercent(&'static str),
    /// File mode; default.
    Octal(i64),
    /// One of these words; the default.
    Choice(&'static [&'static str], &'static str),
    /// Several of these words; the default.
    Choices(&'static [&'static str], &'static str),
    /// Any text; the default.
    Text(&'static str),
    /// A syntax of its own; the default in canonical form.
    Special(&'static str, Canonical),
}

impl Kind {
    pub(crate) fn default_value(&self) -> ConfigValue {
        match *self {
            Kind::Bool(value) => ConfigValue::Bool(value),
            Kind::Integer(value, ..) | Kind::Memory(value, _) | Kind::Octal(value) => {
                ConfigValue::Integer(value)
            }
            Kind::MemoryOrPercent(text)
            | Kind::Choice(_, text)
            | Kind::Choices(_, text)
            | Kind::Text(text)
            | Kind::Special(text, _) => ConfigValue::Text(text.to_string()),
        }
    }

    /// The value of the words after a directive's name.
    ///
    /// # Errors
    /// The reason, in the words clients know.
    pub(crate) fn parse(&self, words: &[&str]) -> Result<ConfigValue, String> {
        if let Kind::Special(_, canonical) = self {
            return canonical(words).map(ConfigValue::Text);
        }
        if let Kind::Choices(of, _) = self {
            let words: Vec<&str> = words
                .iter()
                .flat_map(|word| word.split(' '))
                .filter(|w| !w.is_empty())
                .collect();
            let mut chosen = Vec::new();
            for word in &words {
                let known = of.iter().find(|choice| choice.eq_ignore_ascii_case(word));
                chosen.push(*known.ok_or_else(|| not_a_choice(of))?);
            }
            if chosen.is_empty() {
                return Err(not_a_choice(of));
            }
            // `default` means no choice at all; with others it adds nothing.
            let mut ordered: Vec<&str> = of
                .iter()
                .copied()
                .filter(|w| *w != "default" && chosen.contains(w))
                .collect();
            if ordered.is_empty() {
                ordered.push("default");
            }
            return Ok(ConfigValue::Text(ordered.join(" ")));
        }
        let [word] = words else {
            return Err("wrong number of arguments".into());
        };
        match self {
            Kind::Bool(_) => match word.to_ascii_lowercase().as_str() {
                "yes" => Ok(ConfigValue::Bool(true)),
                "no" => Ok(ConfigValue::Bool(false)),
                _ => Err("argument must be 'yes' or 'no'".into()),
            },
            Kind::Integer(_, least, most) => {
                let value = store::int::parse_i64(word.as_bytes())
                    .ok_or("argument couldn't be parsed into an integer")?;
                within(value, *least, *most)
            }
            Kind::Memory(_, least) => {
                let value = parse_memory(word).ok_or("argument must be a memory value")?;
                match i64::try_from(value) {
                    Ok(value) => within(value, *least, i64::MAX),
                    Err(_) => Err(out_of_range(*least, i64::MAX)),
                }
            }
            Kind::MemoryOrPercent(_) => {
                if let Some(percent) = word.strip_suffix('%') {
                    return match percent.parse::<u64>() {
                        Ok(percent @ 0..=100) => Ok(ConfigValue::Text(format!("{percent}%"))),
                        Ok(_) => Err("percentage argument must be less or equal to 100".into()),
                        Err(_) => Err("argument must be a memory or percent value".into()),
                    };
                }
                let value =
                    parse_memory(word).ok_or("argument must be a memory or percent value")?;
                Ok(ConfigValue::Text(value.to_string()))
            }
            Kind::Octal(_) => {
                let value = i64::from_str_radix(word, 8)
                    .map_err(|_| "argument couldn't be parsed as an octal number")?;
                match value {
                    0..=0o777 => Ok(ConfigValue::Integer(value)),
                    _ => Err("argument must be between 0 and 777 inclusive".into()),
                }
            }
            Kind::Choice(of, _) => of
                .iter()
                .find(|choice| choice.eq_ignore_ascii_case(word))
                .map(|choice| ConfigValue::Text(choice.to_string()))
                .ok_or_else(|| not_a_choice(of)),
            Kind::Text(_) => Ok(ConfigValue::Text(word.to_string())),
            Kind::Choices(..) | Kind::Special(..) => unreachable!("handled above"),
        }
    }

    /// The value as CONFIG GET shows it.
    pub(crate) fn print(&self, value: &ConfigValue) -> String {
        match value {
            ConfigValue::Bool(value) => if *value { "yes" } else { "no" }.to_string(),
            ConfigValue::Integer(value) if matches!(self, Kind::Octal(_)) => format!("{value:o}"),
            ConfigValue::Integer(value) => value.to_string(),
            ConfigValue::Text(text) => text.clone(),
        }
    }
}

fn not_a_choice(of: &[&str]) -> String {
    format!(
        "argument(s) must be one of the following: {}",
        of.join(", ")
    )
}

fn within(value: i64, least: i64, most: i64) -> Result<ConfigValue, String> {
    if (least..=most).contains(&value) {
        Ok(ConfigValue::Integer(value))
    } else {
        Err(out_of_range(least, most))
    }
}

fn out_of_range(least: i64, most: i64) -> String {
    format!("argument must be between {least} and {most} inclusive")
}

/// Bytes of a text like `100`, `10k` (1000) or `1gb` (1024^3), no text being 0; None if it is something else. What is too
/// large counts as the largest number.
pub(crate) fn parse_memory(text: &str) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let unit: u64 = match text[digits..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    let number = match &text[..digits] {
        "" => 0,
        digits => digits.parse::<u64>().unwrap_or(u64::MAX),
    };
    Some(number.saturating_mul(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_units_differ_by_their_b() {
        assert_eq!(parse_memory("1k"), Some(1000));
        assert_eq!(parse_memory("1Kb"), Some(1024));
        assert_eq!(parse_memory("3GB"), Some(3 << 30));
        assert_eq!(parse_memory(""), Some(0));
        assert_eq!(parse_memory("99999999999999999999"), Some(u64::MAX));
        assert_eq!(parse_memory("99999999999gb"), Some(u64::MAX));
        for bad in ["-1", "1tb", "1.5mb", "x"] {
            assert_eq!(parse_memory(bad), None, "{bad}");
        }
    }
}
