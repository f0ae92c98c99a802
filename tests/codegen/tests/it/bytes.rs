//! Bytes as the spec's examples and deployed peers have them.

use std::convert::Infallible;

use tchannel_rt::scheme::thrift::{Unreadable, decode, encode, encode_result, read_result};
use tchannel_rt::thrift::Bytes;
use test_codegen::committed::keyvalue::{KeyValueGetArgs, KeyValueGetThrows, NotFound};

#[test]
fn arguments_are_a_struct_by_field_id() {
    let args = KeyValueGetArgs { key: "abc".into() };
    let bytes = b"\x0b\0\x01\0\0\0\x03abc\0";
    assert_eq!(encode(&args).unwrap(), bytes[..]);
    assert_eq!(
        decode::<KeyValueGetArgs>(&Bytes::from_static(bytes)).unwrap(),
        args
    );
}

#[test]
fn a_returned_value_is_field_0_and_nothing_is_the_empty_struct() {
    let value: Result<String, Infallible> = Ok("v:abc".to_owned());
    assert_eq!(
        encode_result(&value).unwrap(),
        b"\x0b\0\0\0\0\0\x05v:abc\0"[..]
    );
    let nothing: Result<(), Infallible> = Ok(());
    assert_eq!(encode_result(&nothing).unwrap(), b"\0"[..]);
}

#[test]
fn an_exception_is_the_field_it_is_declared_under() {
    let thrown = KeyValueGetThrows::NotFound(NotFound { key: "nope".into() });
    let bytes = b"\x0c\0\x01\x0b\0\x01\0\0\0\x04nope\0\0";
    let result: Result<String, _> = Err(thrown);
    assert_eq!(encode_result(&result).unwrap(), bytes[..]);
    assert_eq!(
        read_result(false, &Bytes::from_static(bytes)).unwrap(),
        result
    );
}

#[test]
fn an_exception_that_is_not_declared_is_no_success() {
    let other = Bytes::from_static(b"\x0c\0\x07\0\0");
    let result = read_result::<(), Infallible>(false, &other);
    assert_eq!(result, Err(Unreadable::Undeclared));
    let result = read_result::<String, KeyValueGetThrows>(false, &Bytes::from_static(b"\0"));
    assert_eq!(result, Err(Unreadable::Undeclared));
}

#[test]
fn a_result_without_a_value_is_no_success_unless_there_is_none_to_have() {
    let empty = Bytes::from_static(b"\0");
    assert_eq!(read_result::<(), Infallible>(true, &empty), Ok(Ok(())));
    let error = read_result::<String, Infallible>(true, &empty).unwrap_err();
    let text = "thrift arg3: missing required field \"success\" with id 0";
    assert_eq!(error.to_string(), text);
}
