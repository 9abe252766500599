//! An SMSC that is not ours: npm's `smpp`, when `HERMOD_NODE_MODULES` says where it is.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use engine::messages::Status;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::world::{ANN, SENDER, World, config_for, put};

/// The stranger, who tells what he got in lines of JSON.
struct Stranger {
    child: Child,
    told: mpsc::UnboundedReceiver<String>,
    says: ChildStdin,
    port: u16,
}

impl Stranger {
    async fn start(modules: OsString) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/blackbox/smsc.js");
        let mut child = Command::new("node")
            .arg(script)
            .env("NODE_PATH", modules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (out, says) = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
        let (tell, told) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
        });
        let mut stranger = Self { child, told, says, port: 0 };
        stranger.port = u16::try_from(stranger.hear("listening").await["port"].as_u64().unwrap()).unwrap();
        stranger
    }

    /// The next thing of a kind that he tells.
    async fn hear(&mut self, kind: &str) -> Value {
        loop {
            let line = self.told.recv().await.expect("he is gone");
            let told: Value = serde_json::from_str(&line).unwrap();
            if told["kind"] == kind {
                return told;
            }
        }
    }

    fn say(&mut self, what: &Value) {
        writeln!(self.says, "{what}").unwrap();
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[tokio::test]
async fn a_stranger_understands_us_and_we_understand_him() {
    let Some(modules) = std::env::var_os("HERMOD_NODE_MODULES") else { return };
    let mut stranger = Stranger::start(modules).await;
    let world = World::new().await;
    let address = ([127, 0, 0, 1], stranger.port).into();
    let long = "Grüße 12 € [sic] ".repeat(20);
    for (way, header) in [("udh8", 6), ("udh16", 7), ("sar", 0)] {
        let config = config_for(address, &json!({ "message_id": "hex_to_decimal", "concatenation": way }));
        put(&world.engine, world.organization, &config, "sandbox").await;
        let bound = stranger.hear("bound").await;
        assert_eq!(bound["system_id"], "sandbox");
        for (text, coding) in [("Hello, 5 € @ home", 0), (long.as_str(), 0), ("Привет 😀", 8)] {
            let id = world.send(text).await;
            let parts = sms_text::split(text).parts.len();
            let mut whole = String::new();
            for number in 1..=parts {
                let part = stranger.hear("submitted").await;
                assert_eq!((&part["to"], &part["from"]), (&json!(&ANN[1..]), &json!(&SENDER[1..])));
                assert_eq!((&part["data_coding"], &part["registered_delivery"]), (&json!(coding), &json!(1)));
                if parts > 1 {
                    let place = [&part["total"], &part["number"]];
                    assert_eq!(place, [&json!(parts), &json!(number)], "{way}");
                    assert_eq!(part["header"].as_u64().unwrap(), header, "{way}");
                }
                whole.push_str(part["text"].as_str().unwrap());
            }
            assert_eq!(whole, text, "{way}");
            world.status_of(&id, Status::Delivered).await;
        }
    }
    let before = world.received().await.len();
    for text in ["Yes", &"Да 😀 ".repeat(30)] {
        stranger.say(&json!({ "from": &ANN[1..], "to": &SENDER[1..], "text": text }));
    }
    world.until("his words came", async || world.received().await.len() == before + 2).await;
    assert!(world.received().await.contains(&"Да 😀 ".repeat(30)));
    world.finish().await;
}
