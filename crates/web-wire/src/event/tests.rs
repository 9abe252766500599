use std::collections::BTreeMap;
use std::time::Duration;

use chrono::FixedOffset;
use serde_json::json;

use super::group::{AddRequest, Announce, Approval, Deleted, Ephemeral, Group, Link, Locked, Name, Participant, Topic};
use super::*;
use crate::jid::Jid;

const NOBODY: &str = r#""Chat":"","Sender":"","IsFromMe":false,"IsGroup":false,"AddressingMode":"","SenderAlt":"","RecipientAlt":"","BroadcastListOwner":"","BroadcastRecipients":null"#;
const NAMELESS: &str = r#""Name":"","NameSetAt":"0001-01-01T00:00:00Z","NameSetBy":"","NameSetByPN":"""#;

fn jid(text: &str) -> Jid {
    text.parse().unwrap()
}

/// 2025-09-15 in UTC, with and without a fraction.
fn noon() -> Time {
    Time::from_secs(1_757_937_378)
}

fn a_bit_later() -> Time {
    Time::from_millis(1_757_937_378_250)
}

fn source() -> Source {
    Source {
        chat: jid("5511988887777@s.whatsapp.net"),
        sender: jid("5511988887777:12@s.whatsapp.net"),
        addressing_mode: "pn".into(),
        sender_alt: jid("1234567890:12@lid"),
        ..Source::default()
    }
}

fn node() -> Node {
    let child = |tag: &str, content| Node { tag: tag.into(), attrs: BTreeMap::new(), content };
    Node {
        tag: "offer".into(),
        attrs: BTreeMap::from([("t".into(), "1".into()), ("call-id".into(), "C".into())]),
        content: Content::Nodes(vec![child("audio", Content::Bytes(vec![1, 2])), child("video", Content::Empty)]),
    }
}

/// The kind and the exact text, key order included, since receivers' golden files may depend on it.
#[track_caller]
fn prints(event: impl Event, kind: &str, expected: &str) {
    let happening = Happening::from(event);
    assert_eq!(happening.kind, kind);
    assert_eq!(happening.event.to_string(), expected);
    assert!(is_known(kind), "{kind}");
}

#[test]
fn a_message_prints_all_its_fields() {
    let info = MessageInfo {
        source: source(),
        id: "3EB0AA".into(),
        kind: "text".into(),
        push_name: "Ana".into(),
        timestamp: noon(),
        ..MessageInfo::default()
    };
    let raw = json!({"ephemeralMessage": {"message": {"conversation": "hi"}}});
    prints(
        Message::new(info, raw),
        "Message",
        concat!(
            r#"{"Info":{"Chat":"5511988887777@s.whatsapp.net","Sender":"5511988887777:12@s.whatsapp.net","#,
            r#""IsFromMe":false,"IsGroup":false,"AddressingMode":"pn","SenderAlt":"1234567890:12@lid","#,
            r#""RecipientAlt":"","BroadcastListOwner":"","BroadcastRecipients":null,"ID":"3EB0AA","ServerID":0,"#,
            r#""Type":"text","PushName":"Ana","Timestamp":"2025-09-15T11:56:18Z","Category":"","Multicast":false,"#,
            r#""MediaType":"","Edit":"","#,
            r#""MsgBotInfo":{"EditType":"","EditTargetID":"","EditSenderTimestampMS":"0001-01-01T00:00:00Z"},"#,
            r#""MsgMetaInfo":{"TargetID":"","TargetSender":"","TargetChat":"","DeprecatedLIDSession":null,"#,
            r#""ThreadMessageID":"","ThreadMessageSenderJID":""},"IsNewsletterStatus":false,"VerifiedName":null,"#,
            r#""DeviceSentMeta":null},"Message":{"conversation":"hi"},"IsEphemeral":true,"IsViewOnce":false,"#,
            r#""IsViewOnceV2":false,"IsViewOnceV2Extension":false,"IsDocumentWithCaption":false,"#,
            r#""IsLottieSticker":false,"IsBotInvoke":false,"IsEdit":false,"SourceWebMsg":null,"#,
            r#""UnavailableRequestID":"","RetryCount":0,"NewsletterMeta":null,"#,
            r#""RawMessage":{"ephemeralMessage":{"message":{"conversation":"hi"}}}}"#,
        ),
    );
}

