//! placeholder
use super::catalogue::Context;
use super::facts::Facts;
#[derive(Debug)]
pub struct Program;
#[derive(Debug, thiserror::Error)]
#[error("no")]
pub struct EvalError;
impl Program {
    pub fn compile(_: &str, _: Context) -> Result<Self, EvalError> {
        Err(EvalError)
    }
    pub fn truth(&self, _: &Facts<'_>) -> Result<bool, EvalError> {
        Err(EvalError)
    }
    pub fn text(&self, _: &Facts<'_>) -> Result<String, EvalError> {
        Err(EvalError)
    }
    pub fn json(&self, _: &Facts<'_>) -> Result<serde_json::Value, EvalError> {
        Err(EvalError)
    }
    pub fn reads_path(&self) -> bool {
        true
    }
}
