//! A JSON array as lines: its elements, untouched but for line breaks between their tokens.
//!
//! Elements are not parsed here: whatever is wrong inside one is for the daemon to say, record by record.

/// Whether the body is one array rather than lines.
pub(super) fn is_array(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'[')
}

/// The elements of the array, one a line.
///
/// # Errors
/// What breaks the array, with its byte, from 1.
pub(super) fn from_array(body: &[u8]) -> Result<Vec<u8>, String> {
    let mut splitter =
        Splitter { lines: Vec::with_capacity(body.len()), element: 0, depth: 0, in_string: false, escaped: false };
    for (index, byte) in body.iter().enumerate() {
        splitter.take(*byte).map_err(|problem| format!("byte {}: {problem}", index + 1))?;
    }
    splitter.finish()
}

/// Where in the array the reader is.
struct Splitter {
    lines: Vec<u8>,
    /// Where in `lines` the element under way began.
    element: usize,
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl Splitter {
    fn take(&mut self, byte: u8) -> Result<(), &'static str> {
        if self.in_string {
            return self.take_in_string(byte);
        }
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' if self.element == self.lines.len() => Ok(()),
            b' ' | b'\t' | b'\r' | b'\n' => {
                self.lines.push(b' ');
                Ok(())
            }
            _ if self.depth == 0 => self.outside(byte),
            b',' if self.depth == 1 => self.end_element(true),
            b']' if self.depth == 1 => {
                self.depth = 0;
                self.end_element(!self.lines.is_empty())
            }
            _ => self.inside(byte),
        }
    }

    fn take_in_string(&mut self, byte: u8) -> Result<(), &'static str> {
        if byte == b'\n' || byte == b'\r' {
            return Err("a line break inside a string");
        }
        self.in_string = self.escaped || byte != b'"';
        self.escaped = !self.escaped && byte == b'\\';
        self.lines.push(byte);
        Ok(())
    }

    /// Before the array only its bracket, after it nothing.
    fn outside(&mut self, byte: u8) -> Result<(), &'static str> {
        if byte != b'[' || !self.lines.is_empty() {
            return Err("text outside the array");
        }
        self.depth = 1;
        Ok(())
    }

    fn inside(&mut self, byte: u8) -> Result<(), &'static str> {
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth =
                    self.depth.checked_sub(1).filter(|left| *left > 0).ok_or("a bracket that closes nothing")?;
            }
            _ => {}
        }
        self.lines.push(byte);
        Ok(())
    }

    fn end_element(&mut self, needed: bool) -> Result<(), &'static str> {
        if self.element == self.lines.len() {
            return if needed { Err("an element that is empty") } else { Ok(()) };
        }
        self.lines.push(b'\n');
        self.element = self.lines.len();
        Ok(())
    }

    fn finish(self) -> Result<Vec<u8>, String> {
        match self.depth == 0 && !self.in_string {
            true => Ok(self.lines),
            false => Err("the array does not end".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Result<String, String> {
        from_array(text.as_bytes()).map(|lines| String::from_utf8(lines).unwrap())
    }

    #[test]
    fn elements_become_lines() {
        assert_eq!(lines("[]").unwrap(), "");
        assert_eq!(
            lines(" [ {\"a\":\n 1} , {\"b\":[1,{\"c\":2}]}\n]\n").unwrap(),
            "{\"a\":  1} \n{\"b\":[1,{\"c\":2}]} \n"
        );
        assert_eq!(lines(r#"[{"a":"],[\"{\\"},{"b":NaN}]"#).unwrap(), "{\"a\":\"],[\\\"{\\\\\"}\n{\"b\":NaN}\n");
    }

    #[test]
    fn a_broken_array_is_no_array() {
        for (text, problem) in [
            ("[", "the array does not end"),
            (r#"[{"a":1}"#, "the array does not end"),
            (r#"[{"a"#, "the array does not end"),
            ("[1,]", "byte 4: an element that is empty"),
            ("[,1]", "byte 2: an element that is empty"),
            ("[1] 2", "byte 5: text outside the array"),
            ("[}", "byte 2: a bracket that closes nothing"),
            ("[\"a\nb\"]", "byte 4: a line break inside a string"),
        ] {
            assert_eq!(lines(text).unwrap_err(), problem, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_array_keeps_its_elements(values in proptest::collection::vec(proptest::prelude::any::<(String, i64)>(), 0..8)) {
            let pretty = serde_json::to_vec_pretty(&values).unwrap();
            let lines = String::from_utf8(from_array(&pretty).unwrap()).unwrap();
            let back: Vec<(String, i64)> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            proptest::prop_assert_eq!(back, values);
        }

        #[test]
        fn any_bytes_are_taken_or_refused(bytes: Vec<u8>) {
            _ = from_array(&[b"[".as_slice(), &bytes].concat());
        }
    }
}
