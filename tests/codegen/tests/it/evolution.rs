//! Old and new versions of an interface understand each other.

use std::collections::BTreeMap;

use tchannel_rt::scheme::thrift::{Returned, Throws, Unreadable};
use tchannel_rt::scheme::thrift::{decode, encode, encode_result, read_result};
use tchannel_rt::thrift::Struct;
use test_codegen::new::evolution_new as new;
use test_codegen::old::evolution_old as old;

fn reread<A: Struct, B: Struct>(value: &A) -> B {
    decode(&encode(value).unwrap()).unwrap()
}

#[test]
fn an_old_reader_survives_new_fields() {
    let parcel = new::Parcel {
        to: "Ada".into(),
        within: Some(BTreeMap::from([("a".into(), vec![new::Parcel::default()])])),
        size: new::Size::Large,
        note: Some("fragile".into()),
        weight: 7,
    };
    let expected = old::Parcel {
        to: "Ada".into(),
        size: old::Size::Large,
    };
    assert_eq!(reread::<_, old::Parcel>(&parcel), expected);
}

#[test]
fn a_new_reader_fills_in_what_an_old_writer_did_not_know() {
    let parcel = old::Parcel {
        to: "Ada".into(),
        size: old::Size::Small,
    };
    let expected = new::Parcel {
        to: "Ada".into(),
        note: Some("none".into()),
        ..new::Parcel::default()
    };
    assert_eq!(reread::<_, new::Parcel>(&parcel), expected);
}

#[test]
fn an_enum_value_that_is_not_known_is_kept() {
    let parcel = new::Parcel {
        to: "Ada".into(),
        size: new::Size::Huge,
        ..new::Parcel::default()
    };
    let passed_on: old::Parcel = reread(&parcel);
    assert_eq!(passed_on.size, old::Size::Unknown(2));
    assert_eq!(reread::<_, new::Parcel>(&passed_on).size, new::Size::Huge);
}

#[test]
fn a_union_field_that_is_not_known_is_unknown() {
    let way = new::Way::ByAir(BTreeMap::from([("height".into(), vec![1.5])]));
    assert_eq!(reread::<_, old::Way>(&way), old::Way::Unknown);
    assert_eq!(reread::<_, new::Way>(&old::Way::Unknown), new::Way::Unknown);
    assert_eq!(
        reread::<_, new::Way>(&old::Way::ByFoot("slowly".into())),
        new::Way::ByFoot("slowly".into())
    );
}

#[test]
fn arguments_may_be_added() {
    let args = old::PostSendArgs {
        parcel: old::Parcel::default(),
    };
    assert_eq!(reread::<_, new::PostSendArgs>(&args).fast, None);
    let args = new::PostSendArgs {
        fast: Some(true),
        ..new::PostSendArgs::default()
    };
    assert_eq!(
        reread::<_, old::PostSendArgs>(&args),
        old::PostSendArgs::default()
    );
}

#[test]
fn an_exception_that_came_later_is_undeclared_to_an_old_caller() {
    let refused = new::PostSendThrows::Refused(new::Refused {
        why: "too heavy".into(),
    });
    let result = reread_result::<new::Parcel, _, old::Parcel, old::PostSendThrows>(&Err(refused));
    assert_eq!(result, Err(Unreadable::Undeclared));
    let lost = new::PostSendThrows::Lost(new::Lost {
        r#where: "sea".into(),
        since: Some(1),
    });
    let result = reread_result::<new::Parcel, _, old::Parcel, _>(&Err(lost));
    let expected = old::PostSendThrows::Lost(old::Lost {
        r#where: "sea".into(),
    });
    assert_eq!(result, Ok(Err(expected)));
}

#[test]
fn a_method_may_begin_to_return_something() {
    let result =
        reread_result::<i32, std::convert::Infallible, (), std::convert::Infallible>(&Ok(5));
    assert_eq!(result, Ok(Ok(())));
}

fn reread_result<T: Returned, E: Throws, U: Returned, F: Throws>(
    result: &Result<T, E>,
) -> Result<Result<U, F>, Unreadable> {
    read_result(result.is_ok(), &encode_result(result).unwrap())
}
