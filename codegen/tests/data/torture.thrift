#!/usr/bin/thrift
/* All of the language in one file, the odd corners first. */
include "common/shared.thrift"
cpp_include "<vector>"

namespace java com.example.torture
namespace py.twisted torture
namespace rs torture

// Constants of every type.
const bool YES = true
const bool ONE = 1
const i8 SMALL = -128
const i16 SHORT = 0x7fff;
const i32 COUNT = shared.LIMIT,
const i64 GREAT = 9223372036854775807
const double PI = 3.14159
const double WHOLE = 2
const double TINY = -1.5e-7
const string GREETING = "Grüße, \"Welt\" \\ 世界\n"
const string SINGLE = 'its "own" kind'
const binary MAGIC = "\tbytes"
const uuid NIL = "00000000-0000-0000-0000-000000000001"
const shared.Priority WORST = shared.Priority.URGENT
const i32 WORST_NUMBER = shared.Priority.HIGH
const list<i32> PRIMES = [2, 3, 5, 7, 11]
const set<string> WORDS = ["one", "two"]
const map<string, list<i64>> TABLE = {"powers of two that are quite many": [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536], "none": []}
const map<double, string> BY_DOUBLE = {0.5: "half"}
const Everything SOME_OF_ALL = {"flag": true, "text": "given", "kind": Color.GREEN, "must": RED, "point": {"x": 1, "y": 2}}
const Shape UNIT = {"circle": 1}

typedef map<string, list<set<i32>>> Deep
typedef Color Hue
typedef Deep Deeper (cpp.template = "std::map")

/**
 * Colours.
 *
 * Some <b>markup</b>, a [link], an address https://example.com/x and a `quoted <thing>`.
 */
enum Color {
  RED, GREEN = 5, /** The sky. */ BLUE
} (go.name = "Colour")

enum Empty {}

struct Nothing {}

struct Point {
  1: required i32 x
  2: required i32 y;
} (deprecated = "use `Place`", final)

/** One field of every kind. */
struct Everything {
  1: bool flag = false
  2: byte small
  3: i16 short
  4: i32 number = COUNT
  5: i64 great
  6: double fraction = 0.25
  7: string text = "default"
  8: binary bytes
  9: uuid id
  10: Color kind = Color.BLUE
  11: Point point
  12: list<Point> points
  13: set<Point> area
  14: map<Point, string> labels
  15: map<i32, map<string, set<list<binary>>>> nested
  16: Shape shape
  17: set<double> fractions
  18: map<Measure, i8> measures
  19: optional bool maybe_flag
  20: optional string maybe_text
  21: optional list<i32> maybe_list = [1]
  22: optional Point maybe_point
  23: required Color must
  24: required list<string> must_list = ["filled"]
  25: Hue hue
  26: Deep deep
  27: optional Everything again
  28: list<Everything> others
}

struct Measure {
  1: double value
  2: string unit
}

/** A value that is one of several. */
union Shape {
  1: double circle
  2: Point corner
  3: list<Shape> many
  /** A shape within. */
  4: Shape inner
  5: string unknown
}

/* Recursion of every kind. */
struct Tree {
  1: optional Tree left
  2: Tree right
  3: list<Tree> children
  4: map<string, Tree> named
}

struct Chicken {
  1: required Egg egg
}

struct Egg {
  1: optional Chicken chicken
  2: Chicken & other
}

/* Names that Rust has other plans for. */
struct type {
  1: string self
  2: string Self
  3: string fn
  4: string match = "r#match"
  5: i32 camelCase
  6: i32 camel_case
  7: i32 _1
  8: i32 reader
  9: i32 it
  10: i32 writer
}

struct Result { 1: i32 value }
struct Option { 1: Result result, 2: String string }
struct String { 1: string text }
struct Box { 1: optional Box box }
struct with_underscores { 1: i32 a }
struct WithUnderscores { 1: i32 a }

exception Failure {
  1: required string message (sensitive)
  2: optional Failure cause
}

exception Other { 1: list<Color> colors }

/** All there is to call. */
service Torture extends shared.Base {
  void nothing()
  Everything echo(1: Everything everything) throws (1: Failure failure)
  bool flags(1: bool a, 2: i8 b, 3: i16 c, 4: i32 d, 5: i64 e, 6: double f, 7: string g, 8: binary h, 9: uuid i)
  Shape shape(1: Shape shape)
  Tree grow(1: Tree tree, 2: i32 levels = 3)
  map<string, list<set<i32>>> nested(1: Deep deep, 2: optional string why)
  Color color(1: Hue hue, 2: Empty empty)
  void fail(
    1: i32 which
  ) throws (
    1: Failure failure,
    2: Other other;
    3: Failure again
    4: shared.Refused refused
  ) (retry = "never")
  binary type(1: string self, 2: Result result)
  String new(1: Option option)
  /** Mit Umlauten: äöü. */
  string unicode(1: string text),
}

service Child extends Torture {
  list<Tree> forest()
}
