//! The last slots of time, in a fixed piece of memory.

/// What is counted in a slot.
pub(super) trait Slot: Default + Clone {}

/// Slots by the number of their time; a later one takes the place of one that is too old. It takes no memory before it is
/// used.
#[derive(Debug)]
pub(super) struct Ring<T>(Vec<(i64, T)>);

impl<T> Default for Ring<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Slot> Ring<T> {
    /// The slot of a time, in a ring of `size`.
    pub(super) fn at(&mut self, number: i64, size: usize) -> &mut T {
        if self.0.is_empty() {
            self.0 = vec![(i64::MIN, T::default()); size];
        }
        let slot = &mut self.0[place(number, size)];
        if slot.0 != number {
            *slot = (number, T::default());
        }
        &mut slot.1
    }

    /// The slots from `first` to `last` in which something was counted.
    pub(super) fn since(
        &self,
        first: i64,
        last: i64,
        size: usize,
    ) -> impl Iterator<Item = (i64, &T)> {
        (first..=last).filter_map(move |number| {
            let (own, slot) = self.0.get(place(number, size))?;
            (*own == number).then_some((number, slot))
        })
    }
}

fn place(number: i64, size: usize) -> usize {
    usize::try_from(number.rem_euclid(size as i64)).unwrap_or(0)
}
