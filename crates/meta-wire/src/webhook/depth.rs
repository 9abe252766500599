/// Is every bracket of this JSON text within `max` others? Strings are skipped; whether it is JSON is not judged.
pub(super) fn within(json: &str, max: usize) -> bool {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for byte in json.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' if depth == max => return false,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_do_not_count() {
        assert!(within(r#"[{"a":"[[[\"[[["}]"#, 2));
        assert!(!within(r#"[{"a":["\\"]}]"#, 2));
        assert!(within("]]]][[", 2));
        assert!(!within(&"[".repeat(100_000), 64));
    }
}
