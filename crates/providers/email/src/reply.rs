//! What a relay's answer means for a mail: its code, its enhanced status (RFC 3463) and how far the dialogue had come.

use engine::failure::{Code, Failure, Retry, SendError};

/// Characters of a relay's words that are kept.
const MOST_WORDS: usize = 500;

/// How far the dialogue had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Greeting, hello and TLS.
    Greeting,
    Login,
    Sender,
    Recipient,
    Data,
    Content,
}

/// A refusal in the relay's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// 421, 550, …
    pub(crate) code: u16,
    pub(crate) text: String,
}

/// `5.1.1` at the beginning of a reply or in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Enhanced {
    /// 2, 4 or 5.
    pub(crate) class: u16,
    pub(crate) subject: u16,
    pub(crate) detail: u16,
}

impl Enhanced {
    /// The first word of a text, if it is one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().next()?.split('.');
        let mut next = || numbers.next().filter(|digits| (1..=3).contains(&digits.len()))?.parse().ok();
        let found = Self { class: next()?, subject: next()?, detail: next()? };
        (numbers.next().is_none() && matches!(found.class, 2 | 4 | 5)).then_some(found)
    }

    fn code(self) -> Code {
        match (self.subject, self.detail) {
            (1, 7..=9) | (7, 8 | 9 | 11 | 14) => Code::AccountProblem,
            (2, 3) | (3, 4) => Code::Rejected,
            (1, _) | (2, _) | (4, _) => Code::RecipientUnreachable,
            (3, _) => Code::ProviderUnavailable,
            (7, _) if self.class == 4 => Code::RateLimited,
            (5..=7, _) => Code::Rejected,
            _ => Code::Other,
        }
    }
}

impl Reply {
    pub(crate) fn new(code: u16, text: &str) -> Self {
        Self { code, text: clean(text) }
    }

    fn is_final(&self) -> bool {
        self.code >= 500
    }

    fn enhanced(&self) -> Option<Enhanced> {
        Enhanced::parse(&self.text)
    }

    /// The relay wants to know who we are, or does not like the answer.
    fn wants_login(&self) -> bool {
        matches!(self.code, 530 | 534 | 535 | 538)
    }

    /// It would say the same of any other mail now.
    fn is_about_the_relay(&self) -> bool {
        match self.enhanced() {
            _ if self.code == 421 => true,
            Some(Enhanced { subject, .. }) => subject == 3,
            None => self.code == 451,
        }
    }

    fn code(&self) -> Code {
        match self.enhanced() {
            Some(enhanced) => enhanced.code(),
            None => match self.code {
                450 | 452 | 550..=553 => Code::RecipientUnreachable,
                421 | 451 => Code::ProviderUnavailable,
                530 | 534 | 535 | 538 => Code::AccountProblem,
                554 => Code::Rejected,
                _ => Code::Other,
            },
        }
    }

    /// What follows from having got it at this step.
    pub(crate) fn verdict(&self, step: Step) -> SendError {
        let message = format!("the mail relay refused {}", step.object());
        let retry = match (step, self.is_final()) {
            (Step::Login, true) => Retry::Stop,
            (Step::Greeting | Step::Login, _) => Retry::BackOff,
            (_, true) if self.wants_login() => Retry::Stop,
            (_, true) => Retry::Never,
            (_, false) => Retry::BackOff,
        };
        let down = retry == Retry::BackOff
            && (matches!(step, Step::Greeting | Step::Login | Step::Sender) || self.is_about_the_relay());
        let code = match retry {
            Retry::Stop => Code::AccountProblem,
            _ if down => Code::ProviderUnavailable,
            _ => self.code(),
        };
        SendError { failure: failure(code, &message, Some(self.code), &self.text), retry }
    }
}

impl Step {
    fn object(self) -> &'static str {
        match self {
            Self::Greeting => "the connection",
            Self::Login => "the account's user name and password",
            Self::Sender => "the sender",
            Self::Recipient => "the recipient",
            Self::Data | Self::Content => "the mail",
        }
    }
}

