//! What the wires do to messages: delay, loss, cuts in one direction or both, members that are slow.

use fastrand::Rng;

use crate::{MILLISECOND, Nanos};

/// The state of all wires.
pub struct Network {
    /// Shortest time from one member to another. Default 0.2 ms.
    pub delay: Nanos,
    /// Mean of what comes on top, exponentially distributed. Default 0.3 ms.
    pub jitter: Nanos,
    /// Chance that a message is lost, 0 to 1.
    pub loss: f64,
    /// Side of each member in a partition.
    sides: Vec<u8>,
    /// From side to side: what is cut.
    cut: [[bool; SIDES]; SIDES],
    /// Chance that a message to, and from, each member is lost, on top.
    lossy: Vec<(f64, f64)>,
    /// Until when each member neither sends nor receives; its messages wait.
    blocked: Vec<Nanos>,
}

impl Network {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            delay: DELAY,
            jitter: JITTER,
            loss: 0.0,
            sides: vec![0; size],
            cut: [[false; SIDES]; SIDES],
            lossy: vec![(0.0, 0.0); size],
            blocked: vec![0; size],
        }
    }

    /// Puts members on a side, 0 to 3. All begin on 0.
    pub fn place(&mut self, members: impl IntoIterator<Item = usize>, side: u8) {
        for member in members {
            self.sides[member] = side;
        }
    }

    /// Cuts the way from one side to another; within a side, too, if they are the same.
    pub fn cut(&mut self, from: u8, to: u8) {
        self.cut[from as usize][to as usize] = true;
    }

    /// Cuts both ways between two sides.
    pub fn split(&mut self, left: u8, right: u8) {
        self.cut(left, right);
        self.cut(right, left);
    }

    /// Mends all cuts and all that is lossy or late.
    pub fn mend(&mut self) {
        (self.delay, self.jitter) = (DELAY, JITTER);
        self.cut = [[false; SIDES]; SIDES];
        self.lossy.fill((0.0, 0.0));
        self.loss = 0.0;
    }

    /// Makes one member lose messages to and from it, on top of what all lose.
    pub fn make_lossy(&mut self, member: usize, to: f64, from: f64) {
        self.lossy[member] = (to, from);
    }

    /// Holds back all that a member sends and receives until then.
    pub fn block(&mut self, member: usize, until: Nanos) {
        self.blocked[member] = until;
    }

    /// When a message arrives, or `None` if it never does.
    pub(crate) fn carry(&self, rng: &mut Rng, now: Nanos, from: usize, to: usize) -> Option<Nanos> {
        let [left, right] = [from, to].map(|member| self.sides[member] as usize);
        let survives = |chance: f64, rng: &mut Rng| chance == 0.0 || rng.f64() >= chance;
        let arrives = !self.cut[left][right]
            && survives(self.loss, rng)
            && survives(self.lossy[to].0, rng)
            && survives(self.lossy[from].1, rng);
        let jitter = -(1.0 - rng.f64()).ln() * self.jitter as f64;
        let leaves = now.max(self.blocked[from]);
        arrives.then(|| leaves + self.delay + jitter as Nanos)
    }

    /// Until when a message waits at its receiver, if it does.
    pub(crate) fn held(&self, now: Nanos, member: usize) -> Option<Nanos> {
        Some(self.blocked[member]).filter(|until| *until > now)
    }
}

const SIDES: usize = 4;

const DELAY: Nanos = MILLISECOND / 5;

const JITTER: Nanos = MILLISECOND * 3 / 10;
