//! `Authorization: Bearer …`.

use axum::http::{HeaderMap, header};

/// The token, if exactly one was given; the scheme's name may be in any case.
#[must_use]
pub fn token(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim_matches(' ');
    let good = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' ');
    good.then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_bearer_token_counts() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, value.parse().unwrap());
            }
            token(&headers).map(str::to_owned)
        };
        assert_eq!(read(&["Bearer abc"]).as_deref(), Some("abc"));
        assert_eq!(read(&["bearer  abc "]).as_deref(), Some("abc"));
        for wrong in
            [&["Basic abc"][..], &["Bearer"], &["Bearer "], &["Bearer a b"], &["abc"], &[], &["Bearer a", "Bearer b"]]
        {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