/// From a report's status, see [`crate::report`].
pub(crate) fn reported(status: Option<Enhanced>, code: Option<u16>, words: &str) -> Failure {
    let reply = Reply::new(code.unwrap_or_default(), words);
    let neutral = status.map_or_else(|| reply.code(), Enhanced::code);
    failure(neutral, "the mail came back", code, &reply.text)
}

/// A stranger's words as they may be kept and shown.
pub(crate) fn clean(text: &str) -> String {
    let words = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    words.take(MOST_WORDS).collect::<String>().trim().to_owned()
}

fn failure(code: Code, message: &str, number: Option<u16>, words: &str) -> Failure {
    let details = Some(words.to_owned()).filter(|words| !words.is_empty());
    Failure { code, message: message.to_owned(), provider_code: number.map(i64::from), details }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_judged_by_code_status_and_step() {
        use Code::*;
        use Step::*;
        for (step, code, text, judged, retry) in [
            (Greeting, 554, "5.7.1 go away", ProviderUnavailable, Retry::BackOff),
            (Greeting, 421, "4.3.2 closing", ProviderUnavailable, Retry::BackOff),
            (Login, 535, "5.7.8 wrong password", AccountProblem, Retry::Stop),
            (Login, 454, "4.7.0 try again", ProviderUnavailable, Retry::BackOff),
            (Sender, 530, "5.7.0 must log in", AccountProblem, Retry::Stop),
            (Sender, 553, "5.1.8 not yours", AccountProblem, Retry::Never),
            (Sender, 452, "4.3.1 full", ProviderUnavailable, Retry::BackOff),
            (Recipient, 550, "5.1.1 no such user", RecipientUnreachable, Retry::Never),
            (Recipient, 550, "no such user", RecipientUnreachable, Retry::Never),
            (Recipient, 550, "5.7.1 blocked", Rejected, Retry::Never),
            (Recipient, 450, "4.2.1 busy", RecipientUnreachable, Retry::BackOff),
            (Recipient, 451, "4.7.1 greylisted", RateLimited, Retry::BackOff),
            (Recipient, 451, "try again", ProviderUnavailable, Retry::BackOff),
            (Recipient, 421, "4.7.0 too fast", ProviderUnavailable, Retry::BackOff),
            (Data, 554, "no valid recipients", Rejected, Retry::Never),
            (Content, 552, "5.3.4 too big", Rejected, Retry::Never),
            (Content, 554, "5.6.0 spam", Rejected, Retry::Never),
            (Content, 552, "5.2.2 over quota", RecipientUnreachable, Retry::Never),
            (Content, 451, "4.3.0 later", ProviderUnavailable, Retry::BackOff),
            (Content, 599, "what", Other, Retry::Never),
        ] {
            let error = Reply::new(code, text).verdict(step);
            assert_eq!((error.failure.code, error.retry), (judged, retry), "{step:?} {code} {text}");
            assert_eq!(error.failure.provider_code, Some(i64::from(code)));
            assert_eq!(error.failure.details.as_deref(), Some(text));
        }
    }

    #[test]
    fn a_relays_words_are_kept_short_and_clean() {
        let reply = Reply::new(550, &format!("5.1.1 a\r\n\x1b[2J{}", "x".repeat(9000)));
        assert_eq!(reply.text.chars().count(), MOST_WORDS);
        assert!(!reply.text.chars().any(char::is_control));
        for text in ["", "5", "5.1", "5.1.1.1", "6.1.1", "5.x.1", "5.1111.1", "5..1", "-5.1.1"] {
            assert_eq!(Enhanced::parse(text), None, "{text}");
        }
        assert_eq!(Enhanced::parse("4.7.650 x"), Some(Enhanced { class: 4, subject: 7, detail: 650 }));
    }
}
