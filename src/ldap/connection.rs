//! One connection, from its first word to its last: operations one after the other.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapBindCred, LdapBindRequest, LdapBindResponse, LdapExtendedRequest, LdapExtendedResponse,
    LdapMsg, LdapOp, LdapResult, LdapResultCode as Code, LdapSearchRequest,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_util::codec::Framed;

use super::bind::{Bound, Refusal};
use super::frame::Requests;
use super::{Ldap, Trouble, schema, tree};
use crate::secret::Secret;

/// How long somebody stays who says nothing: before a bind, and after one.
const UNBOUND_STAYS: Duration = Duration::from_secs(60);
/// However much is said, a connection is bound within this.
const BOUND_WITHIN: Duration = Duration::from_secs(2 * 60);
const BOUND_STAYS: Duration = Duration::from_secs(15 * 60);
/// How long a client may take to take an answer, and to greet over TLS.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// RFC 4511 §4.4.1.
const DISCONNECTION: &str = "1.3.6.1.4.1.1466.20036";

/// Bytes in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

type Channel = Framed<Box<dyn Stream>, Requests>;

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    pub address: IpAddr,
    /// It speaks TLS from the first byte.
    pub tls: bool,
}

/// What the next operation meets.
struct Session<'a> {
    front: &'a Ldap,
    peer: Peer,
    bound: Option<Bound>,
    tls: bool,
}

/// What an operation leads to.
enum Then {
    GoOn,
    End,
    /// The rest is spoken over TLS.
    Secure,
}

/// Answers on one connection until it ends.
pub async fn serve(
    front: Arc<Ldap>,
    stream: Box<dyn Stream>,
    peer: Peer,
    start_tls: Option<TlsAcceptor>,
) {
    let mut session = Session { front: &front, peer, bound: None, tls: peer.tls };
    let mut channel = framed(stream);
    let mut unbound_since = Instant::now();
    loop {
        let stays = match session.bound.is_some() {
            true => {
                unbound_since = Instant::now();
                BOUND_STAYS
            }
            false => UNBOUND_STAYS.min(BOUND_WITHIN.saturating_sub(unbound_since.elapsed())),
        };
        let message = match tokio::time::timeout(stays, channel.next()).await {
            Ok(Some(Ok(message))) => message,
            Ok(Some(Err(_))) => {
                let why = "this is no request, or a longer one than is read here";
                let _ = channel.send(disconnection(Code::ProtocolError, why)).await;
                return;
            }
            Ok(None) | Err(_) => return,
        };
        let answered = session.answer(&mut channel, message);
        match tokio::time::timeout(ANSWER_WITHIN, answered).await {
            Ok(Ok(Then::GoOn)) => {}
            Ok(Ok(Then::Secure)) => match secure(channel, start_tls.as_ref()).await {
                Some(secured) => {
                    channel = secured;
                    session.tls = true;
                    session.bound = None;
                }
                None => return,
            },
            Ok(Ok(Then::End) | Err(_)) | Err(_) => return,
        }
    }
}

fn framed(stream: Box<dyn Stream>) -> Channel {
    Framed::new(stream, Requests::default())
}

/// Goes on over TLS. What was said in clear after the request for it is not taken for said over TLS.
async fn secure(channel: Channel, acceptor: Option<&TlsAcceptor>) -> Option<Channel> {
    let parts = channel.into_parts();
    if !parts.read_buf.is_empty() {
        return None;
    }
    let accepted = tokio::time::timeout(ANSWER_WITHIN, acceptor?.accept(parts.io)).await;
    let stream = accepted.ok()?.ok()?;
    Some(framed(Box::new(stream)))
}

