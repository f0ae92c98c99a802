//! Source: spec/protocol/checksums.md, "types", "chaining" and "farmhash".

use tchannel_proto::ChecksumType;
use tchannel_proto::checksum::RunningChecksum;
use tchannel_proto::message::Message;

use crate::peer::Peer;
use crate::value;
use crate::vectors::{Vectors, hex, text};

#[test]
fn every_check_value_is_met() {
    for vector in Vectors::load("checksums").all() {
        let mut running = RunningChecksum::new(value::checksum_type(&vector["type"]));
        for chunk in vector["chunks"].as_array().expect("chunks") {
            running.update(&hex(chunk));
        }
        let got = format!("{:08x}", running.checksum().value);
        assert_eq!(got, text(&vector["value"]), "{}", text(&vector["name"]));
    }
}

#[test]
fn every_recorded_call_frame_verifies_alone() {
    for vector in Vectors::load("frames").all() {
        let (checksum, chunks) = match value::message(&hex(&vector["hex"])) {
            Message::CallReq(call) => (call.checksum, call.chunks),
            Message::CallRes(call) => (call.checksum, call.chunks),
            _ => continue,
        };
        let mut running = RunningChecksum::new(checksum.checksum_type);
        chunks.iter().for_each(|chunk| running.update(&chunk));
        assert_eq!(running.checksum(), checksum, "{}", text(&vector["name"]));
    }
}

#[test]
fn a_request_carries_crc_32c_by_default() {
    let mut peer = Peer::connecting();
    peer.receive(&Vectors::load("misbehaving-servers").bytes(&"@init res".into()));
    peer.call().expect("an open connection");
    let Some(Message::CallReq(call)) = peer.sent_messages().pop() else {
        panic!("a call req")
    };
    assert_eq!(call.checksum.checksum_type, ChecksumType::Crc32c);
    assert_eq!(call.checksum.value, 0x853d_cd96);
}
