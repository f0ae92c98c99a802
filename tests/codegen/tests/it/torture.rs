//! Every type, nested and recursive: what is written is what is read, and hostile bytes are refused.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tchannel_rt::scheme::thrift::{MAX_DEPTH, decode, encode};
use tchannel_rt::thrift::{Bytes, Struct, Uuid, VecMap, VecSet};
use test_codegen::committed::torture::*;

fn check<T: Struct + PartialEq + std::fmt::Debug>(value: &T) {
    let bytes = encode(value).unwrap();
    assert_eq!(&decode::<T>(&bytes).unwrap(), value);
    for cut in 0..bytes.len().min(600) {
        assert!(decode::<T>(&bytes.slice(..cut)).is_err());
    }
}

fn point() -> impl Strategy<Value = Point> {
    (any::<i32>(), any::<i32>()).prop_map(|(x, y)| Point { x, y })
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        (-1e9..1e9).prop_map(Shape::Circle),
        point().prop_map(Shape::Corner),
        ".{0,9}".prop_map(Shape::Unknown),
        Just(Shape::Unknown_),
    ];
    leaf.prop_recursive(4, 20, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Shape::Many),
            inner.prop_map(|inner| Shape::Inner(Box::new(inner))),
        ]
    })
}

fn tree() -> impl Strategy<Value = Tree> {
    Just(Tree::default()).prop_recursive(5, 24, 4, |inner| {
        let side = || prop::option::of(inner.clone().prop_map(Box::new));
        let named = prop::collection::btree_map(".{0,4}", inner.clone(), 0..3);
        (
            side(),
            side(),
            prop::collection::vec(inner.clone(), 0..3),
            named,
        )
            .prop_map(|(left, right, children, named)| Tree {
                left,
                right,
                children,
                named,
            })
    })
}

fn color() -> impl Strategy<Value = Color> {
    any::<i32>().prop_map(Color::from)
}

fn everything() -> impl Strategy<Value = Everything> {
    let scalars = (
        any::<(bool, i8, i16, i32, i64)>(),
        -1e300..1e300f64,
        ".{0,20}",
        any::<(Vec<u8>, u128)>(),
    );
    let structs = (
        color(),
        point(),
        prop::collection::vec(point(), 0..4),
        prop::collection::btree_set(point(), 0..4),
        prop::collection::btree_map(point(), ".{0,5}", 0..4),
        shape(),
    );
    let words = prop::collection::btree_set(prop::collection::vec(any::<Vec<u8>>(), 0..3), 0..3);
    let nested = prop::collection::btree_map(
        any::<i32>(),
        prop::collection::btree_map(".{0,3}", words, 0..3),
        0..3,
    );
    let options = (
        any::<Option<bool>>(),
        prop::option::of(".{0,5}"),
        any::<Vec<i32>>(),
        prop::option::of(point()),
    );
    let base =
        (scalars, structs, nested, options).prop_map(|(scalars, structs, nested, options)| {
            let ((flag, small, short, number, great), fraction, text, (bytes, id)) = scalars;
            let (kind, point, points, area, labels, shape) = structs;
            let (maybe_flag, maybe_text, maybe_list, maybe_point) = options;
            let binaries = |all: BTreeSet<Vec<Vec<u8>>>| {
                all.into_iter()
                    .map(|list| list.into_iter().map(Bytes::from).collect())
                    .collect()
            };
            let nested = nested
                .into_iter()
                .map(|(key, map): (_, BTreeMap<String, _>)| {
                    (
                        key,
                        map.into_iter()
                            .map(|(key, all)| (key, binaries(all)))
                            .collect(),
                    )
                });
            Everything {
                flag,
                small,
                short,
                number,
                great,
                fraction,
                text,
                bytes: bytes.into(),
                id: Uuid::from_u128(id),
                kind,
                point,
                points,
                area,
                labels,
                nested: nested.collect(),
                shape,
                fractions: VecSet(vec![fraction, fraction]),
                measures: VecMap(vec![(
                    Measure {
                        value: fraction,
                        unit: "m".into(),
                    },
                    small,
                )]),
                maybe_flag,
                maybe_text,
                maybe_list: Some(maybe_list),
                maybe_point,
                must: kind,
                ..Everything::default()
            }
        });
    base.prop_recursive(2, 6, 2, |inner| {
        (
            inner.clone(),
            inner.clone(),
            prop::collection::vec(inner, 0..2),
        )
            .prop_map(|(mut it, again, others)| {
                it.again = Some(Box::new(again));
                it.others = others;
                it
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_struct_of_every_type_comes_back_as_it_was(value in everything()) {
        check(&value);
    }

    #[test]
    fn unions_come_back_as_they_were(value in shape()) {
        check(&value);
    }

    #[test]
    fn recursive_structs_come_back_as_they_were(value in tree()) {
        check(&value);
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes: Vec<u8>) {
        let bytes = Bytes::from(bytes);
        let _ = decode::<Everything>(&bytes);
        let _ = decode::<Tree>(&bytes);
        let _ = decode::<Shape>(&bytes);
    }

    #[test]
    fn no_changed_byte_makes_reading_panic(value in everything(), at: prop::sample::Index, byte: u8) {
        let mut bytes = encode(&value).unwrap().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = decode::<Everything>(&bytes.into());
    }
}

#[test]
fn recursion_deeper_than_the_limit_is_refused() {
    let deep = |levels: usize| {
        let mut tree = Tree::default();
        for _ in 1..levels {
            tree = Tree {
                left: Some(Box::new(tree)),
                ..Tree::default()
            };
        }
        encode(&tree).unwrap()
    };
    // The innermost tree has a list and a map within.
    assert!(decode::<Tree>(&deep(MAX_DEPTH - 1)).is_ok());
    let error = decode::<Tree>(&deep(MAX_DEPTH)).unwrap_err();
    assert_eq!(error.to_string(), "thrift arg3: it nests deeper than 64");
    let hostile = Bytes::from(b"\x0c\0\x01".repeat(1 << 20));
    assert!(decode::<Tree>(&hostile).is_err());
}

#[test]
fn a_list_longer_than_its_bytes_takes_no_memory() {
    let hostile = b"\x0f\0\x0c\x0c\x7f\xff\xff\xff";
    let error = decode::<Everything>(&Bytes::from_static(hostile)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "thrift arg3: it ends early: 2147483647 bytes wanted, 0 left"
    );
}

#[test]
fn defaults_and_constants_are_those_of_the_file() {
    let it = Everything::default();
    assert_eq!(
        (it.number, it.fraction, it.text.as_str()),
        (100, 0.25, "default")
    );
    assert_eq!((it.kind, it.maybe_list), (Color::Blue, Some(vec![1])));
    assert_eq!(it.must_list, ["filled"]);
    assert_eq!(GREETING, "Grüße, \"Welt\" \\ 世界\n");
    assert_eq!((GREAT, SMALL, WORST_NUMBER), (i64::MAX, i8::MIN, 16));
    assert_eq!(table()["none"], [0; 0]);
    assert_eq!(some_of_all().point, Point { x: 1, y: 2 });
    assert_eq!(unit(), Shape::Circle(1.0));
    assert_eq!(NIL, Uuid::from_u128(1));
    assert_eq!(MAGIC, b"\tbytes");
}

#[test]
fn a_missing_required_field_is_named() {
    let error = decode::<Point>(&Bytes::from_static(b"\x08\0\x01\0\0\0\x01\0")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "thrift arg3: missing required field \"y\" with id 2"
    );
}
