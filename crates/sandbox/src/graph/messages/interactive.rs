//! The interactive types: buttons, lists, links, flows, products, carousels.

use super::free::media;
use super::wanted::Wanted;
use crate::graph::check::At;
use crate::graph::error::{Outcome, of};

const TYPES: [&str; 15] = [
    "button",
    "list",
    "cta_url",
    "flow",
    "location_request_message",
    "product",
    "product_list",
    "catalog_message",
    "carousel",
    "address_message",
    "order_details",
    "order_status",
    "voice_call",
    "call_permission_request",
    "request_contact_info",
];

/// Which headers a type may have, whether its body must be there and how long it may be.
struct Frame {
    headers: &'static [&'static str],
    body_required: bool,
    body: usize,
    footer: bool,
}

fn frame(kind: &str) -> Frame {
    const ALL: &[&str] = &["text", "image", "video", "document"];
    let usual = Frame { headers: ALL, body_required: true, body: 1024, footer: true };
    match kind {
        "list" => Frame { headers: &["text"], body: 4096, ..usual },
        "product_list" => Frame { headers: &["text"], ..usual },
        "location_request_message" | "request_contact_info" | "carousel" => {
            Frame { headers: &[], footer: false, ..usual }
        }
        "product" => Frame { headers: &[], body_required: false, ..usual },
        "catalog_message" | "call_permission_request" | "voice_call" | "address_message" | "order_status" => {
            Frame { headers: &[], ..usual }
        }
        _ => usual,
    }
}

pub(super) fn check(at: &At<'_>, wanted: &mut Vec<Wanted>) -> Outcome<()> {
    at.object()?;
    let kind = at.get("type").word(&TYPES)?;
    frame_check(at, &frame(kind), "/interactive", wanted)?;
    let action = at.get("action");
    if kind != "call_permission_request" {
        action.object()?;
    }
    match kind {
        "button" => reply_buttons(&action, 3),
        "list" => list(&action),
        "cta_url" => link_button(&action),
        "flow" => flow(&action),
        "location_request_message" => named(&action, "send_location"),
        "product" => product(&action),
        "product_list" => {
            let header = at.get("header");
            header.object()?;
            products(&action)
        }
        "catalog_message" => named(&action, "catalog_message"),
        "carousel" => carousel(&action, wanted),
        "address_message" => address(&action),
        "order_details" => order(&action, "review_and_pay"),
        "order_status" => order(&action, "review_order"),
        "voice_call" | "call_permission_request" => {
            Err(of(138000, "Calling API is not enabled for this phone number."))
        }
        _ => Ok(()),
    }
}

fn frame_check(at: &At<'_>, frame: &Frame, pointer: &str, wanted: &mut Vec<Wanted>) -> Outcome<()> {
    let (header, body, footer) = (at.get("header"), at.get("body"), at.get("footer"));
    if header.is_there() {
        if frame.headers.is_empty() {
            return Err(header.wrong("is not allowed for this interactive type."));
        }
        header.object()?;
        header_check(&header, frame.headers, pointer, wanted)?;
    }
    if frame.body_required || body.is_there() {
        body.object()?;
        body.get("text").text(frame.body)?;
    }
    if footer.is_there() {
        if !frame.footer {
            return Err(footer.wrong("is not allowed for this interactive type."));
        }
        footer.object()?;
        footer.get("text").text(60)?;
    }
    Ok(())
}

fn header_check(header: &At<'_>, allowed: &[&'static str], pointer: &str, wanted: &mut Vec<Wanted>) -> Outcome<()> {
    let kind = header.get("type").word(allowed)?;
    let inner = header.get(kind);
    if kind == "text" {
        return inner.text(60).map(|_| ());
    }
    media(&inner, kind, &format!("{pointer}/header/{kind}"), wanted)
}

fn named(action: &At<'_>, name: &'static str) -> Outcome<()> {
    action.get("name").word(&[name]).map(|_| ())
}

fn reply_buttons(action: &At<'_>, at_most: usize) -> Outcome<()> {
    let buttons = action.get("buttons");
    let (mut ids, mut titles) = (Vec::new(), Vec::new());
    for button in buttons.items(1, at_most)? {
        button.get("type").word(&["reply"])?;
        let reply = button.get("reply");
        reply.object()?;
        ids.push(reply.get("id").text(256)?.to_owned());
        titles.push(reply.get("title").text(20)?.to_owned());
    }
    buttons.unique(ids.iter().map(String::as_str))?;
    buttons.unique(titles.iter().map(String::as_str))
}

fn list(action: &At<'_>) -> Outcome<()> {
    action.get("button").text(20)?;
    let sections = action.get("sections");
    let all = sections.items(1, 10)?;
    let mut ids = Vec::new();
    for section in &all {
        let title = section.get("title");
        if all.len() > 1 {
            title.text(24)?;
        }
        title.maybe_text(24)?;
        for row in section.get("rows").items(1, 10)? {
            ids.push(row.get("id").text(200)?.to_owned());
            row.get("title").text(24)?;
            row.get("description").maybe_text(72)?;
        }
    }
    if ids.len() > 10 {
        return Err(sections.wrong(format_args!("must have at most 10 rows in total, and has {}.", ids.len())));
    }
    sections.unique(ids.iter().map(String::as_str))
}

