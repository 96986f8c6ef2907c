//! Names that are in one audit event and needed for a later one: the address of a listening socket (`accept` has only
//! its descriptor), the key of a System V segment or queue (`shmat` has only its id), the process of a pidfd.

use std::collections::{BTreeMap, VecDeque};

use backchannel_events::Mechanism;

/// Maximum number of names.
const CAPACITY: usize = 8_192;
/// Maximum size of one name with its host and program, in bytes: no real one is as long.
const LONGEST: usize = 1_024;

/// The object that a name belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Handle {
    /// A descriptor of a process.
    Descriptor { pid: u32, number: u64 },
    /// A descriptor of a program in one audit session: a daemon that binds, forks and lets its first process exit
    /// accepts in a process that no record relates to the first.
    Program { image: String, user: String, session: Option<u32>, number: u64 },
    /// A shared memory segment.
    Segment(u64),
    /// A message queue.
    Queue(u64),
}

/// A handle with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) mechanism: Mechanism,
    pub(crate) name: String,
}

/// The names of all hosts; the oldest is evicted first.
#[derive(Debug, Default)]
pub(crate) struct Names {
    hosts: BTreeMap<String, BTreeMap<Handle, Named>>,
    order: VecDeque<(String, Handle)>,
    /// Number of names that were evicted.
    pub(crate) evicted: u64,
}

impl Names {
    /// Stores the name of a handle, replacing a previous one.
    pub(crate) fn remember(&mut self, host: &str, handle: Handle, mechanism: Mechanism, name: &str) {
        let program = match &handle {
            Handle::Program { image, user, .. } => image.len() + user.len(),
            _ => 0,
        };
        if host.len() + name.len() + program > LONGEST {
            return;
        }
        let named = Named { mechanism, name: name.to_owned() };
        if let Some(known) = self.hosts.get_mut(host) {
            if known.insert(handle.clone(), named).is_some() {
                return;
            }
        } else {
            self.hosts.insert(host.to_owned(), BTreeMap::from([(handle.clone(), named)]));
        }
        self.order.push_back((host.to_owned(), handle));
        if self.order.len() > CAPACITY
            && let Some((host, handle)) = self.order.pop_front()
        {
            self.evicted += 1;
            if let Some(known) = self.hosts.get_mut(&host) {
                known.remove(&handle);
                if known.is_empty() {
                    self.hosts.remove(&host);
                }
            }
        }
    }

    /// The name of a handle, if it is known.
    pub(crate) fn find(&self, host: &str, handle: &Handle) -> Option<&Named> {
        self.hosts.get(host)?.get(handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_name_is_forgotten_and_counted() {
        let mut names = Names::default();
        for number in 0..=CAPACITY as u64 {
            names.remember("h", Handle::Segment(number), Mechanism::SharedMemory, "x");
        }
        assert_eq!(names.evicted, 1);
        assert_eq!(names.find("h", &Handle::Segment(0)), None);
        assert!(names.find("h", &Handle::Segment(CAPACITY as u64)).is_some());
        assert_eq!(names.find("other", &Handle::Segment(5)), None);
    }

    #[test]
    fn a_reused_handle_has_its_new_name() {
        let mut names = Names::default();
        let handle = Handle::Descriptor { pid: 7, number: 3 };
        names.remember("h", handle.clone(), Mechanism::UnixSocket, "/a");
        names.remember("h", handle.clone(), Mechanism::UnixAbstract, "@b");
        assert_eq!(names.find("h", &handle).unwrap().name, "@b");
    }
}
