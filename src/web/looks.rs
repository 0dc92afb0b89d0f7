//! The looks of an installation: one for each brand, and one for hosts that no brand is for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::assets::Asset;
use super::templates::Templates;

/// Checked themes by brand.
#[derive(Debug)]
pub struct Looks {
    plain: Arc<Templates>,
    of_brands: BTreeMap<String, Arc<Templates>>,
}

impl Looks {
    #[must_use]
    pub fn new(plain: Arc<Templates>, of_brands: BTreeMap<String, Arc<Templates>>) -> Self {
        Self { plain, of_brands }
    }

    /// The look of a brand by its name. One that was declared a moment ago has none yet.
    #[must_use]
    pub fn of(&self, brand: Option<&str>) -> &Arc<Templates> {
        brand.and_then(|brand| self.of_brands.get(brand)).unwrap_or(&self.plain)
    }

    /// The static file at an address, whichever look it belongs to: what pages load has its digest in its
    /// address.
    #[must_use]
    pub fn asset(&self, path: &str) -> Option<&Asset> {
        let all = std::iter::once(&self.plain).chain(self.of_brands.values());
        all.filter_map(|look| look.assets().get(path)).next()
    }
}
