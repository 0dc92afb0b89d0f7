//! The looks of an installation: one for each brand, and one for hosts that no brand is for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::assets::Asset;
use super::templates::Templates;
use crate::blueprint::settings::Brand;

/// Checked themes by brand.
#[derive(Clone, Debug)]
pub struct Looks {
    plain: Arc<Templates>,
    of_brands: BTreeMap<String, Arc<Templates>>,
}

impl Looks {
    #[must_use]
    pub fn new(plain: Arc<Templates>, of_brands: BTreeMap<String, Arc<Templates>>) -> Self {
        Self { plain, of_brands }
    }

    /// The look of a brand. One that was declared a moment ago has none yet.
    #[must_use]
    pub fn of(&self, brand: Option<&Brand>) -> &Arc<Templates> {
        brand.and_then(|brand| self.own(&brand.slug.value)).unwrap_or(&self.plain)
    }

    /// The look of hosts that no brand is for.
    #[must_use]
    pub fn plain(&self) -> &Arc<Templates> {
        &self.plain
    }

    /// The look of a brand by its name, if it has one.
    #[must_use]
    pub fn own(&self, brand: &str) -> Option<&Arc<Templates>> {
        self.of_brands.get(brand)
    }

    /// The static file at an address, whichever look it belongs to: what pages load has its digest in its
    /// address.
    #[must_use]
    pub fn asset(&self, path: &str) -> Option<&Asset> {
        let all = std::iter::once(&self.plain).chain(self.of_brands.values());
        all.filter_map(|look| look.assets().get(path)).next()
    }
}
