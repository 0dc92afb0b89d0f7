//! What things are. No I/O, no wire formats, no SQL.

pub mod factor;
pub mod glob;
pub mod host;
pub mod network;
pub mod subject;
pub mod time_window;
pub mod web_url;
