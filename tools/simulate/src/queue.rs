//! A host's time: the scenes that will be played, and the records that were written and wait for their turn. A scene
//! may write records of later moments (the end of a process), so that records are given out only when no scene can
//! come before them any more.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

struct Item<T> {
    time: i64,
    /// Ties are given out in the order in which they came.
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

/// What comes next.
pub(crate) enum Next<S> {
    /// Play this scene.
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

    /// Writes a record; none is written before the scene that is being played.
    pub(crate) fn write(&mut self, time: i64, record: R) {
        self.count += 1;
        self.records.push(Reverse(Item { time: time.max(self.now), order: self.count, value: record }));
    }

    /// The next scene, if one may still come before the next record; else the next record's time.
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

    /// Takes the record that [`Queue::next`] has announced.
    pub(crate) fn take(&mut self) -> Option<(i64, R)> {
        self.records.pop().map(|Reverse(item)| (item.time, item.value))
    }
}
