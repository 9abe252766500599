//! What errors mean, row by row.

use serde_json::json;

use super::*;

const HOUR: u64 = 3600;

fn after(seconds: u64) -> Retry {
    Retry::After(Duration::from_secs(seconds))
}

fn error(status: u16, code: i64) -> graph::Error {
    let body = GraphError::new(code, "Title", "What happened").to_body().to_string();
    let error = GraphError::parse(body.as_bytes()).unwrap();
    graph::Error::Refused { status, error: Box::new(error), body: body.into() }
}

#[test]
fn every_kind_of_refusal_has_a_name_and_a_way_on() {
    let rows: &[(u16, i64, Code, Retry)] = &[
        (401, 190, Code::AccountProblem, Retry::Stop),
        (401, 0, Code::AccountProblem, Retry::Stop),
        (403, 10, Code::AccountProblem, Retry::Stop),
        (403, 200, Code::AccountProblem, Retry::Stop),
        (403, 131_005, Code::AccountProblem, Retry::Stop),
        (403, 368, Code::AccountProblem, Retry::Stop),
        (403, 131_031, Code::AccountProblem, Retry::Stop),
        (400, 131_042, Code::AccountProblem, Retry::Stop),
        (400, 133_010, Code::AccountProblem, Retry::StopSender),
        (403, 130_497, Code::AccountProblem, Retry::Never),
        (400, 131_063, Code::AccountProblem, Retry::Never),
        (400, 132_068, Code::AccountProblem, Retry::Never),
        (400, 1, Code::ProviderUnavailable, Retry::Once),
        (503, 2, Code::ProviderUnavailable, Retry::BackOff),
        (500, 131_000, Code::ProviderUnavailable, Retry::BackOff),
        (500, 131_057, Code::ProviderUnavailable, Retry::BackOff),
        (400, 4, Code::RateLimited, Retry::BackOff),
        (400, 80_007, Code::RateLimited, Retry::BackOff),
        (400, 130_429, Code::RateLimited, Retry::BackOff),
        (400, 131_056, Code::RateLimited, Retry::Pair),
        (400, 131_048, Code::RateLimited, after(HOUR)),
        (400, 131_064, Code::RateLimited, after(HOUR)),
        (400, 131_049, Code::RateLimited, after(24 * HOUR)),
        (400, 134_101, Code::RateLimited, after(600)),
        (400, 131_047, Code::OutsideWindow, Retry::Never),
        (404, 132_001, Code::TemplateMissing, Retry::Never),
        (400, 132_015, Code::TemplatePaused, Retry::Never),
        (400, 132_016, Code::TemplateDisabled, Retry::Never),
        (400, 132_000, Code::TemplateParameterCount, Retry::Never),
        (400, 132_012, Code::TemplateParameterFormat, Retry::Never),
        (400, 131_026, Code::RecipientUnreachable, Retry::Never),
        (400, 130_403, Code::RecipientBlocked, Retry::Never),
        (400, 131_050, Code::RecipientOptedOut, Retry::Never),
        (400, 131_052, Code::MediaFailed, Retry::Never),
        (400, 131_053, Code::MediaFailed, Retry::Never),
        (400, 100, Code::Rejected, Retry::Never),
        (400, 131_009, Code::Rejected, Retry::Never),
        (400, 987_654, Code::Rejected, Retry::Never),
        (500, 987_654, Code::Rejected, Retry::BackOff),
    ];
    for (status, code, name, way) in rows {
        let told = of_send(error(*status, *code));
        assert_eq!((told.failure.code, told.retry), (*name, *way), "{code}");
        assert_eq!(told.failure.provider_code, Some(*code));
        assert_eq!(told.failure.details.as_deref(), Some("What happened"));
        assert!(told.failure.message.ends_with('.') && !told.failure.message.contains('#'), "{code}");
    }
}

#[test]
fn answers_without_metas_words_are_unknown_unless_nobody_can_have_taken_the_message() {
    let rows = [
        (301, Retry::BackOff),
        (401, Retry::Stop),
        (404, Retry::Never),
        (413, Retry::Never),
        (429, Retry::BackOff),
        (500, Retry::Unknown),
        (502, Retry::Unknown),
        (503, Retry::BackOff),
        (504, Retry::Unknown),
    ];
    for (status, way) in rows {
        assert_eq!(of_send(graph::Error::Status(status)).retry, way, "{status}");
    }
    assert_eq!(of_send(graph::Error::Unreadable(String::new())).retry, Retry::Unknown);
}

#[test]
fn rows_of_the_table_do_not_hide_each_other() {
    for pair in CODES.windows(2) {
        assert!(pair[0].0.end() < pair[1].0.start(), "{:?}", pair[1].0);
    }
}

#[test]
fn callers_are_told_whether_the_token_or_the_request_is_at_fault() {
    assert!(matches!(error(401, 190).into(), CallError::Unauthorized { code: Some(190), .. }));
    assert!(matches!(graph::Error::Status(401).into(), CallError::Unauthorized { code: None, .. }));
    let CallError::Refused { message, code, details } = error(400, 100).into() else { panic!("not refused") };
    assert_eq!((message.as_str(), code, details.as_deref()), ("(#100) Title", Some(100), Some("What happened")));
    assert!(matches!(graph::Error::Status(404).into(), CallError::Refused { code: None, .. }));
    assert!(matches!(graph::Error::Status(502).into(), CallError::Unreachable(_)));
    let plain = GraphError::parse(json!({"error": {"code": 100, "message": "No"}}).to_string().as_bytes()).unwrap();
    let CallError::Refused { details: None, .. } = refused_call(400, plain) else { panic!("the message stands twice") };
}
