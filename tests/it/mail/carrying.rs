//! From the outbox to the mail server: retries, crashes, several nodes.

use std::sync::Arc;
use std::time::Duration;

use doorward::clock::Clock;
use doorward::ids::Rng;
use doorward::mail::carrier::{Carried, Carrier, LEASE, Outcome};
use doorward::mail::letter::Words;
use doorward::mail::message::Message;
use doorward::mail::post::{Addressee, Opened, Post, Queued};
use doorward::mail::route::Route;
use doorward::mail::smtp::{Failure, Patience, Stage};
use doorward::model::smtp_server::Security;
use doorward::runtime::Runtime;
use doorward::secret::{MasterKey, Secret};
use doorward::store::{Limits, StateUrl, Store};

use super::route;
use crate::support::smtp::{Smtp, Speaks};
use crate::support::stores::{NOON, TestStore, on_both_stores};
use crate::support::understood::runtime;

const EMAIL: &str = "email { smtp \"smtps://mail.example.com\"; from \"door@example.com\" }";

/// One node: its clock, its outbox, its store.
struct Node<'a> {
    store: &'a Store,
    post: Post,
}

fn key() -> Arc<MasterKey> {
    Arc::new(MasterKey::parse(&Secret::new("a".repeat(64))).expect("a key"))
}

fn addressee(address: &str) -> Addressee<'_> {
    Addressee { address, language: None }
}

impl<'a> Node<'a> {
    fn new(store: &'a Store, clock: &Clock, seed: u64) -> Self {
        Self { store, post: Post::new(key(), clock.clone(), Rng::counted(seed)) }
    }

    async fn queue(&self, runtime: &Runtime, to: &str, message: &Message) -> Queued {
        let mut tx = self.store.begin().await.expect("begun");
        let queued =
            self.post.queue(runtime, &mut tx, addressee(to), message).await.expect("asked");
        tx.commit().await.expect("committed");
        queued
    }

    async fn carry(&self, route: &Route) -> Option<Carried> {
        self.carry_until(route, std::future::pending()).await
    }

    async fn carry_until(
        &self,
        route: &Route,
        enough: impl Future<Output = ()>,
    ) -> Option<Carried> {
        let render = |opened: &Opened| Ok(words(&opened.message));
        let patience = Patience {
            connect: Duration::from_secs(1),
            step: Duration::from_secs(1),
            message: Duration::from_secs(1),
        };
        let carrier = Carrier {
            store: self.store,
            post: &self.post,
            route: Ok(route),
            render: &render,
            patience,
        };
        carrier.carry_one(enough).await.expect("the store answers")
    }
}

fn words(message: &Message) -> Words {
    Words {
        subject: message.kind().word().to_owned(),
        text: format!("{:?}", message.proof()),
        html: "<p>".to_owned(),
    }
}

fn code(code: &str) -> Message {
    Message::Code { name: "Ada".to_owned(), code: code.to_owned(), minutes: 10 }
}

fn link() -> Message {
    let url = "https://auth.example.com/x".to_owned();
    Message::RecoveryLink { name: "Ada".to_owned(), url, minutes: 30 }
}

fn notice() -> Message {
    Message::PasswordChanged { name: "Ada".to_owned(), address: "192.0.2.1".to_owned(), at: NOON }
}

