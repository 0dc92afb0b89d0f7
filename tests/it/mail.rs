//! Mail, against a mail server on a real socket.

mod carrying;
mod command;
mod conversation;
mod serving;

use doorward::mail::letter;
use doorward::mail::route::Route;
use doorward::model::smtp_server::{Security, SmtpServer};

use crate::support::smtp::Smtp;

/// The way to a mail server of a test, whose certificate is for `localhost`.
fn route(to: &Smtp, security: Security) -> Route {
    let url = match security {
        Security::Tls => format!("smtps://localhost:{}", to.address.port()),
        Security::Starttls | Security::Plain => {
            format!("smtp://localhost:{}", to.address.port())
        }
    };
    Route {
        server: SmtpServer::parse(&url, Some(security)).expect("a server"),
        login: None,
        from: letter::mailbox("Home Lab <door@home.example>").expect("a sender"),
        ca: Some(to.ca.clone()),
        hello: "auth.home.example".to_owned(),
    }
}