#[test]
fn the_rare_parts_of_a_message() {
    let mut source = source();
    source.broadcast_recipients = vec![Recipient { lid: jid("1@lid"), pn: Jid::default() }];
    let verified_name = VerifiedName { certificate: json!({"signature": "AA=="}), details: json!({"serial": 1}) };
    let info = MessageInfo { source, verified_name: Some(verified_name), is_from_api: true, ..MessageInfo::default() };
    let raw = json!({"deviceSentMessage": {"destinationJID": "7@s.whatsapp.net", "message": {"conversation": "x"}}});
    let mut message = Message::new(info, raw);
    message.newsletter_meta = Some(NewsletterMeta { edited: noon(), original: Time::ZERO });
    let event = Happening::from(message).event;
    assert_eq!(event["Info"]["BroadcastRecipients"], json!([{"LID": "1@lid", "PN": ""}]));
    assert_eq!(event["Info"]["IsFromAPI"], json!(true));
    assert_eq!(event["Info"]["VerifiedName"], json!({"Certificate": {"signature": "AA=="}, "Details": {"serial": 1}}));
    assert_eq!(event["Info"]["DeviceSentMeta"], json!({"DestinationJID": "7@s.whatsapp.net", "Phash": ""}));
    assert_eq!(event["Message"], json!({"conversation": "x"}));
    assert_eq!(
        event["NewsletterMeta"],
        json!({"EditTS": "2025-09-15T11:56:18Z", "OriginalTS": "0001-01-01T00:00:00Z"})
    );
}

#[test]
fn an_echo_tells_what_the_stanza_would() {
    let raw = json!({"documentWithCaptionMessage": {"message": {"documentMessage": {"caption": "c"}}}});
    let event = Happening::from(Message::echo(MessageInfo { source: source(), ..MessageInfo::default() }, raw)).event;
    let info = &event["Info"];
    assert_eq!((&info["Type"], &info["MediaType"], &info["Edit"]), (&json!("media"), &json!("document"), &json!("")));
    assert_eq!((&info["IsFromAPI"], &event["IsDocumentWithCaption"]), (&json!(true), &json!(true)));
    let plain = Happening::from(Message::new(MessageInfo::default(), json!({}))).event;
    assert!(plain["Info"].get("IsFromAPI").is_none());
}

#[test]
fn messages_that_could_not_be_read_and_receipts() {
    let event = Happening::from(UndecryptableMessage {
        is_unavailable: true,
        unavailable_type: "view_once".into(),
        ..UndecryptableMessage::default()
    });
    assert_eq!(event.kind, "UndecryptableMessage");
    let keys: Vec<_> = event.event.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["Info", "IsUnavailable", "UnavailableType", "DecryptFailMode"]);

    let receipt = |kind: &str| Receipt {
        ids: vec!["A".into(), "B".into()],
        timestamp: a_bit_later(),
        kind: kind.into(),
        ..Receipt::default()
    };
    prints(
        receipt("read"),
        "ReadReceipt",
        &format!(
            r#"{{{NOBODY},"MessageIDs":["A","B"],"Timestamp":"2025-09-15T11:56:18.25Z","Type":"read","MessageSender":""}}"#
        ),
    );
    for (kind, state) in [("", Some("Delivered")), ("read", Some("Read")), ("read-self", Some("ReadSelf"))] {
        assert_eq!(Happening::from(receipt(kind)).extras.get("state"), state.map(Value::from).as_ref());
    }
    assert!(Happening::from(receipt("retry")).extras.is_empty());

    let retry = MediaRetry {
        error: Some(MediaRetryError { code: 2 }),
        message_id: "A".into(),
        timestamp: noon(),
        ..MediaRetry::default()
    };
    prints(
        retry,
        "MediaRetry",
        r#"{"Ciphertext":null,"IV":null,"Error":{"Code":2},"Timestamp":"2025-09-15T11:56:18Z","MessageID":"A","ChatID":"","SenderID":"","FromMe":false}"#,
    );
    let retry = MediaRetry { ciphertext: Some(vec![0]), iv: Some(vec![1]), ..MediaRetry::default() };
    assert_eq!(Happening::from(retry.clone()).event["Ciphertext"], "AA==");
    assert_eq!(Happening::from(retry).event["IV"], "AQ==");
}

