//! One value for each open call, by the small number its key has. A key whose call is over finds nothing,
//! also when another call has the number by now.

#[derive(Debug)]
pub(super) struct Keyed<K, V> {
    entries: Vec<Option<(K, V)>>,
    /// What a key of the past finds.
    nothing: V,
}

impl<K: PartialEq, V: Default> Keyed<K, V> {
    pub(super) fn put(&mut self, slot: usize, key: K, value: V) {
        if self.entries.len() <= slot {
            self.entries.resize_with(slot + 1, || None);
        }
        self.entries[slot] = Some((key, value));
    }

    pub(super) fn get(&mut self, slot: usize, key: K) -> &mut V {
        match self.entries.get_mut(slot) {
            Some(Some((owner, value))) if *owner == key => value,
            _ => {
                self.nothing = V::default();
                &mut self.nothing
            }
        }
    }
}

impl<K, V: Default> Default for Keyed<K, V> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            nothing: V::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Keyed;

    #[test]
    fn a_key_of_the_past_finds_nothing_even_where_its_number_is_in_use() {
        let mut keyed = Keyed::default();
        keyed.put(3, "first", 1);
        keyed.put(3, "second", 2);
        assert_eq!(*keyed.get(3, "first"), 0);
        *keyed.get(3, "first") = 9;
        assert_eq!(*keyed.get(3, "first"), 0);
        assert_eq!(*keyed.get(3, "second"), 2);
        assert_eq!(*keyed.get(7, "second"), 0);
    }
}
