// Every type that all peers know, nested, in unions, exceptions and recursion. Written so that the
// strictest of their compilers takes it.

enum Color {
  RED = 0
  GREEN = 5
  BLUE = 6
}

struct Point {
  1: required i32 x
  2: required i32 y
}

union Shape {
  1: double circle
  2: Point corner
  3: list<Shape> many
}

struct Tree {
  1: optional Tree left
  2: required list<Tree> children
  3: required string name
}

exception Failure {
  1: required string message
  2: optional Failure cause
}

struct Everything {
  1: required bool flag
  2: required i8 small
  3: required i16 medium
  4: required i32 number
  5: required i64 great
  6: required double fraction
  7: required string text
  8: required binary data
  9: required Color color
  10: required Point point
  11: required list<Point> points
  12: required set<string> words
  13: required map<string, i32> counts
  // Node writes keys that are no strings only as entries.
  14: required map<i32, map<string, list<binary>>> (js.type = "entries") nested
  15: required Shape shape
  16: required Tree tree
  17: optional string maybe_text
  18: optional Everything again
  19: optional list<list<list<bool>>> deep
}

service Base {
  string whoami(1: string it)
}

// Every method gives back what it got; `fail` throws it.
service Torture extends Base {
  Everything everything(1: Everything it)
  Shape shape(1: Shape it)
  Tree tree(1: Tree it)
  binary huge(1: binary it)
  list<Color> colors(1: list<Color> it)
  void nothing()
  void fail(1: Failure it) throws (1: Failure failure)
}
