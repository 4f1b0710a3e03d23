//! Texts come from outside: what could forge a line, a colour or a direction of writing is made visible before it is shown.

/// At most so many characters, each that draws nothing or redirects what follows as an escape.
pub(super) fn visible(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    for (index, c) in text.chars().enumerate() {
        if index == limit {
            shown.push('…');
            break;
        }
        if is_treacherous(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// Control characters, separators of lines, invisible and bidirectional formatting characters (Unicode Technical Report 36, 3.3), and what is
/// no character at all.
fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{61c}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn what_redirects_is_made_visible_and_what_is_long_is_cut() {
        assert_eq!(visible("a\u{202e}b\n\u{1b}[31m", 99), "a\\u{202e}b\\n\\u{1b}[31m");
        assert_eq!(visible("abcdef", 3), "abc…");
        assert_eq!(visible("abc", 3), "abc");
    }
}
