enum Color { RED = 1, GREEN = 2 }
struct Point { 1: required i32 x, 2: i32 y = 300000000000 }
union Shape { 1: double circle, 2: double square }

const i8 BYTE = 200
const bool FLAG = "yes"
const Color COLOR = Color.BLUE
const Color NUMBER = 3
const list<i32> LIST = [1, "two", 3.5]
const map<string, i32> MAP = {1: 1}
const Point NO_X = {"y": 1}
const Point NO_Z = {"x": 1, "z": 1}
const Shape BOTH = {"circle": 1, "square": 2}
const uuid ID = "not-a-uuid"
const i32 LOOP = LOOPED
const i32 LOOPED = LOOP
const i16 TOO_WIDE = WIDE
const i32 WIDE = 70000
