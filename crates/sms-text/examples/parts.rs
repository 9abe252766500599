//! Reads texts from standard input, each ended by a NUL, and prints a line for each: its encoding and the units of its parts.

use std::io::{Read, Write, stdin, stdout};

fn main() -> std::io::Result<()> {
    let mut texts = String::new();
    stdin().read_to_string(&mut texts)?;
    let mut out = stdout().lock();
    for text in texts.split_terminator('\0') {
        let split = sms_text::split(text);
        write!(out, "{}", split.encoding.as_str())?;
        for part in &split.parts {
            write!(out, " {}", part.units)?;
        }
        writeln!(out)?;
    }
    Ok(())
}