#[tokio::test]
async fn what_is_queued_is_sealed_sent_and_gone() {
    on_both_stores(async |store: &TestStore| {
        let (smtp, clock) = (Smtp::speaking(Speaks::Starttls), Clock::manual(NOON));
        let node = Node::new(store, &clock, 1);
        let runtime = runtime(EMAIL);
        assert_eq!(node.queue(&runtime, "Ada@Example.com", &code("987654")).await, Queued::Yes);
        let mut tx = store.begin().await.expect("begun");
        let seen = tx.claim_outgoing(NOON, NOON).await.expect("asked").expect("one");
        drop(tx);
        assert!(!String::from_utf8_lossy(&seen.sealed).contains("987654"));
        let sent = node.carry(&route(&smtp, Security::Starttls)).await.expect("one is due");
        assert!(matches!(sent.outcome, Outcome::Sent { .. }), "{sent:?}");
        let received = smtp.received();
        assert_eq!(received.len(), 1);
        assert_eq!(received[0].to, "Ada@example.com");
        assert!(received[0].text.contains("Code(\"987654\")"), "{}", received[0].text);
        assert_eq!(node.carry(&route(&smtp, Security::Starttls)).await, None);
        let elsewhere = doorward::store::Outgoing { recipient: "eve@example.com".into(), ..seen };
        assert!(node.post.open(&elsewhere).is_err(), "a message opens for its own address alone");
    })
    .await;
}

#[tokio::test]
async fn a_transaction_that_comes_to_nothing_sends_nothing() {
    on_both_stores(async |store: &TestStore| {
        let (smtp, clock) = (Smtp::speaking(Speaks::Plain), Clock::manual(NOON));
        let node = Node::new(store, &clock, 1);
        let mut tx = store.begin().await.expect("begun");
        let queued = node
            .post
            .queue(&runtime(EMAIL), &mut tx, addressee("ada@example.com"), &notice())
            .await;
        assert_eq!(queued.expect("asked"), Queued::Yes);
        drop(tx);
        assert_eq!(node.carry(&route(&smtp, Security::Plain)).await, None);
    })
    .await;
}

