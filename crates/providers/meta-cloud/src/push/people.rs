//! By what names Meta knows a person.

use engine::contacts::{Address, PHONE, USER};

/// The number first, for it is what we answer to; then the id that is scoped to our business.
pub(super) fn addresses(phone: Option<&str>, user: Option<&str>) -> Vec<Address> {
    let phone = phone.and_then(e164).map(|value| address(PHONE, value));
    let user = user.filter(|id| !id.is_empty()).map(|id| address(USER, id.to_owned()));
    phone.into_iter().chain(user).collect()
}

/// A number as Meta writes it, with its plus; `None` if it is none.
pub(crate) fn e164(number: &str) -> Option<String> {
    let digits: String = number.chars().filter(|c| !matches!(c, '+' | ' ' | '-' | '(' | ')')).collect();
    let is_number = (5..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| format!("+{digits}"))
}

fn address(kind: &str, value: String) -> Address {
    Address { kind: kind.to_owned(), value }
}
