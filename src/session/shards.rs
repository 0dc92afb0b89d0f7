//! A map from digests to sessions that many threads read at once.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, PoisonError, RwLock};

use crate::secret::TokenDigest;

const COUNT: usize = 16;

/// Keys are keyed digests already: their first bytes are as good as any hash.
#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some((first, _)) = bytes.split_first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _length: usize) {}
}

type Map<T> = HashMap<TokenDigest, Arc<T>, BuildHasherDefault<FirstBytes>>;

pub struct Shards<T>([RwLock<Map<T>>; COUNT]);

impl<T> Default for Shards<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| RwLock::default()))
    }
}

impl<T> Shards<T> {
    pub fn get(&self, digest: &TokenDigest) -> Option<Arc<T>> {
        let map = self.shard(digest)?.read().unwrap_or_else(PoisonError::into_inner);
        map.get(digest).cloned()
    }

    /// Keeps a value unless there is one: two that looked it up at once go on with the same one.
    pub fn keep(&self, digest: TokenDigest, value: Arc<T>) -> Arc<T> {
        let Some(shard) = self.shard(&digest) else { return value };
        let mut map = shard.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(map.entry(digest).or_insert(value))
    }

    pub fn each(&self, mut visit: impl FnMut(&T)) {
        for shard in &self.0 {
            let map = shard.read().unwrap_or_else(PoisonError::into_inner);
            map.values().for_each(|value| visit(value));
        }
    }

    pub fn retain(&self, keep: impl Fn(&T) -> bool) {
        for shard in &self.0 {
            let mut map = shard.write().unwrap_or_else(PoisonError::into_inner);
            map.retain(|_, value| keep(value));
        }
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(|map| map.read().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    fn shard(&self, digest: &TokenDigest) -> Option<&RwLock<Map<T>>> {
        let last = digest.0.last().copied().unwrap_or_default();
        self.0.get(usize::from(last) % COUNT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_that_look_up_at_once_go_on_with_the_same_value() {
        let (shards, digest) = (Shards::default(), TokenDigest([7; 32]));
        let first = shards.keep(digest, Arc::new("first"));
        let second = shards.keep(digest, Arc::new("second"));
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!((shards.get(&digest).as_deref(), shards.len()), (Some(&"first"), 1));
    }
}
