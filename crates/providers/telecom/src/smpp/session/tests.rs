use std::sync::Arc;

use rusmpp::pdus::SubmitSmResp;
use rusmpp::tokio_codec::CommandCodec;
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;
use tokio_util::codec::Framed;

use futures_util::SinkExt;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);
const EVERY: Duration = Duration::from_secs(30);

/// A session and the other end of its wire.
struct Wired {
    clock: Clock,
    session: Arc<Session>,
    carrier: Framed<DuplexStream, CommandCodec>,
    inbox: mpsc::Receiver<Arrival>,
    ended: JoinHandle<Ended>,
}

impl Wired {
    fn new(inbox: usize) -> Self {
        let clock = Clock::manual(1_000);
        let (arrivals, inbox) = mpsc::channel(inbox);
        let (session, ends) = Session::new(clock.clone(), arrivals);
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let session = Arc::new(session);
        let running = Arc::clone(&session);
        let ended = tokio::spawn(async move { running.run(ours, ends, EVERY).await });
        Self { clock, session, carrier: Framed::new(theirs, CommandCodec::new()), inbox, ended }
    }

    fn ask(&self) -> JoinHandle<Result<Answer, Lost>> {
        let session = Arc::clone(&self.session);
        tokio::spawn(async move { session.ask(rusmpp::pdus::SubmitSm::default(), PATIENCE).await })
    }

    async fn next(&mut self) -> Command {
        self.carrier.next().await.unwrap().unwrap()
    }

    async fn say(&mut self, sequence: u32, pdu: impl Into<Pdu>) {
        self.carrier.send(Command::new(CommandStatus::EsmeRok, sequence, pdu)).await.unwrap();
    }
}

#[tokio::test]
async fn answers_find_who_asked_whatever_their_order() {
    let mut wired = Wired::new(1);
    let (first, second) = (wired.ask(), wired.ask());
    let (one, two) = (wired.next().await.sequence_number, wired.next().await.sequence_number);
    for sequence in [two, one, 99] {
        wired.say(sequence, SubmitSmResp::new(sequence.to_string().parse().unwrap(), Vec::new())).await;
    }
    let mut ids = [first.await.unwrap().unwrap().message_id, second.await.unwrap().unwrap().message_id];
    ids.sort();
    assert_eq!(ids, ["1", "2"]);
    assert!(wired.session.is_idle());
}

#[tokio::test]
async fn who_waits_learns_whether_his_request_went_out() {
    let mut wired = Wired::new(1);
    let (late, cut) = (wired.ask(), wired.ask());
    wired.next().await;
    wired.next().await;
    wired.session.end();
    assert!(matches!(wired.ended.await.unwrap(), Ended::Over));
    assert_eq!([late.await.unwrap(), cut.await.unwrap()], [Err(Lost::Unanswered), Err(Lost::Unanswered)]);
    assert_eq!(wired.session.ask(Pdu::EnquireLink, PATIENCE).await, Err(Lost::Unsent), "it is over");
}

#[tokio::test]
async fn patience_ends() {
    let mut wired = Wired::new(1);
    let asked = wired.ask();
    wired.next().await;
    wired.clock.advance(PATIENCE);
    assert_eq!(asked.await.unwrap(), Err(Lost::Unanswered));
    assert!(wired.session.is_idle() && !wired.session.is_over());
}

#[tokio::test]
async fn a_silence_is_broken_with_a_question_and_a_second_one_is_the_end() {
    let mut wired = Wired::new(1);
    wired.clock.advance(EVERY);
    let question = wired.next().await;
    assert_eq!(question.id(), rusmpp::CommandId::EnquireLink);
    wired.say(question.sequence_number, Pdu::EnquireLinkResp).await;
    wired.say(77, Pdu::EnquireLink).await;
    let answer = wired.next().await;
    assert_eq!((answer.id(), answer.sequence_number), (rusmpp::CommandId::EnquireLinkResp, 77));
    wired.clock.advance(EVERY);
    assert_eq!(wired.next().await.id(), rusmpp::CommandId::EnquireLink);
    wired.clock.advance(SIGN_OF_LIFE);
    assert!(matches!(wired.ended.await.unwrap(), Ended::Silent));
}

#[tokio::test]
async fn what_we_cannot_take_the_carrier_keeps_and_a_goodbye_is_answered() {
    let mut wired = Wired::new(1);
    for sequence in [5, 6] {
        wired.say(sequence, rusmpp::pdus::DeliverSm::default()).await;
    }
    let refusal = wired.next().await;
    assert_eq!((refusal.sequence_number, refusal.status), (6, CommandStatus::EsmeRmsgqful));
    assert_eq!(wired.inbox.recv().await.unwrap().sequence, 5);
    wired.session.acknowledge(5, CommandStatus::EsmeRok).await;
    assert_eq!(wired.next().await.status, CommandStatus::EsmeRok);
    wired.say(9, Pdu::Unbind).await;
    assert!(matches!(wired.ended.await.unwrap(), Ended::Unbound | Ended::Closed));
}