#[test]
fn groups() {
    let change = GroupInfo {
        jid: jid("120363@g.us"),
        sender: Some(jid("7@lid")),
        timestamp: noon(),
        name: Some(Name { name: "N".into(), name_set_at: noon(), ..Name::default() }),
        topic: Some(Topic::default()),
        locked: Some(Locked { is_locked: true }),
        announce: Some(Announce::default()),
        ephemeral: Some(Ephemeral { is_ephemeral: true, disappearing_timer: 86_400 }),
        membership_approval_mode: Some(Approval::default()),
        delete: Some(Deleted::default()),
        link: Some(Link { kind: "sub_group".into(), ..Link::default() }),
        join: vec![jid("8@lid")],
        ..GroupInfo::default()
    };
    prints(
        change,
        "GroupInfo",
        &[
            r#"{"JID":"120363@g.us","Notify":"","Sender":"7@lid","SenderPN":null,"Timestamp":"2025-09-15T11:56:18Z","#,
            r#""Name":{"Name":"N","NameSetAt":"2025-09-15T11:56:18Z","NameSetBy":"","NameSetByPN":""},"#,
            r#""Topic":{"Topic":"","TopicID":"","TopicSetAt":"0001-01-01T00:00:00Z","TopicSetBy":"","TopicSetByPN":"","TopicDeleted":false},"#,
            r#""Locked":{"IsLocked":true},"Announce":{"IsAnnounce":false,"AnnounceVersionID":""},"#,
            r#""Ephemeral":{"IsEphemeral":true,"DisappearingTimer":86400},"#,
            r#""MembershipApprovalMode":{"IsJoinApprovalRequired":false},"Delete":{"Deleted":false,"DeleteReason":""},"#,
            r#""Link":{"Type":"sub_group","UnlinkReason":"","Group":{"JID":"","#,
            NAMELESS,
            r#","IsDefaultSubGroup":false}},"Unlink":null,"NewInviteLink":null,"PrevParticipantVersionID":"","#,
            r#""ParticipantVersionID":"","JoinReason":"","Join":["8@lid"],"Leave":null,"Promote":null,"Demote":null,"#,
            r#""Suspended":false,"Unsuspended":false,"UnknownChanges":null}"#,
        ]
        .concat(),
    );
    let participant = Participant {
        jid: jid("7@lid"),
        is_admin: true,
        add_request: Some(AddRequest { code: "c".into(), expiration: noon() }),
        ..Participant::default()
    };
    let group = Group { jid: jid("120363@g.us"), participants: vec![participant], ..Group::default() };
    prints(
        JoinedGroup { kind: "new".into(), group, ..JoinedGroup::default() },
        "JoinedGroup",
        &[
            r#"{"Reason":"","Type":"new","CreateKey":"","Sender":null,"SenderPN":null,"Notify":"","#,
            r#""JID":"120363@g.us","OwnerJID":"","OwnerPN":"","#,
            NAMELESS,
            r#","Topic":"","TopicID":"","TopicSetAt":"0001-01-01T00:00:00Z","TopicSetBy":"","TopicSetByPN":"","#,
            r#""TopicDeleted":false,"IsLocked":false,"IsAnnounce":false,"AnnounceVersionID":"","IsEphemeral":false,"#,
            r#""DisappearingTimer":0,"IsIncognito":false,"IsParent":false,"DefaultMembershipApprovalMode":"","#,
            r#""LinkedParentJID":"","IsDefaultSubGroup":false,"IsJoinApprovalRequired":false,"AddressingMode":"","#,
            r#""GroupCreated":"0001-01-01T00:00:00Z","CreatorCountryCode":"","ParticipantVersionID":"","#,
            r#""Participants":[{"JID":"7@lid","PhoneNumber":"","LID":"","IsAdmin":true,"IsSuperAdmin":false,"#,
            r#""DisplayName":"","Error":0,"AddRequest":{"Code":"c","Expiration":"2025-09-15T11:56:18Z"}}],"#,
            r#""ParticipantCount":0,"MemberAddMode":"","Suspended":false}"#,
        ]
        .concat(),
    );
}

