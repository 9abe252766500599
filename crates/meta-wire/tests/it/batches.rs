//! Posts with several items: each by itself, as exact text.

use meta_wire::webhook::{Fact, Item, parse};

const POST: &str = r#"{"object":"whatsapp_business_account", "entry":[
 {"id":"100","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100001","phone_number_id":"200"},
   "contacts":[{"profile":{"name":"Zo\u00eb"},"wa_id":"1"},{"profile":{"name":"B"},"wa_id":"2","user_id":"US.b"}],
   "messages":[{"from":"1","id":"wamid.1","timestamp":"1","type":"text","text":{"body":"caf\u00e9 \/ \ud83d"}},
     {"from":"3","timestamp":"2","type":"text","text":{"body":"no id"}},
     {"from":"9","from_user_id":"US.b","id":"wamid.3","timestamp":"3","type":"text","text":{"body":"x"}}],
   "statuses":[{"id":"wamid.4","status":"read","timestamp":"4","recipient_id":"2"}],
   "new\u00e9": {"a" : 1}},"field":"messages"},
  {"field":"messages","value":"nothing"}, 5]},
 {"id":101,"time":77,"changes":[{"field":"account_review_update","value":{"decision" : "APPROVED"}}]},
 "no entry"]}"#;

fn ids(items: &[Item<'_>]) -> Vec<String> {
    let name = |item: &Item<'_>| match &item.fact {
        Fact::Message(message) => message.id.clone(),
        Fact::Status(status) => status.fact_id(),
        Fact::Error(problem) => problem.code.to_string(),
        Fact::Change(_) => item.field().to_owned(),
        Fact::Unreadable { reason } => format!("? {}", reason.split(" at ").next().unwrap()),
    };
    items.iter().map(name).collect()
}

#[test]
fn every_item_is_cut_out_as_exact_text() {
    let batch = parse(POST.as_bytes()).unwrap();
    assert!(batch.single().is_none());
    let items = batch.into_items();
    assert_eq!(
        ids(&items),
        [
            "wamid.1",
            "? missing field `id`",
            "wamid.3",
            "wamid.4:read",
            "? unexpected JSON",
            "? unexpected JSON",
            "account_review_update",
            "? unexpected JSON"
        ]
    );
    let head = r#"{"object":"whatsapp_business_account","entry":[{"id":"100","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100001","phone_number_id":"200"},"#;
    let tail = r#","new\u00e9":{"a" : 1}},"field":"messages"}]}]}"#;
    let cut = |item: &Item<'_>, contact: &str, list: &str| format!("{head}{contact}\"{list}\":[{}]{tail}", item.raw());
    let zoe = r#""contacts":[{"profile":{"name":"Zo\u00eb"},"wa_id":"1"}],"#;
    let other = r#""contacts":[{"profile":{"name":"B"},"wa_id":"2","user_id":"US.b"}],"#;
    assert_eq!(items[0].document(), cut(&items[0], zoe, "messages"));
    assert!(items[0].raw().contains(r"caf\u00e9 \/ \ud83d"));
    assert_eq!(items[1].document(), cut(&items[1], "", "messages"));
    assert_eq!(items[2].document(), cut(&items[2], other, "messages"));
    assert_eq!(items[3].document(), cut(&items[3], other, "statuses"));
    assert_eq!(
        items[6].document(),
        r#"{"object":"whatsapp_business_account","entry":[{"id":101,"time":77,"changes":[{"field":"account_review_update","value":{"decision" : "APPROVED"}}]}]}"#
    );
    assert_eq!(items[7].document(), r#"{"object":"whatsapp_business_account","entry":["no entry"]}"#);
}

#[test]
fn the_typed_form_agrees_with_the_text() {
    let batch = parse(POST.as_bytes()).unwrap();
    let first = &batch.items()[0];
    let Fact::Message(message) = &first.fact else { panic!() };
    let meta_wire::webhook::Content::Text(text) = &message.body.content else { panic!() };
    assert_eq!(text.body, "café / \u{fffd}");
    let name = first.contact().unwrap().profile.as_ref().unwrap().name.as_deref();
    assert_eq!(name, Some("Zoë"));
    assert_eq!(first.contact_raw(), Some(r#"{"profile":{"name":"Zo\u00eb"},"wa_id":"1"}"#));
    assert_eq!(first.metadata().unwrap().phone_number_id.as_str(), "200");
    assert!(first.metadata_raw().unwrap().starts_with("{\"display"));
    let siblings: Vec<_> = first.siblings().collect();
    assert_eq!(siblings, [("messaging_product", "\"whatsapp\""), ("newé", "{\"a\" : 1}")]);
    assert_eq!((first.object(), first.entry_id(), first.field()), ("whatsapp_business_account", "100", "messages"));
}

#[test]
fn a_document_is_a_post_of_one_item_and_cuts_to_itself() {
    for item in parse(POST.as_bytes()).unwrap().items() {
        let document = item.document();
        let again = parse(document.as_bytes()).unwrap();
        let single = again.single().unwrap();
        assert_eq!((single.document(), single.raw()), (document.clone(), item.raw()));
    }
}

#[test]
fn a_single_contact_belongs_to_a_single_item_however_it_is_written() {
    let post = |more: &str| {
        format!(
            r#"{{"object":"o","entry":[{{"id":"1","changes":[{{"field":"messages","value":{{"contacts":[{{"wa_id":"5215"}}],"errors":null,
            "messages":[{{"id":"a","from":"521","timestamp":1,"type":"x"}}{more}]}}}}]}}]}}"#
        )
    };
    let one = post("");
    assert!(parse(one.as_bytes()).unwrap().items()[0].contact().is_some());
    let two = post(r#",{"id":"b","from":"5215","timestamp":"1","type":"x"}"#);
    let batch = parse(two.as_bytes()).unwrap();
    assert!(batch.items()[0].contact().is_none() && batch.items()[1].contact().is_some());
}

#[test]
fn errors_beside_messages_and_empty_posts() {
    let post = br#"{"object":"o","entry":[{"id":"1","changes":[{"field":"messages","value":{"errors":[{"code":130429,"title":"t"}]}},
        {"field":"messages","value":{"metadata":{"phone_number_id":"2"}}}]}]}"#;
    let batch = parse(post).unwrap();
    assert_eq!(ids(batch.items()), ["130429", "messages"]);
    for empty in [r#"{}"#, r#"{"entry":null}"#, r#"{"object":"page","entry":[]}"#, r#"{"entry":[{}]}"#] {
        assert!(parse(empty.as_bytes()).unwrap().items().is_empty(), "{empty}");
    }
}
