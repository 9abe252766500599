//! Messages that want an answer, and the answers: polls, events, lists, buttons, forms.

use serde_json::{Value, json};
use waproto::whatsapp::{
    self as wa,
    message::{
        self as part,
        buttons_response_message::Response,
        interactive_message::{InteractiveMessage as Body, header::Media},
        interactive_response_message::InteractiveResponseMessage as Answer,
    },
};

use super::{poll, without_nulls};

pub(super) fn asked(message: &wa::Message) -> Option<(&'static str, Value)> {
    if let Some(poll) = poll(message) {
        let options = poll.options.iter().map(|option| option.option_name.as_deref());
        let shown = json!({
            "name": poll.name,
            "options": options.collect::<Vec<_>>(),
            "selectable_count": poll.selectable_options_count,
        });
        return Some(("poll", shown));
    }
    if let Some(it) = message.event_message.as_option() {
        let shown = json!({
            "name": it.name, "description": it.description, "start_time": it.start_time,
            "end_time": it.end_time, "join_link": it.join_link, "canceled": it.is_canceled,
            "location": it.location.as_option().map(|place| json!({
                "latitude": place.degrees_latitude, "longitude": place.degrees_longitude,
                "name": place.name,
            })),
        });
        return Some(("event", without_nulls(shown)));
    }
    if let Some(list) = message.list_message.as_option() {
        return Some(("list", list_of(list)));
    }
    if let Some(buttons) = message.buttons_message.as_option() {
        let all = buttons
            .buttons
            .iter()
            .map(|button| json!({ "id": button.button_id, "title": button.button_text.display_text }));
        let shown = json!({
            "text": buttons.content_text, "footer": buttons.footer_text,
            "buttons": all.collect::<Vec<_>>(),
        });
        return Some(("buttons", without_nulls(shown)));
    }
    message.interactive_message.as_option().map(interactive)
}

fn list_of(list: &part::ListMessage) -> Value {
    let sections = list.sections.iter().map(|section| {
        let rows = section
            .rows
            .iter()
            .map(|row| without_nulls(json!({ "id": row.row_id, "title": row.title, "description": row.description })));
        json!({ "title": section.title, "rows": rows.collect::<Vec<_>>() })
    });
    without_nulls(json!({
        "title": list.title, "text": list.description, "button": list.button_text,
        "footer": list.footer_text, "sections": sections.collect::<Vec<_>>(),
    }))
}

/// Buttons that are only buttons; any other name is a flow's.
const BUTTONS: [&str; 9] = [
    "quick_reply",
    "cta_url",
    "cta_call",
    "cta_copy",
    "cta_catalog",
    "payment_info",
    "review_and_pay",
    "single_select",
    "send_location",
];

fn interactive(message: &part::InteractiveMessage) -> (&'static str, Value) {
    let mut shown = json!({
        "title": message.header.as_option().and_then(|header| header.title.clone()),
        "text": message.body.as_option().and_then(|body| body.text.clone()),
        "footer": message.footer.as_option().and_then(|footer| footer.text.clone()),
        "header_media": message.header.as_option().and_then(|header| header.media.as_ref()).map(media_word),
    });
    let kind = match &message.interactive_message {
        Some(Body::CarouselMessage(carousel)) => {
            shown["cards"] = carousel.cards.iter().map(|card| interactive(card).1).collect();
            "carousel"
        }
        Some(Body::NativeFlowMessage(flow)) => {
            shown["buttons"] = flow.buttons.iter().map(button).collect();
            shown["parameters"] = flow.message_params_json.as_deref().map_or(Value::Null, parsed);
            let plain = |name: Option<&str>| name.is_some_and(|name| BUTTONS.contains(&name));
            let all_plain = flow.buttons.iter().all(|button| plain(button.name.as_deref()));
            let lists = flow.buttons.iter().any(|it| it.name.as_deref() == Some("single_select"));
            match (all_plain, lists) {
                (true, true) => "list",
                (true, false) => "buttons",
                (false, _) => "flow",
            }
        }
        _ => "interactive",
    };
    (kind, without_nulls(shown))
}

fn media_word(media: &Media) -> &'static str {
    match media {
        Media::DocumentMessage(_) => "document",
        Media::ImageMessage(_) | Media::JpegThumbnail(_) => "image",
        Media::VideoMessage(_) => "video",
        Media::LocationMessage(_) => "location",
        Media::ProductMessage(_) => "product",
    }
}

fn button(button: &part::interactive_message::native_flow_message::NativeFlowButton) -> Value {
    let parameters = button.button_params_json.as_deref().map_or(Value::Null, parsed);
    without_nulls(json!({
        "name": button.name,
        "id": parameters["id"],
        "title": parameters["display_text"],
        "parameters": parameters,
    }))
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

pub(super) fn tapped(message: &wa::Message) -> Option<(&'static str, Value)> {
    if let Some(it) = message.list_response_message.as_option() {
        let row = &it.single_select_reply.selected_row_id;
        let tapped = json!({ "id": row, "title": it.title, "description": it.description });
        return Some(reply("list_reply", tapped));
    }
    if let Some(it) = message.buttons_response_message.as_option() {
        let title = it.response.as_ref().map(|Response::SelectedDisplayText(title)| title);
        return Some(reply("button_reply", json!({ "id": it.selected_button_id, "title": title })));
    }
    if let Some(it) = message.template_button_reply_message.as_option() {
        let tapped = json!({ "id": it.selected_id, "title": it.selected_display_text });
        return Some(reply("button_reply", tapped));
    }
    let it = message.interactive_response_message.as_option()?;
    let body = it.body.as_option().and_then(|body| body.text.clone());
    let Some(Answer::NativeFlowResponseMessage(flow)) = &it.interactive_response_message else {
        return Some(reply("nfm_reply", json!({ "body": body })));
    };
    let tapped = json!({ "name": flow.name, "body": body, "response_json": flow.params_json });
    Some(reply("nfm_reply", tapped))
}

fn reply(kind: &'static str, tapped: Value) -> (&'static str, Value) {
    ("interactive", json!({ "type": kind, kind: without_nulls(tapped) }))
}