#[test]
fn people() {
    let ana = jid("7@lid");
    prints(
        Picture { jid: ana.clone(), author: ana.clone(), timestamp: noon(), remove: false, picture_id: "1".into() },
        "Picture",
        r#"{"JID":"7@lid","Author":"7@lid","Timestamp":"2025-09-15T11:56:18Z","Remove":false,"PictureID":"1"}"#,
    );
    prints(
        UserAbout { jid: ana.clone(), status: "away".into(), timestamp: noon() },
        "UserAbout",
        r#"{"JID":"7@lid","Status":"away","Timestamp":"2025-09-15T11:56:18Z"}"#,
    );
    let block = BlocklistChange { jid: ana.clone(), action: "block".into() };
    prints(block.clone(), "BlocklistChange", r#"{"JID":"7@lid","Action":"block"}"#);
    prints(
        Blocklist { dhash: "d".into(), changes: vec![block], ..Blocklist::default() },
        "Blocklist",
        r#"{"Action":"","DHash":"d","PrevDHash":"","Changes":[{"JID":"7@lid","Action":"block"}]}"#,
    );
    prints(
        Blocklist { action: "modify".into(), ..Blocklist::default() },
        "Blocklist",
        r#"{"Action":"modify","DHash":"","PrevDHash":"","Changes":null}"#,
    );
    prints(
        IdentityChange { jid: ana.clone(), timestamp: noon(), implicit: true },
        "IdentityChange",
        r#"{"JID":"7@lid","Timestamp":"2025-09-15T11:56:18Z","Implicit":true}"#,
    );
    let new = Privacy { last_seen: "none".into(), ..Privacy::default() };
    prints(
        PrivacySettings::between(&Privacy::default(), new),
        "PrivacySettings",
        concat!(
            r#"{"NewSettings":{"GroupAdd":"","LastSeen":"none","Status":"","Profile":"","ReadReceipts":"","CallAdd":"","#,
            r#""Online":"","Messages":"","Defense":"","Stickers":""},"GroupAddChanged":false,"LastSeenChanged":true,"#,
            r#""StatusChanged":false,"ProfileChanged":false,"ReadReceiptsChanged":false,"OnlineChanged":false,"#,
            r#""CallAddChanged":false,"MessagesChanged":false,"DefenseChanged":false,"StickersChanged":false}"#,
        ),
    );
    let gone = Presence { from: ana, unavailable: true, last_seen: Time::ZERO };
    prints(gone.clone(), "Presence", r#"{"From":"7@lid","Unavailable":true,"LastSeen":"0001-01-01T00:00:00Z"}"#);
    assert_eq!(Happening::from(gone).extras["state"], "offline");
    assert_eq!(Happening::from(Presence::default()).extras["state"], "online");
    prints(
        ChatPresence { state: "composing".into(), media: "audio".into(), ..ChatPresence::default() },
        "ChatPresence",
        &format!(r#"{{{NOBODY},"State":"composing","Media":"audio"}}"#),
    );
}

#[test]
fn connections() {
    for (event, kind) in [
        (Bare::Connected, "Connected"),
        (Bare::Disconnected, "Disconnected"),
        (Bare::KeepAliveRestored, "KeepAliveRestored"),
        (Bare::ClientOutdated, "ClientOutdated"),
        (Bare::StreamReplaced, "StreamReplaced"),
        (Bare::QrScannedWithoutMultidevice, "QRScannedWithoutMultidevice"),
    ] {
        prints(event, kind, "{}");
    }
    prints(Bare::QrTimeout, "QRTimeout", r#""timeout""#);
    prints(
        ConnectFailure {
            reason: 503,
            message: "m".into(),
            raw: Some(Node { tag: "failure".into(), ..Node::default() }),
        },
        "ConnectFailure",
        r#"{"Reason":503,"Message":"m","Raw":{"Tag":"failure","Attrs":{},"Content":null}}"#,
    );
    prints(
        KeepAliveTimeout { error_count: 2, last_success: noon() },
        "KeepAliveTimeout",
        r#"{"ErrorCount":2,"LastSuccess":"2025-09-15T11:56:18Z"}"#,
    );
    prints(LoggedOut { on_connect: false, reason: 401 }, "LoggedOut", r#"{"OnConnect":false,"Reason":401}"#);
    prints(
        TemporaryBan { code: 101, expire: Duration::from_secs(3600) },
        "TemporaryBan",
        r#"{"Code":101,"Expire":3600000000000}"#,
    );
    prints(StreamError { code: "599".into(), raw: None }, "StreamError", r#"{"Code":"599","Raw":null}"#);
}

#[test]
fn pairing() {
    let paired = PairSuccess {
        id: jid("5511999990000:4@s.whatsapp.net"),
        lid: jid("1234567890:4@lid"),
        platform: "android".into(),
        ..PairSuccess::default()
    };
    let common = r#""ID":"5511999990000:4@s.whatsapp.net","LID":"1234567890:4@lid","BusinessName":"","Platform":"android","Props":null"#;
    prints(paired.clone(), "PairSuccess", &format!("{{{common}}}"));
    prints(PairError::new(paired), "PairError", &format!(r#"{{{common},"Error":{{}}}}"#));
    let code = Qr { code: "2@ab,cd".into(), picture: Some("data:image/png;base64,AA==".into()) };
    let whole = serde_json::to_string(&Happening::from(code)).unwrap();
    assert_eq!(whole, r#"{"type":"QR","event":"code","code":"2@ab,cd","qrCodeBase64":"data:image/png;base64,AA=="}"#);
    prints(
        PairPasskeyRequest { challenge: json!({"challenge": "AA"}), expires: noon() },
        "PairPasskeyRequest",
        r#"{"challenge":{"challenge":"AA"},"expires":"2025-09-15T11:56:18Z"}"#,
    );
}

#[test]
fn shared_state() {
    let value = json!({"timestamp": 1_757_937_378_000_i64, "muteAction": {"muted": true}});
    prints(
        AppState { index: vec!["mute".into(), "7@lid".into()], value: value.as_object().unwrap().clone() },
        "AppState",
        r#"{"Index":["mute","7@lid"],"timestamp":1757937378000,"muteAction":{"muted":true}}"#,
    );
    prints(
        AppStateSyncComplete { name: "regular".into(), version: 7, recovery: false },
        "AppStateSyncComplete",
        r#"{"Name":"regular","Version":7,"Recovery":false}"#,
    );
    prints(
        HistorySync { data: json!({"syncType": 0}), notification: None },
        "HistorySync",
        r#"{"Data":{"syncType":0},"Notification":null}"#,
    );
    prints(
        OfflineSyncPreview { total: 3, messages: 2, receipts: 1, ..OfflineSyncPreview::default() },
        "OfflineSyncPreview",
        r#"{"Total":3,"AppDataChanges":0,"Messages":2,"Notifications":0,"Receipts":1}"#,
    );
    prints(OfflineSyncCompleted { count: 3 }, "OfflineSyncCompleted", r#"{"Count":3}"#);
}

#[test]
fn calls() {
    let caller = Caller { from: jid("7@lid"), call_id: "C".into(), timestamp: noon(), ..Caller::default() };
    let common = r#""From":"7@lid","Timestamp":"2025-09-15T11:56:18Z","CallCreator":"","CallCreatorAlt":"","CallID":"C","GroupJID":"""#;
    let data = concat!(
        r#""Data":{"Tag":"offer","Attrs":{"call-id":"C","t":"1"},"Content":["#,
        r#"{"Tag":"audio","Attrs":{},"Content":"AQI="},{"Tag":"video","Attrs":{},"Content":null}]}"#,
    );
    let remote = || ("android".to_owned(), "2.25".to_owned());
    let (remote_platform, remote_version) = remote();
    let offer = Act::Offer { remote_platform, remote_version };
    let (remote_platform, remote_version) = remote();
    let accept = Act::Accept { remote_platform, remote_version };
    let (remote_platform, remote_version) = remote();
    let transport = Act::Transport { remote_platform, remote_version };
    let platform = r#""RemotePlatform":"android","RemoteVersion":"2.25","#;
    for (act, kind, middle) in [
        (offer, "CallOffer", platform),
        (accept, "CallAccept", platform),
        (transport, "CallTransport", platform),
        (
            Act::OfferNotice { media: "video".into(), kind: "group".into() },
            "CallOfferNotice",
            r#""Media":"video","Type":"group","#,
        ),
        (Act::Terminate { reason: "timeout".into() }, "CallTerminate", r#""Reason":"timeout","#),
        (Act::RelayLatency {}, "CallRelayLatency", ""),
        (Act::Reject {}, "CallReject", ""),
    ] {
        prints(Call { caller: caller.clone(), act, data: Some(node()) }, kind, &format!("{{{common},{middle}{data}}}"));
    }
}

#[test]
fn newsletters() {
    let name = || newsletter::Text { text: "News".into(), id: "1".into(), update_time: 1_757_937_378_000_000 };
    let thread = newsletter::Thread {
        creation_time: 1_757_937_378,
        name: name(),
        subscribers_count: 5,
        verification: "verified".into(),
        reactions: "all".into(),
        ..newsletter::Thread::default()
    };
    let viewer = Some(newsletter::Viewer { mute: "off".into(), role: "subscriber".into() });
    prints(
        NewsletterJoin { id: jid("120363@newsletter"), state: "active".into(), thread, viewer },
        "NewsletterJoin",
        concat!(
            r#"{"id":"120363@newsletter","state":{"type":"active"},"thread_metadata":{"creation_time":"1757937378","#,
            r#""invite":"","name":{"text":"News","id":"1","update_time":"1757937378000000"},"#,
            r#""description":{"text":"","id":"","update_time":"0"},"subscribers_count":"5","verification":"verified","#,
            r#""picture":null,"preview":{"url":"","id":"","type":"","direct_path":"","hash":""},"#,
            r#""settings":{"reaction_codes":{"value":"all"}}},"viewer_metadata":{"mute":"off","role":"subscriber"}}"#,
        ),
    );
    let id = || jid("120363@newsletter");
    prints(
        NewsletterLeave { id: id(), role: "guest".into() },
        "NewsletterLeave",
        r#"{"id":"120363@newsletter","role":"guest"}"#,
    );
    prints(
        NewsletterMuteChange { id: id(), mute: "on".into() },
        "NewsletterMuteChange",
        r#"{"id":"120363@newsletter","mute":"on"}"#,
    );
    let counted = newsletter::Message {
        server_id: 9,
        reaction_counts: Some(BTreeMap::from([("👍".into(), 2)])),
        ..newsletter::Message::default()
    };
    prints(
        NewsletterLiveUpdate { jid: id(), time: noon(), messages: vec![counted] },
        "NewsletterLiveUpdate",
        concat!(
            r#"{"JID":"120363@newsletter","Time":"2025-09-15T11:56:18Z","Messages":[{"MessageServerID":9,"MessageID":"","#,
            r#""Type":"","Timestamp":"0001-01-01T00:00:00Z","ViewsCount":0,"ReactionCounts":{"👍":2},"Message":null}]}"#,
        ),
    );
}

#[test]
fn changes_on_other_devices() {
    for (kind, name) in [
        (ChatKind::Archive, "Archive"),
        (ChatKind::ClearChat, "ClearChat"),
        (ChatKind::Contact, "Contact"),
        (ChatKind::DeleteChat, "DeleteChat"),
        (ChatKind::MarkChatAsRead, "MarkChatAsRead"),
        (ChatKind::Mute, "Mute"),
        (ChatKind::Pin, "Pin"),
        (ChatKind::UserStatusMute, "UserStatusMute"),
    ] {
        prints(
            ChatChange { kind, jid: jid("7@lid"), timestamp: noon(), action: json!({"x": 1}), from_full_sync: true },
            name,
            r#"{"JID":"7@lid","Timestamp":"2025-09-15T11:56:18Z","Action":{"x":1},"FromFullSync":true}"#,
        );
    }
    for (kind, name) in [(MessageKind::Star, "Star"), (MessageKind::DeleteForMe, "DeleteForMe")] {
        let change = MessageChange {
            kind,
            chat: jid("120363@g.us"),
            sender: jid("7@lid"),
            is_from_me: false,
            message_id: "A".into(),
            timestamp: noon(),
            action: json!({}),
            from_full_sync: false,
        };
        prints(
            change,
            name,
            r#"{"ChatJID":"120363@g.us","SenderJID":"7@lid","IsFromMe":false,"MessageID":"A","Timestamp":"2025-09-15T11:56:18Z","Action":{},"FromFullSync":false}"#,
        );
    }
    for (kind, name) in [
        (SettingKind::PushNameSetting, "PushNameSetting"),
        (SettingKind::UnarchiveChatsSetting, "UnarchiveChatsSetting"),
    ] {
        prints(
            SettingChange { kind, timestamp: noon(), action: json!({"name": "Me"}), from_full_sync: false },
            name,
            r#"{"Timestamp":"2025-09-15T11:56:18Z","Action":{"name":"Me"},"FromFullSync":false}"#,
        );
    }
    let label = LabelChange { label_id: "3".into(), timestamp: noon(), ..LabelChange::default() };
    let on_chat = LabelChange { chat: Some(jid("7@lid")), ..label.clone() };
    let on_message = LabelChange { message_id: Some("A".into()), ..on_chat.clone() };
    let tail = r#""Action":null,"FromFullSync":false}"#;
    let when = r#""Timestamp":"2025-09-15T11:56:18Z","LabelID":"3""#;
    prints(label, "LabelEdit", &format!("{{{when},{tail}"));
    prints(on_chat, "LabelAssociationChat", &format!(r#"{{"JID":"7@lid",{when},{tail}"#));
    prints(on_message, "LabelAssociationMessage", &format!(r#"{{"JID":"7@lid",{when},"MessageID":"A",{tail}"#));
    let renamed = PushName { jid: jid("7@lid"), new_push_name: "Ana".into(), ..PushName::default() };
    prints(renamed, "PushName", r#"{"JID":"7@lid","Message":null,"OldPushName":"","NewPushName":"Ana"}"#);
    let renamed = BusinessName { jid: jid("7@lid"), new_business_name: "A".into(), ..BusinessName::default() };
    prints(renamed, "BusinessName", r#"{"JID":"7@lid","Message":null,"OldBusinessName":"","NewBusinessName":"A"}"#);
}

#[test]
fn a_happening_is_stored_whole() {
    let media = MediaRef {
        key: "blob".into(),
        mime: "image/webp".into(),
        file_name: "A.webp".into(),
        is_sticker: true,
        sticker_animated: false,
    };
    let raw = json!({"stickerMessage": {"fileLength": u64::MAX}});
    let happening = Happening::from(Message::new(MessageInfo::default(), raw)).with_media(media).late();
    let stored = serde_json::to_string(&happening).unwrap();
    assert_eq!(serde_json::from_str::<Happening>(&stored).unwrap(), happening);
    let json: Value = serde_json::from_str(&stored).unwrap();
    assert_eq!((&json["type"], &json["offline"]), (&json!("Message"), &json!(true)));
    assert_eq!(
        json["media"],
        json!({
            "key": "blob",
            "mime": "image/webp",
            "fileName": "A.webp",
            "isSticker": true,
            "stickerAnimated": false,
        })
    );
    assert!(json["event"].get("media").is_none());
    let bare: Happening = serde_json::from_str(r#"{"type":"Connected","event":{}}"#).unwrap();
    assert_eq!(bare, Happening::from(Bare::Connected));
}

#[test]
fn times_move_to_another_zone_and_nothing_else_does() {
    let info = MessageInfo { timestamp: a_bit_later(), ..MessageInfo::default() };
    let raw =
        json!({"conversation": "2025-09-15T11:56:18Z", "ephemeralMessage": {"Timestamp": "2025-09-15T11:56:18Z"}});
    let mut event = Happening::from(Message::new(info, raw.clone())).event;
    let zone = FixedOffset::west_opt(3 * 3600).unwrap();
    in_zone(&mut event, &|_| zone);
    assert_eq!(event["Info"]["Timestamp"], "2025-09-15T08:56:18.25-03:00");
    assert_eq!(event["Info"]["MsgBotInfo"]["EditSenderTimestampMS"], "0001-01-01T00:00:00Z");
    assert_eq!(event["RawMessage"], raw);

    let group = Group { group_created: noon(), ..Group::default() };
    let mut event = Happening::from(JoinedGroup { group, ..JoinedGroup::default() }).event;
    in_zone(&mut event, &|_| zone);
    assert_eq!(event["GroupCreated"], "2025-09-15T08:56:18-03:00");
    in_zone(&mut event, &|_| FixedOffset::east_opt(0).unwrap());
    assert_eq!(event["GroupCreated"], "2025-09-15T11:56:18Z");
    assert_eq!(serde_json::to_value(Time::from_secs(0)).unwrap(), "0001-01-01T00:00:00Z");
}

#[test]
fn the_names_are_all_there_once() {
    let mut names: Vec<_> = NAMES.iter().chain(&BEYOND).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), NAMES.len() + BEYOND.len());
    assert!(is_known("All") && is_known("Mute") && !is_known("message") && !is_known(""));
}
