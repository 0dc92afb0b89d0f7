//! Everything a request may need.
