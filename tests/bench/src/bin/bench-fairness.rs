//! Small calls, alone and then beside a stream of 100 MB on the same connection: `bench-fairness H:P MS`, with
//! a `bench-peer server` at `H:P`. Prints what both have come to as one line of JSON.
#![expect(clippy::print_stdout, reason = "other programs read what it prints")]

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;
use tchannel_rt::{CallError, Channel};
use test_bench::load;
use test_bench::options::{Load, SERVICE, Scheme};
use test_bench::report::Report;
use test_bench::runtime;
use test_bench::typed::{Caller, SINK};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(addr), Some(millis)) = (args.next(), args.next()) else {
        return Err("usage: bench-fairness H:P MS".into());
    };
    let window = Duration::from_millis(millis.parse()?);
    runtime::with_threads(1)?.block_on(compare(&addr, window))
}

async fn compare(addr: &str, window: Duration) -> Result<(), Box<dyn Error>> {
    let channel = Channel::new("bench-fairness");
    let alone = small_calls(&channel, addr, window).await;
    let is_over = AtomicBool::new(false);
    let calls = async {
        let report = small_calls(&channel, addr, window).await;
        is_over.store(true, Ordering::Relaxed);
        report
    };
    let began = Instant::now();
    let (beside, streamed) = tokio::join!(calls, stream(&channel, addr, &is_over));
    let stream_mbps = streamed? as f64 / 1e6 / began.elapsed().as_secs_f64();
    println!(
        "{}",
        json!({ "alone": alone, "beside": beside, "stream_mbps": stream_mbps })
    );
    Ok(())
}

async fn small_calls(channel: &Channel, addr: &str, window: Duration) -> Report {
    let load = Load {
        inflight: 8,
        duration: window,
        ..Load::default()
    };
    let caller = Caller::new(channel.clone(), SERVICE, Some(addr), Scheme::Raw);
    load::run(&load, 1, &[caller], |_| {}).await
}

/// Streams 100 MB, again and again, until it is over; gives the bytes in all.
async fn stream(channel: &Channel, addr: &str, is_over: &AtomicBool) -> Result<u64, CallError> {
    let chunk = Bytes::from(vec![7; 1_000_000]);
    let mut streamed = 0;
    while !is_over.load(Ordering::Relaxed) {
        let call = channel.call(SINK).peer(addr);
        let (mut request, answer) = call.stream().await?;
        for _ in 0..100 {
            request.send(chunk.clone()).await?;
            streamed += chunk.len() as u64;
            if is_over.load(Ordering::Relaxed) {
                break;
            }
        }
        request.finish().await?;
        answer.response().await?.args.arg3(100).await?;
    }
    Ok(streamed)
}
