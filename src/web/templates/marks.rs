//! What a brand adds to a look: pictures, a colour, a style sheet, and the icons of apps.

use std::collections::BTreeMap;

use axum::body::Bytes;

use crate::web::colour::Colour;

/// The files of a brand, read already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    pub logo: Option<Picture>,
    pub favicon: Option<Picture>,
    /// Behind the form of a sign-in.
    pub background: Option<Picture>,
    pub colour: Option<Colour>,
    /// A style sheet that comes after all others.
    pub css: Option<String>,
    /// By the name of the app.
    pub icons: BTreeMap<String, Picture>,
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The ending of its name, such as `svg`.
    pub extension: String,
    pub bytes: Bytes,
}
