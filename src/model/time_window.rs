//! Weekly windows of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeWindow {
    pub days: String,
    pub from: String,
    pub to: String,
    pub zone: String,
}
impl TimeWindow {
    pub fn holds(&self, _: crate::clock::Millis) -> bool {
        false
    }
}
