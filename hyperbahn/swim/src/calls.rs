//! Requests of ours that have no outcome yet. Each has a deadline of its own, so that one whose outcome
//! nobody reports is lost, not waited for.

use std::sync::Arc;
use std::time::Instant;

use crate::dissemination::Version;
use crate::event::RequestId;
use crate::reach::ReachId;

#[derive(Default)]
pub(crate) struct Calls {
    list: Vec<Call>,
    next_id: u64,
}

pub(crate) struct Call {
    pub(crate) id: RequestId,
    pub(crate) to: Arc<str>,
    pub(crate) purpose: Purpose,
    /// The newest of the changes that it carries, if it carries any.
    pub(crate) carries: Option<Version>,
    deadline: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A ping of this reach.
    Reach(ReachId),
    /// A helper pings for the probe with this reach.
    PingReq(ReachId),
    /// To be let in.
    Join,
    /// Their list, since our checksums differ.
    FullSync,
    /// Their list, since they seem to be on the other side of a partition.
    HealJoin,
    /// What they must know before the two sides can be merged, or all we know.
    HealPing,
    /// We are leaving.
    Farewell,
}

impl Calls {
    pub(crate) fn add(
        &mut self,
        to: Arc<str>,
        purpose: Purpose,
        carries: Option<Version>,
        deadline: Instant,
    ) -> RequestId {
        let id = RequestId(self.next_id);
        self.next_id += 1;
        self.list.push(Call {
            id,
            to,
            purpose,
            carries,
            deadline,
        });
        id
    }

    pub(crate) fn take(&mut self, id: RequestId) -> Option<Call> {
        let at = self.list.iter().position(|call| call.id == id)?;
        Some(self.list.swap_remove(at))
    }

    pub(crate) fn take_expired(&mut self, now: Instant) -> Option<Call> {
        let at = self.list.iter().position(|call| call.deadline <= now)?;
        Some(self.list.swap_remove(at))
    }

    pub(crate) fn count(&self, purpose: Purpose) -> usize {
        let calls = self.list.iter();
        calls.filter(|call| call.purpose == purpose).count()
    }

    pub(crate) fn wake(&self) -> Option<Instant> {
        self.list.iter().map(|call| call.deadline).min()
    }
}