impl Session<'_> {
    async fn answer(&mut self, channel: &mut Channel, message: LdapMsg) -> std::io::Result<Then> {
        let LdapMsg { msgid, op, ctrl } = message;
        // An answer to something that nobody can be asked for has no shape.
        let kind = match &op {
            LdapOp::UnbindRequest => return Ok(Then::End),
            LdapOp::AbandonRequest(_) => return Ok(Then::GoOn),
            op => answer_to(op),
        };
        let Some(kind) = kind else {
            channel.send(disconnection(Code::ProtocolError, "this is no request")).await?;
            return Ok(Then::End);
        };
        if let Some(oid) = unknown_control(&ctrl) {
            let message = format!("the control {oid} is not known here");
            let result = result(Code::UnavailableCriticalExtension, message);
            channel.send(LdapMsg { msgid, op: kind(result), ctrl: vec![] }).await?;
            return Ok(Then::GoOn);
        }
        match op {
            LdapOp::BindRequest(request) => {
                let res = self.bind(request).await;
                let op = LdapOp::BindResponse(LdapBindResponse { res, saslcreds: None });
                channel.send(LdapMsg { msgid, op, ctrl: vec![] }).await?;
            }
            LdapOp::SearchRequest(request) => self.search(channel, msgid, request, ctrl).await?,
            LdapOp::CompareRequest(request) => {
                let (dn, name, value) = (request.dn, request.atype, request.val);
                let res = self.compare(dn, name, &value).await;
                channel
                    .send(LdapMsg { msgid, op: LdapOp::CompareResult(res), ctrl: vec![] })
                    .await?;
            }
            LdapOp::ExtendedRequest(request) => {
                return self.extended(channel, msgid, request).await;
            }
            _ => {
                let message =
                    "this directory is read only: people and groups are changed in the files";
                let op = kind(result(Code::UnwillingToPerform, message));
                channel.send(LdapMsg { msgid, op, ctrl: vec![] }).await?;
            }
        }
        Ok(Then::GoOn)
    }

    /// A bind that fails leaves nobody (RFC 4511 §4.2.1).
    async fn bind(&mut self, request: LdapBindRequest) -> LdapResult {
        self.bound = None;
        if request.version != 3 {
            return result(Code::ProtocolError, "LDAP version 3 is spoken here");
        }
        let LdapBindCred::Simple(secret) = request.cred else {
            return result(Code::AuthMethodNotSupported, "only simple binds are taken");
        };
        let secret = Secret::new(secret);
        match (request.dn.is_empty(), secret.reveal().is_empty()) {
            (true, true) => return result(Code::Success, ""),
            // RFC 4513 §5.1.2: a client that forgot the password would take this for success.
            (false, true) => {
                return result(Code::UnwillingToPerform, "a bind with a name wants a secret");
            }
            (_, false) => {}
        }
        let client = super::client(self.peer.address);
        match self.front.bind(client, &request.dn, &secret).await {
            Ok(bound) => {
                self.bound = Some(bound);
                result(Code::Success, "")
            }
            Err(Refusal { code, message, trouble }) => {
                if let Some(trouble) = trouble {
                    self.front.say(&trouble);
                }
                result(code, message)
            }
        }
    }

    /// Who is bound, if that still holds; else what to say instead of an answer.
    async fn still_bound(&mut self) -> Result<Option<Bound>, LdapResult> {
        let Some(bound) = self.bound.clone() else { return Ok(None) };
        let runtime = self.front.server.runtime.load_full();
        match bound.holds(self.front, &runtime).await {
            Ok(true) => Ok(Some(bound)),
            Ok(false) => {
                self.bound = None;
                let message =
                    "the bind has ended: the account, its secret or the files have changed";
                Err(result(Code::InsufficentAccessRights, message))
            }
            Err(trouble) => Err(unavailable(self.front, &trouble)),
        }
    }

    async fn search(
        &mut self,
        channel: &mut Channel,
        msgid: i32,
        request: LdapSearchRequest,
        controls: Vec<LdapControl>,
    ) -> std::io::Result<()> {
        let found = match self.still_bound().await {
            Ok(bound) => {
                let runtime = self.front.server.runtime.load_full();
                let found = self.front.search(&runtime, bound.as_ref(), &request, &controls).await;
                found.map_err(|trouble| unavailable(self.front, &trouble))
            }
            Err(result) => Err(result),
        };
        let (entries, result, cookie) = match found {
            Ok(found) => {
                let mut result = result(found.code, found.message);
                result.matcheddn = found.matched;
                (found.entries, result, found.cookie)
            }
            Err(result) => (Vec::new(), result, None),
        };
        for entry in entries {
            channel
                .feed(LdapMsg { msgid, op: LdapOp::SearchResultEntry(entry), ctrl: vec![] })
                .await?;
        }
        let page = cookie.map(|cookie| LdapControl::SimplePagedResults { size: 0, cookie });
        let ctrl = page.into_iter().collect();
        channel.send(LdapMsg { msgid, op: LdapOp::SearchResultDone(result), ctrl }).await
    }

    /// RFC 4511 §4.10: a search of one entry, told in one word.
    async fn compare(&mut self, dn: String, name: String, value: &[u8]) -> LdapResult {
        use ldap3_proto::proto::{LdapDerefAliases, LdapFilter, LdapSearchScope};
        let Ok(value) = std::str::from_utf8(value) else {
            return result(Code::InvalidAttributeSyntax, "values are text here");
        };
        let bound = match self.still_bound().await {
            Ok(bound) => bound,
            Err(result) => return result,
        };
        let request = LdapSearchRequest {
            base: dn,
            scope: LdapSearchScope::Base,
            aliases: LdapDerefAliases::Never,
            sizelimit: 0,
            timelimit: 0,
            typesonly: false,
            filter: LdapFilter::Equality(name, value.to_owned()),
            attrs: vec!["1.1".to_owned()],
        };
        let runtime = self.front.server.runtime.load_full();
        match self.front.search(&runtime, bound.as_ref(), &request, &[]).await {
            Ok(found) if found.code == Code::Success => match found.entries.is_empty() {
                true => result(Code::CompareFalse, ""),
                false => result(Code::CompareTrue, ""),
            },
            Ok(found) => result(found.code, found.message),
            Err(trouble) => unavailable(self.front, &trouble),
        }
    }

    async fn extended(
        &mut self,
        channel: &mut Channel,
        msgid: i32,
        request: LdapExtendedRequest,
    ) -> std::io::Result<Then> {
        let (res, name, value, then) = match request.name.as_str() {
            schema::WHO_AM_I => match self.still_bound().await {
                Ok(bound) => {
                    (result(Code::Success, ""), None, Some(self.who(bound.as_ref())), Then::GoOn)
                }
                Err(result) => (result, None, None, Then::GoOn),
            },
            schema::START_TLS => {
                let name = Some(schema::START_TLS.to_owned());
                match (self.front.offers_start_tls(), self.tls) {
                    (true, false) => (result(Code::Success, ""), name, None, Then::Secure),
                    (_, true) => {
                        let message = "the connection speaks TLS already";
                        (result(Code::OperationsError, message), name, None, Then::GoOn)
                    }
                    (false, _) => {
                        let message = "no certificate is declared: add `tls` to `ldap` or `server`";
                        (result(Code::Unavailable, message), name, None, Then::GoOn)
                    }
                }
            }
            other => {
                let other: String = other.chars().filter(char::is_ascii_graphic).take(64).collect();
                let message = format!("the operation {other} is not known here");
                (result(Code::ProtocolError, message), None, None, Then::GoOn)
            }
        };
        let op = LdapOp::ExtendedResponse(LdapExtendedResponse { res, name, value });
        channel.send(LdapMsg { msgid, op, ctrl: vec![] }).await?;
        Ok(then)
    }

    /// RFC 4532: who the server takes the client for.
    fn who(&self, bound: Option<&Bound>) -> Vec<u8> {
        let runtime = self.front.server.runtime.load();
        let Some(directory) = &runtime.directory else { return Vec::new() };
        let dn = match bound {
            None => return Vec::new(),
            Some(Bound::Program { name, .. }) => tree::of_program(directory, name).to_string(),
            Some(Bound::Person { account, .. }) => {
                let trees = tree::trees(&runtime, directory);
                let username = &account.profile().user.username;
                trees
                    .first()
                    .map(|tree| tree.leaf(tree::Branch::People, username))
                    .unwrap_or_default()
            }
        };
        format!("dn:{dn}").into_bytes()
    }
}

