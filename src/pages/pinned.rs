//! Flows of earlier generations, for sign-ins that began in them.
//!
//! An edited flow never breaks a sign-in under way: it goes on with the stages it began with.
//! Access is decided by the newest generation all the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::blueprint::flow::Flow;
use crate::blueprint::source::Sources;
use crate::runtime::Runtime;
use crate::store::{Store, StoreError};

/// The flows of one generation and the files they stand in.
#[derive(Debug)]
pub struct Generation {
    pub flows: HashMap<String, Arc<Flow>>,
    pub sources: Sources,
}

/// Flows by generation; a handful, since no sign-in takes longer than a quarter of an hour.
#[derive(Debug, Default)]
pub struct Pinned(Mutex<HashMap<i64, Arc<Generation>>>);

const MOST: usize = 16;

impl Pinned {
    /// The flows of a generation: the running one, one remembered, or one rebuilt from the store.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn find(
        &self,
        store: &Store,
        runtime: &Runtime,
        number: i64,
    ) -> Result<Option<Arc<Generation>>, StoreError> {
        if number == runtime.generation {
            let (flows, sources) = (runtime.flows.clone(), runtime.sources.clone());
            return Ok(Some(Arc::new(Generation { flows, sources })));
        }
        if let Some(known) = self.known(number) {
            return Ok(Some(known));
        }
        let Some(row) = store.read().await?.find_generation(number).await? else { return Ok(None) };
        let Some(rebuilt) = crate::blueprint::stored::flows(&row.sources) else {
            tracing::warn!(
                generation = number,
                "the stored files of a generation no longer compile"
            );
            return Ok(None);
        };
        let rebuilt = Arc::new(Generation { flows: rebuilt.0, sources: rebuilt.1 });
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= MOST {
            let oldest = map.keys().min().copied();
            oldest.map(|oldest| map.remove(&oldest));
        }
        map.insert(number, Arc::clone(&rebuilt));
        Ok(Some(rebuilt))
    }

    fn known(&self, number: i64) -> Option<Arc<Generation>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
    }
}
