//! Any order of events on a pair of connections, chosen by bytes.

use std::time::Duration;

use tchannel_proto::{
    CallHead, CallIsOver, CallRefused, Connection, ErrorCode, MessageId, ResponseCode,
    ResponseHead, SendHeaders, Tracing, Ttl,
};

use super::input::Input;
use super::message;
use super::reassembly::CHECKSUM_TYPES;
use super::transfer::Sender;
use super::world::{CALLER, IN_FLIGHT_MAX, SERVICE, Side, Through, World, arg1_of};

/// Who may write to the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Only the two ends.
    Honest,
    /// Somebody in between, too.
    Tampered,
}

/// Does what `bytes` choose to two connections, and holds both to their promises.
pub(crate) fn check(bytes: &[u8], through: Through, wire: Wire) {
    let mut world = World::new(through);
    let mut input = Input::new(bytes);
    // Little can happen before the handshake, so it is mostly done.
    if input.byte() > 16 {
        world.deliver_all();
    }
    while !input.is_empty() {
        operate(&mut world, &mut input, wire);
    }
    world.finish();
}

fn operate(world: &mut World, input: &mut Input<'_>, wire: Wire) {
    let operation = input.byte();
    let side = Side::BOTH[usize::from(operation & 1)];
    match operation >> 1 {
        0..16 => call(world, side, input),
        16..28 => send(world, side, input),
        28..44 => respond(world, side, input),
        44..52 => respond_error(world, side, input),
        52..58 => cancel(world, side, input),
        58..60 => use_keys_of_calls_that_are_over(world, side, input),
        60..62 => drop(world.end(side).connection.ping()),
        62 => drain(world, side, input),
        63 => break_off(world, side, input),
        64..80 => world.deliver_all(),
        80..100 => {
            let count = input.number();
            world.deliver(side, count);
        }
        100..116 => world.wait(Duration::from_millis(input.one_of(&TIMES_MS))),
        _ if wire == Wire::Tampered => tamper(world, side, input),
        _ => {
            world.deliver_all();
            world.end(side).connection.shrink();
        }
    }
    world.settle(side);
}

fn call(world: &mut World, side: Side, input: &mut Input<'_>) {
    let now = world.now;
    let tag = world.new_call();
    let arg1 = arg1_of(tag);
    let head = CallHead {
        service: SERVICE,
        arg1: arg1.as_bytes(),
        ttl: Ttl::from_millis(input.one_of(&TTLS_MS)).expect("none is zero"),
        tracing: Tracing::default(),
        headers: SendHeaders {
            arg_scheme: "raw",
            caller_name: Some(CALLER),
            ..SendHeaders::default()
        },
        checksum_type: input.one_of(&CHECKSUM_TYPES),
        streaming: input.flag(),
    };
    let mut request = Sender::new(tag);
    request.offer(input);
    let end = world.end(side);
    match end.connection.call(now, &head, &mut request.body) {
        Ok((key, progress)) => {
            assert!(end.is_open());
            let complete = request.progressed(progress);
            end.begin_outbound(key, tag, request);
            if let Some(lengths) = complete {
                world.sent(tag, lengths);
            }
        }
        Err(CallRefused::NotOpen) => assert!(!end.is_open()),
        Err(CallRefused::Draining) => assert!(end.connection.is_draining()),
        Err(CallRefused::TooManyInFlight { .. }) => assert!(end.outbound.len() >= IN_FLIGHT_MAX),
        Err(other) => panic!("{other} for a call that is within all limits"),
    }
}

fn send(world: &mut World, side: Side, input: &mut Input<'_>) {
    let end = world.end(side);
    let Some(call) = pick(&mut end.outbound, input) else {
        return;
    };
    call.request.offer(input);
    let progress = end
        .connection
        .send(call.key, &mut call.request.body)
        .expect("the call is open");
    let tag = call.tag;
    if let Some(lengths) = call.request.progressed(progress) {
        world.sent(tag, lengths);
    }
}

fn respond(world: &mut World, side: Side, input: &mut Input<'_>) {
    let end = world.end(side);
    let Some(call) = pick(&mut end.inbound, input) else {
        return;
    };
    let tag = call.answer_tag();
    let has_begun = call.answer.is_some();
    let answer = call.answer.get_or_insert_with(|| Sender::new(tag));
    answer.offer(input);
    let outcome = if has_begun {
        end.connection.send_response(call.key, &mut answer.body)
    } else {
        let head = ResponseHead {
            code: ResponseCode(input.byte() & 1),
            arg_scheme: "raw",
            streaming: input.flag(),
        };
        end.connection.respond(call.key, &head, &mut answer.body)
    };
    let progress = outcome.expect("the call is open");
    let key = call.key;
    if let Some(lengths) = answer.progressed(progress) {
        end.end_inbound(key);
        world.sent(tag, lengths);
    }
}

