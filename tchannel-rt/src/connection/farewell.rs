//! The end of a connection: what is queued leaves, calls fail, everybody who waits is woken.

use std::future::poll_fn;
use std::net::Shutdown;
use std::sync::atomic::Ordering;

use bytes::BytesMut;

use super::driver::{Driver, FAREWELL, Parting};
use super::intake::CHUNK_MIN;
use crate::clock;
use crate::stats::{CloseReason, ConnectionError};

impl Driver {
    pub(super) async fn finish(mut self) {
        let (how, why) = self.end.unwrap_or((Parting::Gone, CloseReason::Network));
        self.conn.set_usable(false);
        self.flush_all();
        if how == Parting::Farewell {
            let _ = tokio::time::timeout(FAREWELL, self.write_rest()).await;
        }
        self.count(why);
        let written = self.conn.0.written.load(Ordering::Relaxed);
        let conn = self.conn.clone();
        conn.core().proto.handle_disconnect(written);
        self.settle(&mut conn.core());
        self.perform(clock::now());
        self.flush_all();
        self.dispatch.closed(&self.conn);
        self.release_everybody();
        self.conn.core().forget_calls();
        if how == Parting::Farewell {
            let _ = tokio::time::timeout(FAREWELL, self.part()).await;
        }
        // Streams and requests that are still held keep the socket, and the peer would wait for its end.
        let _ = self.shut_down(Shutdown::Both);
    }

    fn count(&self, why: CloseReason) {
        let stats = &self.conn.0.stats;
        match (self.was_ready, why) {
            (false, _) if self.conn.is_outbound() => return,
            (false, _) => return stats.on_accept_error(),
            (true, CloseReason::Network) => stats.on_error(ConnectionError::Network),
            (true, _) => {}
        }
        stats.on_closed(why);
    }

    async fn write_rest(&mut self) {
        while self.conn.0.write_is_blocked.swap(false, Ordering::AcqRel) {
            let socket = &self.conn.0.socket;
            if poll_fn(|cx| socket.poll_writable(cx)).await.is_err() {
                return;
            }
            self.conn.write_all();
        }
    }

    fn release_everybody(&mut self) {
        let sources = std::mem::take(&mut self.conn.core().waiting_sources);
        for source in sources {
            source.wake_driver();
        }
        self.conn.0.room.notify_waiters();
    }

    // Closing with unread input would reset the connection and could take our last frame with it.
    async fn part(&mut self) {
        if self.shut_down(Shutdown::Write).is_err() {
            return;
        }
        let mut rest = BytesMut::with_capacity(CHUNK_MIN);
        while poll_fn(|cx| self.reader.poll_read(cx, &mut rest, CHUNK_MIN))
            .await
            .is_ok_and(|bytes| bytes > 0)
        {
            rest.clear();
        }
    }

    fn shut_down(&self, how: Shutdown) -> std::io::Result<()> {
        self.conn.0.socket.shut_down(how)
    }
}
