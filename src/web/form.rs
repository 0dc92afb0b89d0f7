//! Posted forms: read whole, small, every field once.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use http_body_util::{BodyExt, Limited};

use crate::secret::Secret;

/// No form of ours is longer.
const LONGEST: usize = 16 * 1024;
/// How long one may take to arrive as a whole.
const WITHIN: Duration = Duration::from_secs(10);

/// The fields of a form.
#[derive(Clone, Debug, Default)]
pub struct Form(BTreeMap<String, Secret>);

/// A body that is no form of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    #[error("the form is too long or broke off")]
    Unreadable,
    #[error("the form did not arrive in time")]
    Late,
    #[error("a field of the form came twice")]
    Twice,
    #[error("a field of the form holds a character that nobody types")]
    Nul,
}

impl Form {
    /// Reads a body.
    ///
    /// # Errors
    /// If it is too long, too slow, breaks off, or holds a field twice.
    pub async fn read(body: Body) -> Result<Self, FormError> {
        Self::read_within(body, WITHIN).await
    }

    async fn read_within(body: Body, within: Duration) -> Result<Self, FormError> {
        let whole = tokio::time::timeout(within, Limited::new(body, LONGEST).collect()).await;
        let bytes = whole.map_err(|_| FormError::Late)?.map_err(|_| FormError::Unreadable)?;
        Self::parse(&bytes.to_bytes())
    }

    /// The same fields in the query of an address.
    ///
    /// # Errors
    /// If it is too long or holds a field twice.
    pub fn of_query(query: &str) -> Result<Self, FormError> {
        if query.len() > LONGEST {
            return Err(FormError::Unreadable);
        }
        Self::parse(query.as_bytes())
    }

    fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        Self::of_pairs(url::form_urlencoded::parse(bytes))
    }

    /// These fields. A NUL is nothing that anybody means, and nothing that a database keeps.
    ///
    /// # Errors
    /// If a field is there twice, or holds a NUL.
    pub fn of_pairs<N: Into<String>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, FormError> {
        let mut fields = BTreeMap::new();
        for (name, value) in pairs {
            let value = value.as_ref();
            if value.contains('\0') {
                return Err(FormError::Nul);
            }
            if fields.insert(name.into(), Secret::new(value)).is_some() {
                return Err(FormError::Twice);
            }
        }
        Ok(Self(fields))
    }

    /// A field as it came. One without a value is one that did not come (RFC 6749 §3.1).
    #[must_use]
    pub fn exact(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(Secret::reveal).filter(|value| !value.is_empty())
    }

    /// A field as text, trimmed; empty if it is not there.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value.reveal().trim())
    }

    /// A field that is nobody's to see or to change, not even by trimming.
    #[must_use]
    pub fn secret(&self, name: &str) -> Secret {
        self.0.get(name).cloned().unwrap_or_else(|| Secret::new(""))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::body::{Bytes, HttpBody};
    use hyper::body::Frame;

    use super::*;

    #[tokio::test]
    async fn a_form_is_small_and_says_a_thing_once() {
        let form = Form::read(Body::from("username=+alice+&password=+x%20")).await.expect("a form");
        assert_eq!(form.text("username"), "alice");
        assert_eq!(form.secret("password").reveal(), " x ");
        assert_eq!(Form::read(Body::from("a=1&a=2")).await.err(), Some(FormError::Twice));
        assert_eq!(Form::of_query("a=1%00").err(), Some(FormError::Nul));
        let long = Form::read(Body::from("a".repeat(LONGEST + 1))).await;
        assert_eq!(long.err(), Some(FormError::Unreadable));
    }

    #[tokio::test]
    async fn a_form_that_trickles_in_has_one_deadline_for_all_of_it() {
        let body = Body::new(Trickle(tokio::time::interval(Duration::from_millis(5))));
        let within = Duration::from_millis(100);
        assert_eq!(Form::read_within(body, within).await.err(), Some(FormError::Late));
    }

    /// A byte now and then, without end.
    struct Trickle(tokio::time::Interval);

    impl HttpBody for Trickle {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let byte = || Some(Ok(Frame::data(Bytes::from_static(b"a"))));
            self.0.poll_tick(context).map(|_| byte())
        }
    }
}
