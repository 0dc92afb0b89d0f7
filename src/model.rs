//! What things are. No I/O, no wire formats, no SQL.
