// Every type, nested and in recursion.

typedef i64 UserId
typedef map<string, list<set<i32>>> Deep

enum Color { RED = 0, GREEN = 5, BLUE = 6, AZURE = 6 }
enum Empty {}

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
  3: required string name
  1: optional Tree left
  2: required list<Tree> children
}

struct Item {
  1: required string key
  2: string value = "nothing"
}

struct Request {
  1: required list<Item> items
  2: required Color color = Color.GREEN
}

exception Failure {
  1: required string message
  2: optional Failure cause
}

struct Everything {
  1: bool flag
  2: i8 small
  3: i16 medium
  4: i32 number = 7
  5: i64 great
  6: double fraction
  7: string text
  8: binary data
  9: uuid id
  10: Color color
  11: Point point
  12: list<Point> points
  13: set<string> words
  14: map<string, i32> counts
  15: map<i64, map<bool, list<binary>>> nested
  16: map<Point, string> labels
  17: map<double, Color> fractions
  18: map<Color, uuid> colors
  19: map<uuid, Shape> shapes
  20: map<binary, Deep> deeps
  21: Shape shape
  22: Tree tree
  23: UserId user
  24: Empty empty
  25: optional Everything again
  26: required string must
  27: optional string may
}

service Base {
  void ping()
}

service Torture extends Base {
  Everything echo(1: Everything it)
  Tree grow(1: Tree tree, 2: i32 levels = 3, 3: optional string why)
  void put(1: Request request)
  string get(1: UserId user) throws (1: Failure failure)
  void twice() throws (1: Failure first, 2: Failure second)
}

service Other {
  void ping()
}
