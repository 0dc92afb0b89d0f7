//! Path patterns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob(String);
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a path pattern begins with `/` or `*`")]
pub struct GlobError;
impl Glob {
    pub fn parse(text: &str) -> Result<Self, GlobError> {
        if text.starts_with(['/', '*']) { Ok(Self(text.to_owned())) } else { Err(GlobError) }
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl Glob {
    pub fn matches(&self, _: &str) -> bool {
        false
    }
    pub fn matches_folded(&self, _: &str) -> bool {
        false
    }
}
