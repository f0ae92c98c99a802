//! `Config::serde`: the same types go through JSON.

use test_codegen::serde::with_serde::{Amount, Level, Order};

#[test]
fn values_come_back_from_json_as_they_went() {
    let order = Order {
        id: "a".into(),
        amounts: vec![Amount::Whole(1), Amount::Part(0.5), Amount::Unknown],
        level: Some(Level::Unknown(7)),
        extras: [(
            "k".to_owned(),
            tchannel_rt::thrift::Bytes::from_static(b"\xff"),
        )]
        .into(),
        weights: tchannel_rt::thrift::VecSet(vec![1.5]),
        key: tchannel_rt::thrift::Uuid::from_u128(1),
    };
    let json = serde_json::to_string(&order).unwrap();
    assert_eq!(serde_json::from_str::<Order>(&json).unwrap(), order);
}

#[test]
fn fields_that_json_leaves_out_have_their_thrift_defaults() {
    let order: Order = serde_json::from_str(r#"{"id":"a"}"#).unwrap();
    assert_eq!(
        order,
        Order {
            id: "a".into(),
            ..Order::default()
        }
    );
    assert_eq!(order.level, Some(Level::High));
}
