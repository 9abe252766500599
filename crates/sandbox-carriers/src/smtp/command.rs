//! What a client says, read.

/// Octets of an address.
const LONGEST_ADDRESS: usize = 254;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Hello { extended: bool },
    Starttls,
    Auth { mechanism: String, initial: Option<String> },
    Mail { from: String, size: usize, international: bool },
    Rcpt { to: String },
    Data,
    Reset,
    Noop,
    Verify,
    Quit,
}

/// Why it cannot be obeyed, as a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bad(pub(super) &'static str);

const UNKNOWN: Bad = Bad("500 5.5.2 I do not know this command");
const ARGUMENT: Bad = Bad("501 5.5.4 The argument is wrong");
const PARAMETER: Bad = Bad("555 5.5.4 I do not know this parameter");
const NO_ADDRESS: Bad = Bad("501 5.1.3 This is no mail address");

impl Command {
    /// Reads a line without its end.
    pub(super) fn parse(line: &str) -> Result<Self, Bad> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        let alone = |command| if rest.is_empty() { Ok(command) } else { Err(ARGUMENT) };
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" if rest.is_empty() => Err(ARGUMENT),
            "EHLO" => Ok(Self::Hello { extended: true }),
            "HELO" => Ok(Self::Hello { extended: false }),
            "STARTTLS" => alone(Self::Starttls),
            "AUTH" => auth(rest),
            "MAIL" => mail(rest),
            "RCPT" => rcpt(rest),
            "DATA" => alone(Self::Data),
            "RSET" => alone(Self::Reset),
            "NOOP" => Ok(Self::Noop),
            "VRFY" => Ok(Self::Verify),
            "QUIT" => alone(Self::Quit),
            _ => Err(UNKNOWN),
        }
    }
}

fn auth(rest: &str) -> Result<Command, Bad> {
    let mut words = rest.split_whitespace();
    let mechanism = words.next().ok_or(ARGUMENT)?.to_ascii_uppercase();
    let initial = words.next().map(str::to_owned);
    match words.next() {
        Some(_) => Err(ARGUMENT),
        None => Ok(Command::Auth { mechanism, initial }),
    }
}

fn mail(rest: &str) -> Result<Command, Bad> {
    let (from, parameters) = path(rest, "FROM:")?;
    let (mut size, mut international) = (0, false);
    for parameter in parameters.split_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (name.to_ascii_uppercase().as_str(), value.to_ascii_uppercase().as_str()) {
            ("SIZE", value) => size = value.parse().map_err(|_| ARGUMENT)?,
            ("SMTPUTF8", "") => international = true,
            ("BODY", "7BIT" | "8BITMIME") | ("AUTH", _) => {}
            _ => return Err(PARAMETER),
        }
    }
    Ok(Command::Mail { from, size, international })
}

fn rcpt(rest: &str) -> Result<Command, Bad> {
    let (to, parameters) = path(rest, "TO:")?;
    match (to.is_empty(), parameters.trim().is_empty()) {
        (true, _) => Err(NO_ADDRESS),
        (_, false) => Err(PARAMETER),
        _ => Ok(Command::Rcpt { to }),
    }
}

/// What stands between the angle brackets after `word`, and what follows them.
fn path<'a>(rest: &'a str, word: &str) -> Result<(String, &'a str), Bad> {
    let after = rest.split_at_checked(word.len()).filter(|(start, _)| start.eq_ignore_ascii_case(word));
    let path = after.and_then(|(_, path)| path.trim_start().strip_prefix('<')).ok_or(ARGUMENT)?;
    let end = end_of(path).ok_or(ARGUMENT)?;
    let (address, rest) = (&path[..end], &path[end + 1..]);
    let good = address.is_empty()
        || (address.len() <= LONGEST_ADDRESS
            && !address.chars().any(char::is_control)
            && address.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && is_domain(domain)));
    if good { Ok((address.to_owned(), rest)) } else { Err(NO_ADDRESS) }
}

/// The closing bracket outside of quotes.
fn end_of(path: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (place, letter) in path.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => return Some(place),
            _ => {}
        }
    }
    None
}

fn is_domain(text: &str) -> bool {
    let dressed = text.starts_with('[') && text.ends_with(']');
    dressed || text.split('.').all(|label| !label.is_empty() && !label.contains([' ', '<', '"', '[', ',']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_in_any_case() {
        let mail = |from: &str, size, international| Command::Mail { from: from.to_owned(), size, international };
        let rcpt = |to: &str| Command::Rcpt { to: to.to_owned() };
        for (line, read) in [
            ("EHLO [127.0.0.1]", Command::Hello { extended: true }),
            ("helo me", Command::Hello { extended: false }),
            ("mail from:<>", mail("", 0, false)),
            ("MAIL FROM:<a@b.example> SIZE=10 BODY=8BITMIME SMTPUTF8", mail("a@b.example", 10, true)),
            ("MAIL FROM: <a@b.example>", mail("a@b.example", 0, false)),
            ("RCPT TO:<\"a>b\\\"\"@b.example>", rcpt("\"a>b\\\"\"@b.example")),
            ("AUTH plain AGE=", Command::Auth { mechanism: "PLAIN".to_owned(), initial: Some("AGE=".to_owned()) }),
            ("data", Command::Data),
            ("NOOP whatever", Command::Noop),
        ] {
            assert_eq!(Command::parse(line), Ok(read), "{line}");
        }
    }

    #[test]
    fn others_are_refused_with_the_right_reply() {
        let long = format!("RCPT TO:<{}@b.example>", "a".repeat(300));
        for (line, bad) in [
            ("", UNKNOWN),
            ("BDAT 1", UNKNOWN),
            ("EHLO", ARGUMENT),
            ("DATA now", ARGUMENT),
            ("MAIL a@b.example", ARGUMENT),
            ("MAIL FROM:a@b.example", ARGUMENT),
            ("MAIL FROM:<a@b.example", ARGUMENT),
            ("MAIL FROM:<a@b.example> SIZE=x", ARGUMENT),
            ("MAIL FROM:<a@b.example> FAST", PARAMETER),
            ("RCPT TO:<a@b.example> NOTIFY=NEVER", PARAMETER),
            ("RCPT TO:<>", NO_ADDRESS),
            ("RCPT TO:<a>", NO_ADDRESS),
            ("RCPT TO:<@b.example>", NO_ADDRESS),
            ("RCPT TO:<a@b..example>", NO_ADDRESS),
            ("RCPT TO:<a@b.example\0>", NO_ADDRESS),
            (&long, NO_ADDRESS),
            ("é", UNKNOWN),
        ] {
            assert_eq!(Command::parse(line), Err(bad), "{line}");
        }
    }
}
