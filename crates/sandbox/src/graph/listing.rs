//! `fields=` and paging, the same for every node and edge.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::error::{Outcome, of, parameter};
use super::input;

/// Keeps the asked fields of a node, or its defaults. `id` always comes back; an unknown field is an error.
pub(crate) fn select(node: Value, kind: &str, query: &Map<String, Value>, defaults: &[&str]) -> Outcome {
    let Value::Object(all) = node else {
        return Ok(node);
    };
    let asked = input::text(query, "fields");
    let names: Vec<&str> = match &asked {
        Some(text) if !text.trim().is_empty() => split(text),
        _ => defaults.to_vec(),
    };
    let mut kept = Map::new();
    for name in names {
        match all.get(name) {
            Some(Value::Null) => {}
            Some(value) => {
                kept.insert(name.to_owned(), value.clone());
            }
            None => {
                return Err(parameter(format_args!(
                    "Tried accessing nonexisting field ({name}) on node type ({kind})"
                )));
            }
        }
    }
    if let Some(id) = all.get("id") {
        kept.insert("id".to_owned(), id.clone());
    }
    Ok(Value::Object(kept))
}

/// The top-level names of a field list; sub-selections in braces and `.limit()` calls are dropped.
fn split(text: &str) -> Vec<&str> {
    let (mut names, mut depth, mut start) = (Vec::new(), 0_u32, 0);
    for (place, c) in text.char_indices() {
        match c {
            '{' | '(' => depth += 1,
            '}' | ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                names.push(&text[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    names.push(&text[start..]);
    let bare = |name: &'_ str| name.find(['{', '(', '.']).unwrap_or(name.len());
    names.into_iter().map(|name| name.trim()).map(|name| &name[..bare(name)]).filter(|name| !name.is_empty()).collect()
}

/// One page of `items` (each with a key that cursors name), newest caller's wish first: `after`, `before`, `limit`.
pub(crate) fn page(items: Vec<(String, Value)>, query: &Map<String, Value>, url: &str) -> Outcome {
    let limit = match input::text(query, "limit") {
        None => 25,
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| parameter("Param limit must be a positive integer"))?
            .min(100),
    };
    let place = |cursor: String| {
        let key = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        key.and_then(|key| items.iter().position(|(id, _)| *id == key))
            .ok_or_else(|| of(131059, "The cursor is not valid any more"))
    };
    let (start, end) = match (input::text(query, "after"), input::text(query, "before")) {
        (Some(cursor), _) if !cursor.is_empty() => {
            let start = place(cursor)? + 1;
            (start, (start + limit).min(items.len()))
        }
        (_, Some(cursor)) if !cursor.is_empty() => {
            let end = place(cursor)?;
            (end.saturating_sub(limit), end)
        }
        _ => (0, limit.min(items.len())),
    };
    let cursor = |place: usize| items.get(place).map(|(id, _)| URL_SAFE_NO_PAD.encode(id));
    let mut answer = json!({"data": items[start..end].iter().map(|(_, value)| value).collect::<Vec<_>>()});
    if let (true, Some(first), Some(last)) = (end > start, cursor(start), cursor(end.saturating_sub(1))) {
        let mut paging = json!({"cursors": {"before": first, "after": last}});
        if end < items.len() {
            paging["next"] = json!(link(url, query, "after", &last, limit));
        }
        if start > 0 {
            paging["previous"] = json!(link(url, query, "before", &first, limit));
        }
        answer["paging"] = paging;
    }
    Ok(answer)
}

fn link(url: &str, query: &Map<String, Value>, direction: &str, cursor: &str, limit: usize) -> String {
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in query {
        if !["after", "before", "limit", "access_token"].contains(&key.as_str())
            && let Some(value) = value.as_str()
        {
            out.append_pair(key, value);
        }
    }
    out.append_pair("limit", &limit.to_string()).append_pair(direction, cursor);
    format!("{url}?{}", out.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_everything_once_and_a_stale_cursor_is_said() {
        let items = || (0..7).map(|n| (n.to_string(), json!(n))).collect::<Vec<_>>();
        let (mut seen, mut query) = (Vec::new(), input::query("limit=3"));
        loop {
            let answer = page(items(), &query, "http://x/y").unwrap();
            seen.extend(answer["data"].as_array().unwrap().clone());
            let Some(next) = answer["paging"]["next"].as_str() else {
                break;
            };
            query = input::query(next.split_once('?').unwrap().1);
        }
        assert_eq!(seen, (0..7).map(|n| json!(n)).collect::<Vec<_>>());
        assert!(page(items(), &input::query("after=bm90"), "").is_err());
        assert!(page(items(), &input::query("limit=no"), "").is_err());
    }

    #[test]
    fn fields_are_chosen_and_unknown_ones_refused() {
        let node = json!({"id": "1", "name": "n", "health_status": {"a": 1}, "none": null});
        let chosen = select(node.clone(), "X", &input::query("fields=name,health_status{a,b},none"), &[]).unwrap();
        assert_eq!(chosen, json!({"name": "n", "health_status": {"a": 1}, "id": "1"}));
        assert!(select(node.clone(), "X", &input::query("fields=nam"), &[]).is_err());
        assert_eq!(select(node, "X", &Map::new(), &["name"]).unwrap(), json!({"name": "n", "id": "1"}));
    }
}