#[tokio::test]
async fn what_fails_for_now_is_tried_again_later_and_what_fails_for_good_is_given_up() {
    on_both_stores(async |store: &TestStore| {
        let (smtp, clock) = (Smtp::speaking(Speaks::Plain), Clock::manual(NOON));
        let node = Node::new(store, &clock, 1);
        let way = route(&smtp, Security::Plain);
        let runtime = runtime(EMAIL);
        node.queue(&runtime, "ada@example.com", &notice()).await;
        smtp.refuses_recipient("451 4.7.1 greylisted");
        let first = node.carry(&way).await.expect("due");
        let Outcome::Postponed { failure, next } = &first.outcome else { panic!("{first:?}") };
        assert_eq!((failure.stage, *next), (Stage::Recipient, NOON.plus(Duration::from_secs(30))));
        assert!(!first.outcome.concerns_all(), "others may go");
        clock.advance(Duration::from_secs(29));
        assert_eq!(node.carry(&way).await, None);
        clock.advance(Duration::from_secs(1));
        let second = node.carry(&way).await.expect("due");
        assert!(matches!(second.outcome, Outcome::Sent { .. }), "{second:?}");
        assert_eq!((second.attempts, smtp.received().len()), (2, 1));

        node.queue(&runtime, "nobody@example.com", &notice()).await;
        smtp.refuses_recipient("550 5.1.1 no such mailbox");
        let refused = node.carry(&way).await.expect("due");
        assert!(matches!(refused.outcome, Outcome::GivenUp { .. }), "{refused:?}");
        let waiting = store.read().await.expect("reading").count_outbox().await.expect("counted");
        assert_eq!((waiting.waiting, waiting.given_up), (0, 1));
        let error = waiting.last_error.expect("an error");
        assert!(error.contains("recipient") && error.contains("no such mailbox"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_link_is_given_up_rather_than_sent_too_late_and_a_notice_has_its_bound() {
    on_both_stores(async |store: &TestStore| {
        let (smtp, clock) = (Smtp::speaking(Speaks::Plain), Clock::manual(NOON));
        let way = route(&smtp, Security::Plain);
        let closed = Route { server: nobody(), ..way.clone() };
        let node = Node::new(store, &clock, 1);
        let runtime = runtime(EMAIL);
        node.queue(&runtime, "ada@example.com", &link()).await;
        let mut tries = 0;
        let last = loop {
            let carried = node.carry(&closed).await;
            let Some(carried) = carried else {
                clock.advance(Duration::from_secs(10));
                continue;
            };
            tries += 1;
            assert!(carried.outcome.concerns_all(), "nothing else would fare better");
            if let Outcome::GivenUp { failure } = carried.outcome {
                break failure;
            }
        };
        assert_eq!((last.stage, tries), (Stage::Connection, 6), "{last}");
        assert!(clock.now() < NOON.plus(Duration::from_secs(1800)));

        node.queue(&runtime, "ada@example.com", &notice()).await;
        let mut tries = 0;
        loop {
            clock.advance(Duration::from_secs(3600));
            let carried = node.carry(&closed).await.expect("due");
            tries += 1;
            if matches!(carried.outcome, Outcome::GivenUp { .. }) {
                break;
            }
        }
        assert_eq!(tries, 20);
        assert_eq!(smtp.received(), []);
    })
    .await;
}

/// A mail server that nobody listens at.
fn nobody() -> doorward::model::smtp_server::SmtpServer {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("smtp://127.0.0.1:{}", gone.local_addr().expect("an address").port());
    doorward::model::smtp_server::SmtpServer::parse(&url, None).expect("a server")
}

#[tokio::test]
async fn what_ran_out_while_nobody_could_send_is_dropped_unsent() {
    on_both_stores(async |store: &TestStore| {
        let (smtp, clock) = (Smtp::speaking(Speaks::Plain), Clock::manual(NOON));
        let (node, way) = (Node::new(store, &clock, 1), route(&smtp, Security::Plain));
        node.queue(&runtime(EMAIL), "ada@example.com", &link()).await;
        clock.advance(Duration::from_secs(1800));
        assert_eq!(node.carry(&way).await, None);
        let render = |opened: &Opened| Ok(words(&opened.message));
        let (post, patience) = (&node.post, Patience::default());
        let carrier = Carrier { store, post, route: Ok(&way), render: &render, patience };
        let dropped = carrier.drop_expired().await.expect("asked");
        assert_eq!(dropped.len(), 1);
        assert_eq!(dropped[0].kind, "recovery-link");
        assert_eq!(smtp.connections(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_node_that_dies_between_claim_and_done_loses_its_claim_and_the_message_goes_again() {
    on_both_stores(async |store: &TestStore| {
        let (smtp, clock) = (Smtp::speaking(Speaks::Plain), Clock::manual(NOON));
        let (node, way) = (Node::new(store, &clock, 1), route(&smtp, Security::Plain));
        node.queue(&runtime(EMAIL), "ada@example.com", &notice()).await;
        let mut tx = store.begin().await.expect("begun");
        let claimed = tx.claim_outgoing(NOON, NOON.plus(LEASE)).await.expect("asked");
        tx.commit().await.expect("committed");
        assert!(claimed.is_some(), "claimed by a node that is never heard of again");
        assert_eq!(node.carry(&way).await, None);
        clock.advance(LEASE);
        let sent = node.carry(&way).await.expect("free again");
        assert!(matches!(sent.outcome, Outcome::Sent { .. }), "{sent:?}");
        assert_eq!((sent.attempts, smtp.received().len()), (2, 1));
    })
    .await;
}

#[tokio::test]
async fn two_nodes_send_each_message_once() {
    on_both_stores(async |store: &TestStore| {
        let (smtp, clock) = (Smtp::speaking(Speaks::Plain), Clock::manual(NOON));
        let way = route(&smtp, Security::Plain);
        let other = store.reopened().await;
        let (one, two) = (Node::new(store, &clock, 1), Node::new(&other, &clock, 2));
        let runtime = runtime(EMAIL);
        for number in 0..10 {
            let to = format!("user{number}@example.com");
            assert_eq!(one.queue(&runtime, &to, &notice()).await, Queued::Yes);
        }
        let all = async |node: &Node<'_>| {
            let mut count = 0;
            while node.carry(&way).await.is_some() {
                count += 1;
            }
            count
        };
        let (first, second): (usize, usize) = tokio::join!(all(&one), all(&two));
        let rest = all(&one).await;
        assert_eq!(first + second + rest, 10);
        let mut to: Vec<String> = smtp.received().into_iter().map(|each| each.to).collect();
        to.sort();
        to.dedup();
        assert_eq!((smtp.received().len(), to.len()), (10, 10));
    })
    .await;
}

#[tokio::test]
async fn a_message_under_way_is_given_back_at_the_end() {
    on_both_stores(async |store: &TestStore| {
        let (smtp, clock) = (Smtp::speaking(Speaks::Plain), Clock::manual(NOON));
        let (node, way) = (Node::new(store, &clock, 1), route(&smtp, Security::Plain));
        node.queue(&runtime(EMAIL), "ada@example.com", &notice()).await;
        smtp.falls_silent(Some(crate::support::smtp::Silent::AtOnce));
        let enough = tokio::time::sleep(Duration::from_millis(50));
        let carried = node.carry_until(&way, enough).await.expect("one was due");
        assert_eq!(carried.outcome, Outcome::Released);
        smtp.falls_silent(None);
        let sent = node.carry(&way).await.expect("due at once");
        assert!(matches!(sent.outcome, Outcome::Sent { .. }), "{sent:?}");
        assert_eq!(sent.attempts, 1);
    })
    .await;
}

#[tokio::test]
async fn nobody_can_be_made_to_get_more_than_so_many_an_hour() {
    on_both_stores(async |store: &TestStore| {
        let clock = Clock::manual(NOON);
        let node = Node::new(store, &clock, 1);
        let runtime = runtime(EMAIL);
        let mut answers = Vec::new();
        for to in ["ada@example.com", "ADA@example.com"].into_iter().cycle().take(7) {
            answers.push(node.queue(&runtime, to, &link()).await);
        }
        assert_eq!(answers.iter().filter(|answer| **answer == Queued::Yes).count(), 5);
        assert_eq!(answers.last(), Some(&Queued::TooMany), "another spelling is no other person");
        assert_eq!(node.queue(&runtime, "ada@example.com", &notice()).await, Queued::Yes);
        assert_eq!(node.queue(&runtime, "bob@example.com", &link()).await, Queued::Yes);
        clock.advance(Duration::from_secs(3601));
        assert_eq!(node.queue(&runtime, "ada@example.com", &link()).await, Queued::Yes);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_queued() {
    on_both_stores(async |store: &TestStore| {
        let clock = Clock::manual(NOON);
        let node = Node::new(store, &clock, 1);
        let (with, without) = (runtime(EMAIL), runtime(""));
        assert_eq!(node.queue(&without, "a@example.com", &link()).await, Queued::NotConfigured);
        for bad in ["", "ada", "a@example.com\r\nBcc: b@example.com", "ä@example.com"] {
            assert_eq!(node.queue(&with, bad, &link()).await, Queued::BadAddress, "{bad}");
        }
        let waiting = store.read().await.expect("reading").count_outbox().await.expect("counted");
        assert_eq!(waiting.waiting, 0);
    })
    .await;
}

#[tokio::test]
async fn settings_that_lead_nowhere_leave_the_message_waiting() {
    let directory = tempfile::tempdir().expect("a directory");
    let url = StateUrl::Sqlite(directory.path().join("state.db"));
    let (store, _) = Store::open(&url, Limits::default(), NOON).await.expect("a store");
    let clock = Clock::manual(NOON);
    let node = Node::new(&store, &clock, 1);
    node.queue(&runtime(EMAIL), "ada@example.com", &notice()).await;
    let failure = Failure::settings("no password", "give one");
    let render = |opened: &Opened| Ok(words(&opened.message));
    let (post, patience) = (&node.post, Patience::default());
    let carrier = Carrier { store: &store, post, route: Err(&failure), render: &render, patience };
    let carried = carrier.carry_one(std::future::pending()).await.expect("asked").expect("due");
    assert!(matches!(carried.outcome, Outcome::Postponed { .. }), "{carried:?}");
    assert!(carried.outcome.concerns_all());
}
