//! The conversation with a mail server: what is encrypted, and where it fails.

use std::time::Duration;

use doorward::clock::Millis;
use doorward::mail::letter::{self, Heading, Letter, Words};
use doorward::mail::route::{Login, Route};
use doorward::mail::smtp::{Failure, Patience, Stage, Step, hand_in};
use doorward::model::smtp_server::{Security, SmtpServer};
use doorward::secret::Secret;

use super::route;
use crate::support::smtp::{Silent, Smtp, Speaks};

const HURRY: Patience = Patience {
    connect: Duration::from_millis(1000),
    step: Duration::from_millis(500),
    message: Duration::from_millis(500),
};

async fn send(route: &Route) -> (Vec<Step>, Result<(), Failure>) {
    let to = letter::address("ada@example.com").expect("an address");
    let heading = Heading {
        from: &route.from,
        to: &to,
        id: "mail_1",
        host: &route.hello,
        at: Millis(1_700_000_000_000),
    };
    let words = Words {
        subject: "Hi".to_owned(),
        text: "one\n.\ntwo\n".to_owned(),
        html: "<p>one</p>".to_owned(),
    };
    let letter = Letter::new(heading, &words).expect("a letter");
    let mut steps = Vec::new();
    let done = hand_in(route, &letter, HURRY, &mut |step| steps.push(step)).await;
    (steps, done)
}

async fn failure(route: &Route) -> Failure {
    send(route).await.1.expect_err("it was taken")
}

