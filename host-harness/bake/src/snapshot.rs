//! Access to the state of an instance after it has run, as the wizer needs it.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasmtime::{Instance, Store, StoreLimits, Val};
use wasmtime_wizer::{InstanceState, SnapshotVal, ValType};

/// An instance that has run.
pub(crate) struct Live {
    pub(crate) store: Store<StoreLimits>,
    pub(crate) instance: Instance,
}

impl InstanceState for Live {
    async fn global_get(&mut self, name: &str, kind: ValType) -> SnapshotVal {
        // The wizer exports each global under a name, and accepts only modules whose globals are numbers.
        let value = self.instance.get_global(&mut self.store, name).map(|global| global.get(&mut self.store));
        match value {
            Some(Val::I32(value)) => SnapshotVal::I32(value),
            Some(Val::I64(value)) => SnapshotVal::I64(value),
            Some(Val::F32(value)) => SnapshotVal::F32(value),
            Some(Val::F64(value)) => SnapshotVal::F64(value),
            Some(Val::V128(value)) => SnapshotVal::V128(value.as_u128()),
            other => unreachable!("the global {name} is a number ({kind}), not {other:?}"),
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        if let Some(memory) = self.instance.get_memory(&mut self.store, name) {
            contents(memory.data(&self.store));
        }
    }
}

/// The result of a future that completes at its first poll; `None` if it does not.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}
