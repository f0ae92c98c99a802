//! A service as it was, and as it became. They are called by the same name.

/// Before.
#[allow(missing_docs)]
pub mod old {
    #[tchannel_rt::service]
    pub trait Shop {
        async fn price(&self, item: String) -> u32;
        async fn stock(&self, item: String, place: Option<String>) -> u32;
    }
}

/// After.
#[allow(missing_docs)]
pub mod new {
    #[tchannel_rt::service]
    pub trait Shop {
        /// `discount` is new.
        async fn price(&self, item: String, discount: Option<u32>) -> u32;
        /// `place` is gone, and others have another order.
        async fn stock(&self, nearby: Option<bool>, item: String) -> u32;
        async fn close(&self) -> bool;
    }
}