#[tokio::test]
async fn each_way_of_protection_delivers_and_tells_its_steps() {
    for (speaks, security) in [
        (Speaks::Tls, Security::Tls),
        (Speaks::Starttls, Security::Starttls),
        (Speaks::Plain, Security::Plain),
    ] {
        let smtp = Smtp::speaking(speaks);
        let (steps, done) = send(&route(&smtp, security)).await;
        assert_eq!(done, Ok(()), "{speaks:?}");
        let encrypted = match security {
            Security::Plain => Step::NotEncrypted,
            Security::Tls | Security::Starttls => Step::Encrypted { version: "TLS 1.3".to_owned() },
        };
        let reply = "250 2.0.0 queued as T3ST".to_owned();
        let all = [Step::Connected { to: smtp.address }, encrypted, Step::Accepted { reply }];
        assert_eq!(steps, all);
        let received = smtp.received();
        assert_eq!(received.len(), 1);
        assert_eq!(received[0].encrypted, security != Security::Plain);
        assert_eq!(received[0].from, "door@home.example");
        assert_eq!(received[0].to, "ada@example.com");
        assert!(received[0].text.contains("Message-ID: <mail_1@auth.home.example>"));
        assert!(received[0].text.contains("one\n.\ntwo"), "{}", received[0].text);
    }
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing() {
    let smtp = Smtp::speaking(Speaks::Plain);
    smtp.wants_login("door", "s3cret");
    let login = Login { username: "door".to_owned(), password: Secret::new("s3cret") };
    let way = Route { login: Some(login), ..route(&smtp, Security::Starttls) };
    let failed = failure(&way).await;
    assert_eq!((failed.stage, failed.lasting), (Stage::Starttls, false));
    assert!(failed.reason.contains("does not offer STARTTLS"), "{failed}");
    assert_eq!(smtp.received(), []);
    let said = smtp.in_the_clear();
    assert!(said.iter().all(|line| line.starts_with("EHLO") || line == "QUIT"), "{said:?}");
}

#[tokio::test]
async fn nothing_but_the_greeting_is_said_in_the_clear_before_starttls() {
    let smtp = Smtp::speaking(Speaks::Starttls);
    assert_eq!(send(&route(&smtp, Security::Starttls)).await.1, Ok(()));
    assert_eq!(smtp.in_the_clear(), ["EHLO auth.home.example", "STARTTLS"]);
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_or_for_another_name_is_refused() {
    for (speaks, security) in [(Speaks::Tls, Security::Tls), (Speaks::Starttls, Security::Starttls)]
    {
        let smtp = Smtp::speaking(speaks);
        // One of another name, and one of the same name with another key.
        for other in [Smtp::named("mail.elsewhere.example"), Smtp::speaking(speaks)] {
            let way = Route { ca: Some(other.ca.clone()), ..route(&smtp, security) };
            let failed = failure(&way).await;
            assert_eq!(failed.stage, Stage::Encryption);
            assert!(failed.reason.contains("its issuer is not trusted here"), "{failed}");
            assert!(failed.remedy.contains("`ca`"), "{}", failed.remedy);
            assert_eq!(smtp.received(), []);
        }
    }
    let smtp = Smtp::named("mail.elsewhere.example");
    let failed = failure(&route(&smtp, Security::Tls)).await;
    assert!(failed.reason.contains("it is not for `localhost`"), "{failed}");
    let garbage = Route { ca: Some("no certificate".to_owned()), ..route(&smtp, Security::Tls) };
    assert!(failure(&garbage).await.reason.contains("holds no certificate"));
}

#[tokio::test]
async fn a_login_is_made_and_a_wrong_one_is_told() {
    let smtp = Smtp::speaking(Speaks::Tls);
    smtp.wants_login("door", "s3cret");
    let with = |password: &str| {
        let login = Login { username: "door".to_owned(), password: Secret::new(password) };
        Route { login: Some(login), ..route(&smtp, Security::Tls) }
    };
    let (steps, done) = send(&with("s3cret")).await;
    assert_eq!(done, Ok(()));
    assert!(steps.contains(&Step::Authenticated { username: "door".to_owned() }), "{steps:?}");
    assert_eq!(smtp.received()[0].user.as_deref(), Some("door"));
    let failed = failure(&with("wr0ng")).await;
    assert_eq!((failed.stage, failed.lasting), (Stage::Login, false));
    assert!(failed.reason.contains("535") && failed.reason.contains("bad credentials"), "{failed}");
    assert!(!format!("{failed:?}").contains("wr0ng"));
    let without = failure(&route(&smtp, Security::Tls)).await;
    assert_eq!(without.stage, Stage::Sender);
}

#[tokio::test]
async fn a_login_where_none_is_offered_is_told() {
    let smtp = Smtp::speaking(Speaks::Tls);
    let login = Login { username: "door".to_owned(), password: Secret::new("s3cret") };
    let way = Route { login: Some(login), ..route(&smtp, Security::Tls) };
    assert!(failure(&way).await.reason.contains("neither PLAIN nor LOGIN"));
}

#[tokio::test]
async fn a_refusal_lasts_if_it_is_about_the_message_and_for_good() {
    let smtp = Smtp::speaking(Speaks::Plain);
    let way = route(&smtp, Security::Plain);
    for (reply, lasting) in [("450 4.2.1 later", false), ("550 5.1.1 no such mailbox", true)] {
        smtp.refuses_recipient(reply);
        let failed = failure(&way).await;
        assert_eq!((failed.stage, failed.lasting), (Stage::Recipient, lasting), "{failed}");
        assert!(failed.reason.contains(reply.split(' ').next_back().expect("words")), "{failed}");
        smtp.refuses_message(reply);
        let failed = failure(&way).await;
        assert_eq!((failed.stage, failed.lasting), (Stage::Message, lasting), "{failed}");
    }
    assert_eq!(smtp.received(), []);
}

#[tokio::test]
async fn silence_and_closed_doors_come_to_an_end() {
    let smtp = Smtp::speaking(Speaks::Plain);
    smtp.falls_silent(Some(Silent::AtOnce));
    let failed = failure(&route(&smtp, Security::Plain)).await;
    assert_eq!(failed.stage, Stage::Greeting);
    assert!(failed.reason.contains("did not answer in time"), "{failed}");
    assert_eq!(failure(&route(&smtp, Security::Starttls)).await.stage, Stage::Starttls);
    assert_eq!(failure(&route(&smtp, Security::Tls)).await.stage, Stage::Encryption);
    smtp.falls_silent(Some(Silent::AfterMessage));
    assert_eq!(failure(&route(&smtp, Security::Plain)).await.stage, Stage::Message);
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("smtp://127.0.0.1:{}", gone.local_addr().expect("an address").port());
    drop(gone);
    let server = SmtpServer::parse(&url, None).expect("a server");
    let failed = failure(&Route { server, ..route(&smtp, Security::Plain) }).await;
    assert_eq!(failed.stage, Stage::Connection);
    assert!(failed.reason.contains("refused"), "{failed}");
}