fn result(code: Code, message: impl Into<String>) -> LdapResult {
    LdapResult { code, matcheddn: String::new(), message: message.into(), referral: Vec::new() }
}

fn unavailable(front: &Ldap, trouble: &Trouble) -> LdapResult {
    front.say(&trouble.to_string());
    result(Code::Unavailable, "the server cannot answer now")
}

/// RFC 4511 §4.4.1: nobody asked for it.
fn disconnection(code: Code, message: &str) -> LdapMsg {
    let response = LdapExtendedResponse {
        res: result(code, message),
        name: Some(DISCONNECTION.to_owned()),
        value: None,
    };
    LdapMsg { msgid: 0, op: LdapOp::ExtendedResponse(response), ctrl: vec![] }
}

/// The answer that goes with a request, if it is one.
fn answer_to(op: &LdapOp) -> Option<fn(LdapResult) -> LdapOp> {
    Some(match op {
        LdapOp::BindRequest(_) => {
            |res| LdapOp::BindResponse(LdapBindResponse { res, saslcreds: None })
        }
        LdapOp::SearchRequest(_) => LdapOp::SearchResultDone,
        LdapOp::ModifyRequest(_) => LdapOp::ModifyResponse,
        LdapOp::AddRequest(_) => LdapOp::AddResponse,
        LdapOp::DelRequest(_) => LdapOp::DelResponse,
        LdapOp::ModifyDNRequest(_) => LdapOp::ModifyDNResponse,
        LdapOp::CompareRequest(_) => LdapOp::CompareResult,
        LdapOp::ExtendedRequest(_) => {
            |res| LdapOp::ExtendedResponse(LdapExtendedResponse { res, name: None, value: None })
        }
        _ => return None,
    })
}

/// A control that its client will not do without, and that is not known here (RFC 4511 §4.1.11).
fn unknown_control(controls: &[LdapControl]) -> Option<&str> {
    controls.iter().find_map(|control| match control {
        LdapControl::Unknown { oid, criticality: true, .. } => Some(oid.as_str()),
        LdapControl::SyncRequest { criticality: true, .. } => Some("1.3.6.1.4.1.4203.1.9.1.1"),
        LdapControl::ShowDeleted { criticality: true } => Some("1.2.840.113556.1.4.417"),
        LdapControl::ExtendedDn { criticality: true, .. } => Some("1.2.840.113556.1.4.529"),
        LdapControl::AdDirsync { .. } => Some("1.2.840.113556.1.4.841"),
        _ => None,
    })
}
