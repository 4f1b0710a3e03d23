//! Words as other languages write them. None of them may hold a control character: [`Options`](super::Options) are checked for that.

/// A word of a POSIX shell.
pub fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@=".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// A command of a crontab, in which a percent sign would end the line.
pub fn cron_command(command: &str) -> String {
    command.replace('%', r"\%")
}

/// A word of `ExecStart=`: specifiers, variables and quotes mean themselves.
pub fn systemd(word: &str) -> String {
    let escaped = word.replace('\\', r"\\").replace('"', r#"\""#).replace('%', "%%").replace('$', "$$");
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@=%$".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => escaped,
        false => format!("\"{escaped}\""),
    }
}

/// A string of YAML 1.2, which has those of JSON.
pub fn yaml(text: &str) -> String {
    json(text)
}

/// A string literal of Python, in ASCII.
pub fn python(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c if u32::from(c) < 0x100 => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out + "\""
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_they_must_be() {
        assert_eq!(shell("/srv/a-b/promotion.toml"), "/srv/a-b/promotion.toml");
        assert_eq!(shell("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(shell(""), "''");
        assert_eq!(cron_command("date +%F"), r"date +\%F");
        assert_eq!(systemd("/srv/50%/$a"), "/srv/50%%/$$a");
        assert_eq!(systemd(r#"a "b" \c"#), r#""a \"b\" \\c""#);
        assert_eq!(yaml("a: \"b\" #c"), r#""a: \"b\" #c""#);
        assert_eq!(python("a\"b\\c\nä€😀"), r#""a\"b\\c\x0a\xe4\u20ac\U0001f600""#);
    }
}
