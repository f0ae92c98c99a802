//! The servers in the order in which a key meets them.

use crate::Server;
use crate::point::Points;

/// Every server of a ring once, clockwise from a key. Made by [`Ring::walk`](crate::Ring::walk).
///
/// Source: spec/ringpop/ring.md, "lookup".
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    servers: &'a [Server],
    points: &'a Points,
    /// The point to look at next.
    at: usize,
    met: Vec<bool>,
    unmet: usize,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(servers: &'a [Server], points: &'a Points, at: usize) -> Self {
        Self {
            servers,
            points,
            at,
            met: vec![false; servers.len()],
            unmet: servers.len(),
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = &'a Server;

    fn next(&mut self) -> Option<&'a Server> {
        // Every server has points, so this ends within one turn.
        while self.unmet > 0 {
            let owner = self.points.owner(self.at);
            self.at = self.points.after(self.at);
            if !std::mem::replace(&mut self.met[owner], true) {
                self.unmet -= 1;
                return Some(&self.servers[owner]);
            }
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.unmet, Some(self.unmet))
    }
}

impl ExactSizeIterator for Walk<'_> {}
