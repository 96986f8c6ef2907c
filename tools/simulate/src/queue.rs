//! The event queue of a host: planned scenes, and pending records. A scene may write records with later times (the end
//! of a process), so records are released only when no earlier scene is left.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

struct Item<T> {
    time: i64,
    /// Entries with equal times are released in insertion order.
    order: u64,
    value: T,
}

impl<T> Ord for Item<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.time, self.order).cmp(&(other.time, other.order))
    }
}

impl<T> PartialOrd for Item<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Item<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Item<T> {}

/// Scenes `S` and records `R`.
pub(crate) struct Queue<S, R> {
    scenes: BinaryHeap<Reverse<Item<S>>>,
    records: BinaryHeap<Reverse<Item<R>>>,
    count: u64,
    now: i64,
}

/// The next step.
pub(crate) enum Next<S> {
    /// Run this scene.
    Scene(i64, S),
    /// A record is due at this time.
    Record(i64),
}

impl<S, R> Queue<S, R> {
    pub(crate) fn new() -> Self {
        Queue { scenes: BinaryHeap::new(), records: BinaryHeap::new(), count: 0, now: i64::MIN }
    }

    /// Plans a scene.
    pub(crate) fn plan(&mut self, time: i64, scene: S) {
        self.count += 1;
        self.scenes.push(Reverse(Item { time: time.max(self.now), order: self.count, value: scene }));
    }

    /// Writes a record; its time is not before the running scene.
    pub(crate) fn write(&mut self, time: i64, record: R) {
        self.count += 1;
        self.records.push(Reverse(Item { time: time.max(self.now), order: self.count, value: record }));
    }

    /// The next scene, if one is before the next record; otherwise the time of the next record.
    pub(crate) fn next(&mut self) -> Option<Next<S>> {
        let record = self.records.peek().map(|Reverse(item)| item.time);
        let scene = self.scenes.peek().map(|Reverse(item)| item.time);
        match (scene, record) {
            (Some(scene), record) if record.is_none_or(|record| scene <= record) => {
                self.now = scene;
                self.scenes.pop().map(|Reverse(item)| Next::Scene(item.time, item.value))
            }
            (_, Some(record)) => Some(Next::Record(record)),
            _ => None,
        }
    }

    /// Takes the record whose time [`Queue::next`] returned.
    pub(crate) fn take(&mut self) -> Option<(i64, R)> {
        self.records.pop().map(|Reverse(item)| (item.time, item.value))
    }
}
