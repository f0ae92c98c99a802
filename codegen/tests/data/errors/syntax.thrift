struct Point {
  1: required i32
  2: i32 y = 
  x: i32 z
  string name
  4 i32 w
  5: i32 v v
}

enum Color { RED = "1", GREEN }

service Store {
  string get(1: string key, 2 string other)
  void put(1: string key) throw (1: Failure f)
  oneway void log(1: string line)
  i32
}

const i32 A = 99999999999999999999
const string B = "no end
strukt Wrong {}
senum Old { "a" }
struct Open {
  1: i32 a

service Next {
  void ping()
}