fn respond_error(world: &mut World, side: Side, input: &mut Input<'_>) {
    let end = world.end(side);
    if let Some(key) = pick(&mut end.inbound, input).map(|call| call.key) {
        let code = input.one_of(&[ErrorCode::Busy, ErrorCode::BadRequest]);
        end.connection
            .respond_error(key, code, "no")
            .expect("the call is open");
        end.end_inbound(key);
    }
}

fn cancel(world: &mut World, side: Side, input: &mut Input<'_>) {
    let now = world.now;
    let end = world.end(side);
    if let Some(key) = pick(&mut end.outbound, input).map(|call| call.key) {
        end.connection.cancel(now, key, "no longer needed");
        end.end_outbound(key);
    }
}

fn use_keys_of_calls_that_are_over(world: &mut World, side: Side, input: &mut Input<'_>) {
    let now = world.now;
    let end = world.end(side);
    let connection: &mut Connection = &mut end.connection;
    let mut sender = Sender::new(super::transfer::Tag(0));
    sender.offer(input);
    let body = &mut sender.body;
    if let Some(key) = pick(&mut end.over_outbound, input) {
        assert_eq!(connection.send(*key, body), Err(CallIsOver));
        connection.cancel(now, *key, "twice");
    }
    if let Some(key) = pick(&mut end.over_inbound, input) {
        let head = ResponseHead {
            code: ResponseCode::OK,
            arg_scheme: "raw",
            streaming: false,
        };
        assert_eq!(connection.respond(*key, &head, body), Err(CallIsOver));
        assert_eq!(connection.send_response(*key, body), Err(CallIsOver));
        assert_eq!(
            connection.respond_error(*key, ErrorCode::Busy, "twice"),
            Err(CallIsOver)
        );
    }
    assert_eq!(
        connection.buffered(),
        0,
        "something was sent for a call that is over"
    );
}

fn drain(world: &mut World, side: Side, input: &mut Input<'_>) {
    let now = world.now;
    let limit = Duration::from_millis(input.one_of(&TIMES_MS));
    world.end(side).connection.drain(now, "restart", limit);
}

/// Rare, or there would be little else.
fn break_off(world: &mut World, side: Side, input: &mut Input<'_>) {
    match input.byte() {
        0..48 if !world.end(side).connection.is_closed() => world.disconnect(side),
        48..96 => world.disconnect_router(side),
        _ => {}
    }
}

fn tamper(world: &mut World, side: Side, input: &mut Input<'_>) {
    match input.byte() % 8 {
        0 => {
            let (at, byte) = (input.number(), input.byte());
            let wire = world.tamper(side);
            if let Some(at) = at.checked_rem(wire.len()) {
                wire[at] = byte;
            }
        }
        1 => {
            let length = input.number() % 1_024;
            world.tamper(side).extend_from_slice(input.bytes(length));
        }
        2 => {
            let wire = world.tamper(side);
            let again = wire.clone();
            if again.len() < 100_000 {
                wire.extend_from_slice(&again);
            }
        }
        _ => {
            let id = any_id(world, input);
            let frame = message::encode(&message::any(input), id);
            world.tamper(side).extend_from_slice(frame.as_bytes());
        }
    }
}

/// Ids that mean something to one of the ends, and one that does not.
fn any_id(world: &mut World, input: &mut Input<'_>) -> MessageId {
    let side = input.one_of(&Side::BOTH);
    let end = world.end(side);
    match input.byte() % 4 {
        0 => MessageId::NONE,
        1 => MessageId(u32::from(input.byte() % 4)),
        2 => pick(&mut end.over_outbound, input).map_or(MessageId(0), |key| key.id()),
        _ => pick(&mut end.outbound, input).map_or(MessageId(2), |call| call.key.id()),
    }
}

fn pick<'a, T>(from: &'a mut [T], input: &mut Input<'_>) -> Option<&'a mut T> {
    let at = usize::from(input.byte());
    let length = from.len();
    from.get_mut(at.checked_rem(length)?)
}

const TIMES_MS: [u64; 11] = [0, 1, 3, 4, 5, 20, 100, 500, 1_000, 6_000, 130_000];
const TTLS_MS: [u32; 6] = [1, 50, 1_000, 10_000, 20_000, 30_000];
