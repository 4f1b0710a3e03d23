//! The few SVG elements that the plots are made of.
//!
//! A drawing is as wide as its container: x is in percent of the width, y in pixels, so text and dots keep their size on
//! any screen. Colours come from the page: each element has a class and falls back to the colour of the text around it.

use std::fmt::Write;

/// Which way an arrow points, and from which side a label starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// To the left.
    Left,
    /// To the right.
    Right,
}

/// Where a label lies relative to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The text starts there.
    Start,
    /// The text is centred there.
    Middle,
    /// The text ends there.
    End,
}

impl Anchor {
    /// As SVG writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// A drawing under construction.
#[derive(Debug, Clone)]
pub struct Svg {
    height: f64,
    body: String,
}

impl Svg {
    /// An empty drawing of this height in pixels.
    pub fn new(height: f64) -> Self {
        Self { height, body: String::new() }
    }

    /// A line from `(x, y)` to `(x, y)`.
    pub fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let (x1, y1, x2, y2) = (short(x1), short(y1), short(x2), short(y2));
        self.push(format_args!(
            r#"<line class="{class}" x1="{x1}%" y1="{y1}" x2="{x2}%" y2="{y2}" stroke="currentColor"/>"#
        ));
    }

    /// A rectangle between two places, its top at `y`.
    pub fn bar(&mut self, class: &str, (x1, x2): (f64, f64), y: f64, height: f64) {
        let (x, width, y, height) = (short(x1.min(x2)), short((x2 - x1).abs()), short(y), short(height));
        self.push(format_args!(r#"<rect class="{class}" x="{x}%" y="{y}" width="{width}%" height="{height}"/>"#));
    }

    /// A dot; its title, if any, is what a pointer that rests on it shows.
    pub fn dot(&mut self, class: &str, (x, y): (f64, f64), radius: f64, title: &str) {
        let (x, y, radius) = (short(x), short(y), short(radius));
        let title = if title.is_empty() { String::new() } else { format!("<title>{}</title>", escape(title)) };
        self.push(format_args!(r#"<circle class="{class}" cx="{x}%" cy="{y}" r="{radius}">{title}</circle>"#));
    }

    /// A label whose baseline is at `y`.
    pub fn label(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let (x, y, anchor, text) = (short(x), short(y), anchor.name(), escape(text));
        self.push(format_args!(
            r#"<text class="{class}" x="{x}%" y="{y}" text-anchor="{anchor}" fill="currentColor">{text}</text>"#
        ));
    }

    /// An arrowhead, its tip at the place: something goes on beyond the end of the axis.
    pub fn arrow(&mut self, class: &str, (x, y): (f64, f64), side: Side) {
        let back = if side == Side::Left { 7 } else { -7 };
        let (x, y) = (short(x), short(y));
        self.push(format_args!(
            r#"<svg x="{x}%" y="{y}" overflow="visible"><path class="{class}" d="M0 0L{back} -4V4Z"/></svg>"#
        ));
    }

    /// A mark: an outline around `(0, 0)` in pixels, moved to the place; its title, if any, is what a pointer that rests on it shows.
    pub fn mark(&mut self, class: &str, (x, y): (f64, f64), outline: &str, title: &str) {
        let (x, y, outline) = (short(x), short(y), escape(outline));
        let title = if title.is_empty() { String::new() } else { format!("<title>{}</title>", escape(title)) };
        self.push(format_args!(
            r#"<svg x="{x}%" y="{y}" overflow="visible"><path class="{class}" d="{outline}">{title}</path></svg>"#
        ));
    }

    /// The drawing. With a label it is an image to a screen reader, without it is decoration beside a text that says the same.
    pub fn finish(self, label: Option<&str>) -> String {
        let height = short(self.height);
        let role = role(label);
        format!(r#"<svg width="100%" height="{height}" {role} focusable="false">{}</svg>"#, self.body)
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        _ = self.body.write_fmt(element);
    }
}

/// The attributes that tell a screen reader what a drawing is.
pub(super) fn role(label: Option<&str>) -> String {
    label.map_or_else(
        || r#"aria-hidden="true""#.to_owned(),
        |label| format!(r#"role="img" aria-label="{}""#, escape(label)),
    )
}

/// At most two decimals, none that say nothing; what is not finite is 0.
pub(super) fn short(value: f64) -> String {
    if !value.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// The text as XML and HTML carry it, in elements and in quoted attributes; characters that XML 1.0 (section 2.2) cannot
/// carry at all become U+FFFD.
pub fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => _ = write!(escaped, "&#{};", u32::from(c)),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_places_in_percent_and_pixels() {
        let mut svg = Svg::new(20.0);
        svg.line("grid", (12.345_6, 0.0), (12.345_6, 20.0));
        svg.dot("pass", (50.0, 10.0), 4.0, "a<b");
        let expected = concat!(
            r#"<svg width="100%" height="20" role="img" aria-label="x &amp; y" focusable="false">"#,
            r#"<line class="grid" x1="12.35%" y1="0" x2="12.35%" y2="20" stroke="currentColor"/>"#,
            r#"<circle class="pass" cx="50%" cy="10" r="4"><title>a&lt;b</title></circle></svg>"#
        );
        assert_eq!(svg.finish(Some("x & y")), expected);
    }

    #[test]
    fn a_mark_stands_at_its_place() {
        let mut svg = Svg::new(20.0);
        svg.mark("fail", (50.0, 10.0), "M0-5L5 4H-5Z", "a<b");
        let expected = r#"<svg x="50%" y="10" overflow="visible"><path class="fail" d="M0-5L5 4H-5Z"><title>a&lt;b</title></path></svg></svg>"#;
        assert!(svg.finish(None).ends_with(expected));
    }

    #[test]
    fn numbers_are_short_and_finite() {
        assert_eq!([0.0, -0.001, 1.5, 2.0, f64::NAN, 100.0].map(short), ["0", "0", "1.5", "2", "0", "100"]);
    }

    #[test]
    fn nothing_escapes_from_text() {
        assert_eq!(
            escape("</title><script>\"'&\u{0}\u{1b}\n"),
            "&lt;/title&gt;&lt;script&gt;&quot;&#39;&amp;\u{fffd}\u{fffd}&#10;"
        );
    }
}