fn link_button(action: &At<'_>) -> Outcome<()> {
    named(action, "cta_url")?;
    let parameters = action.get("parameters");
    parameters.object()?;
    parameters.get("display_text").text(20)?;
    parameters.get("url").link(2000).map(|_| ())
}

fn flow(action: &At<'_>) -> Outcome<()> {
    named(action, "flow")?;
    let parameters = action.get("parameters");
    parameters.object()?;
    parameters.get("flow_message_version").word(&["3"])?;
    parameters.get("flow_cta").text(30)?;
    let (id, name) = (parameters.get("flow_id"), parameters.get("flow_name"));
    match (id.is_there(), name.is_there()) {
        (false, false) => return Err(id.missing()),
        (true, true) => {
            return Err(parameters.wrong("must have either 'flow_id' or 'flow_name', not both."));
        }
        _ => {}
    }
    let (mode, start) = (parameters.get("mode"), parameters.get("flow_action"));
    if mode.is_there() {
        mode.word(&["draft", "published"])?;
    }
    if start.is_there() && start.word(&["navigate", "data_exchange"])? == "navigate" {
        let payload = parameters.get("flow_action_payload");
        if payload.is_there() {
            payload.get("screen").text(100)?;
        }
    }
    Ok(())
}

fn product(action: &At<'_>) -> Outcome<()> {
    action.get("catalog_id").text(100)?;
    action.get("product_retailer_id").text(100).map(|_| ())
}

fn products(action: &At<'_>) -> Outcome<()> {
    action.get("catalog_id").text(100)?;
    let sections = action.get("sections");
    let mut count = 0;
    let all = sections.items(1, 10)?;
    for section in &all {
        let title = section.get("title");
        if all.len() > 1 {
            title.text(24)?;
        }
        title.maybe_text(24)?;
        for item in section.get("product_items").items(1, 30)? {
            item.get("product_retailer_id").text(100)?;
            count += 1;
        }
    }
    if count > 30 {
        return Err(sections.wrong(format_args!("must have at most 30 products in total, and has {count}.")));
    }
    Ok(())
}

fn carousel(action: &At<'_>, wanted: &mut Vec<Wanted>) -> Outcome<()> {
    let all = action.get("cards");
    let mut shapes = Vec::new();
    for (place, card) in all.items(2, 10)?.iter().enumerate() {
        let index = card.get("card_index").number(0.0, 9.0)?;
        if index as usize != place {
            return Err(card.get("card_index").wrong("must count the cards from 0."));
        }
        let kind = card.get("type").word(&["cta_url", "product", "button"])?;
        let inner = card.get("action");
        inner.object()?;
        if kind == "product" {
            product(&inner)?;
            shapes.push("product".to_owned());
        } else {
            shapes.push(media_card(card, &inner, place, wanted)?);
        }
    }
    if shapes.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err(all.wrong("must all have the same header and button shape."));
    }
    Ok(())
}

/// Checks a card with a picture or film and returns its shape, which all cards must share.
fn media_card(card: &At<'_>, action: &At<'_>, place: usize, wanted: &mut Vec<Wanted>) -> Outcome<String> {
    let (header, body) = (card.get("header"), card.get("body"));
    header.object()?;
    header_check(&header, &["image", "video"], &format!("/interactive/action/cards/{place}"), wanted)?;
    if body.is_there() {
        let words = body.get("text");
        if words.text(160)?.matches('\n').count() > 2 {
            return Err(words.wrong("must have at most 2 line breaks."));
        }
    }
    let buttons = action.get("buttons");
    let shape = match buttons.value() {
        None => {
            link_button(action)?;
            "link".to_owned()
        }
        Some(list) => {
            let count = list.as_array().map_or(0, Vec::len);
            for button in buttons.items(1, 3)? {
                let reply = button.get(if button.get("quick_reply").is_there() { "quick_reply" } else { "reply" });
                reply.object()?;
                reply.get("id").text(256)?;
                reply.get("title").text(20)?;
            }
            format!("{count} replies")
        }
    };
    let kind = header.get("type").text(10)?.to_ascii_lowercase();
    Ok(format!("{kind}, {}, {shape}", body.is_there()))
}

fn address(action: &At<'_>) -> Outcome<()> {
    named(action, "address_message")?;
    let parameters = action.get("parameters");
    parameters.object()?;
    parameters.get("country").text(100).map(|_| ())
}

fn order(action: &At<'_>, name: &'static str) -> Outcome<()> {
    named(action, name)?;
    let parameters = action.get("parameters");
    parameters.object()?;
    parameters.get("reference_id").text(35)?;
    parameters.get("order").object()?;
    if name == "review_and_pay" {
        parameters.get("currency").text(3)?;
        parameters.get("total_amount").object()?;
        return Err(of(134011, "Payments terms of service has not been accepted for this WhatsApp Business Account."));
    }
    Ok(())
}
