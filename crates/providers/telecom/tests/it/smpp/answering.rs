//! People answer: their texts are committed, then acknowledged.

use store::messages::Direction;

use super::world::{ANN, SENDER, World};

#[tokio::test]
async fn answers_arrive_whole_and_once_each() {
    let world = World::new().await;
    let long = "Ответ: очень длинный 😀 ".repeat(20);
    for text in ["Yes", "Yes", &long, "STOP it, @ once"] {
        world.carriers.reply(ANN, SENDER, text).await.unwrap();
    }
    world.until("all came", async || world.received().await.len() == 4).await;
    let mut received = world.received().await;
    received.sort();
    let mut expected = ["Yes".to_owned(), "Yes".to_owned(), long, "STOP it, @ once".to_owned()];
    expected.sort();
    assert_eq!(received, expected);
    let messages = world.messages(Direction::Inbound).await;
    assert!(messages.iter().all(|message| message.address == ANN && message.kind == "text"));
    world.finish().await;
}

#[tokio::test]
async fn what_was_written_while_nobody_was_there_comes_later() {
    let world = World::new().await;
    let world = world.crash().await;
    for number in 0..20 {
        world.carriers.reply(ANN, SENDER, &format!("number {number}")).await.unwrap();
    }
    world.until("all came", async || world.received().await.len() == 20).await;
    let world = world.crash().await;
    world.carriers.reply(ANN, SENDER, "and one").await.unwrap();
    world.until("it came", async || world.received().await.len() == 21).await;
    world.finish().await;
}
