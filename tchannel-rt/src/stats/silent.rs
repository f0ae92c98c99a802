//! What stats are made of when nobody records them: nothing.

use std::marker::PhantomData;
use std::ops::Deref;
use std::time::Duration;

/// Looks at no clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch;

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self
    }

    pub(crate) fn elapsed(self) -> Duration {
        Duration::ZERO
    }
}

/// A value without the indirection that sharing would cost.
#[derive(Clone, Debug)]
pub(super) struct Shared<T>(T);

impl<T> Shared<T> {
    pub(super) fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Labels;

impl Labels {
    pub(super) fn new(_: &str) -> Self {
        Self
    }

    pub(super) fn with_each<const N: usize>(&self, _: [&'static str; N], _: [&str; N]) -> Self {
        Self
    }

    pub(super) fn counter(&self, _: &'static str) -> Counter {
        Counter
    }

    pub(super) fn gauge(&self, _: &'static str) -> Gauge {
        Gauge
    }

    pub(super) fn histogram(&self, _: &'static str) -> Histogram {
        Histogram
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Counter;

impl Counter {
    pub(super) fn increment(&self, _: u64) {}
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Gauge;

impl Gauge {
    pub(super) fn increment(&self, _: f64) {}

    pub(super) fn decrement(&self, _: f64) {}
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Histogram;

impl Histogram {
    pub(super) fn record(&self, _: f64) {}
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PerKind<const N: usize>(());

impl<const N: usize> PerKind<N> {
    pub(super) fn increment(
        &self,
        _: usize,
        _: &'static str,
        _: &Labels,
        _: (&'static str, &'static str),
    ) {
    }
}

#[derive(Debug)]
pub(super) struct Table<T>(PhantomData<fn() -> T>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T> Table<T> {
    pub(super) fn get(&self, names: [&str; 3], make: impl FnOnce([&str; 3]) -> T) -> Shared<T> {
        Shared(make(names))
    }
}
