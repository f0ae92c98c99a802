/*
 * Written after what the test files of Thrift itself are known for: numbers as enum members, structs that
 * insane nesting leads through, methods for each type, names that are keywords elsewhere, recursion over
 * two structs, constants of constants. No `oneway`: TChannel has none.
 */
namespace c_glib TTest
namespace cpp thrift.test
namespace py.twisted ThriftTest
namespace * thrift.test
namespace rs classic

enum Digit { ONE = 1, TWO, THREE, FIVE = 5, SIX, EIGHT = 8 }

const Digit FAVOURITE = Digit.ONE
const list<Digit> ODD = [Digit.ONE, Digit.THREE, Digit.FIVE]
const map<Digit, map<string, list<i32>>> MULTIPLES = {
  Digit.TWO: {"few": [2, 4], "none": []},
  Digit.THREE: {"few": [3, 6]},
}

typedef i64 Id
typedef map<string, Bonk> BonkMap (py.name = "bonks")

struct Bonk { 1: string message, 2: i32 type }

struct Xtruct {
  1: string string_thing
  4: i8 byte_thing
  9: i32 i32_thing
  11: i64 i64_thing
}

struct Xtruct2 {
  1: i8 byte_thing // as `byte` once was
  2: Xtruct struct_thing
  3: i32 i32_thing
}

struct Insanity {
  1: map<Digit, Id> ids
  2: list<Xtruct> xtructs
} (python.immutable = "")

struct CrazyNesting {
  1: string string_field
  2: optional set<Insanity> set_field
  3: required list<map<set<i32> (python.immutable = ""), map<i32, set<list<map<Insanity, string>>>>>> list_field
  4: binary binary_field
  5: uuid uuid_field
}

union SomeUnion {
  1: map<Digit, Id> map_thing
  2: string string_thing
  3: i32 i32_thing
  4: Xtruct2 xtruct_thing
  5: Insanity insanity_thing
}

exception Xception { 1: i32 error_code, 2: string message }
exception Xception2 { 1: i32 error_code, 2: Xtruct struct_thing }

struct EmptyStruct {}
struct OneField { 1: EmptyStruct field }

struct RecTree { 1: list<RecTree> children, 2: i16 item }
struct RecList { 1: RecList & nextitem, 3: i16 item }
struct CoRec { 1: CoRec2 & other }
struct CoRec2 { 1: CoRec other }
struct VectorTest { 1: list<RecList> lister }

struct Versioned {
  1: i32 begin_in_both
  3: string old_string (priority = "0", dense.varint = "false")
  12: i32 end_in_both
}

struct Keywords {
  1: string from, 2: string in, 3: string yield, 4: string class, 5: string None, 6: string async
  7: string union, 8: string enum_, 9: string impl, 10: string dyn
}

struct Large {
  1: i32 a1; 2: i32 a2; 3: i32 a3; 4: i32 a4; 5: i32 a5; 6: i32 a6; 7: i32 a7; 8: i32 a8
  100: string b100; 1000: string b1000; 32767: string last
}

struct Defaults {
  1: string text = 'single "quoted"'
  2: list<i32> numbers = [1, 2, 3]
  3: map<string, Digit> digits = {"one": Digit.ONE}
  4: Bonk bonk = {"message": "hi", "type": 5}
  5: optional bool flag = true
  6: double ratio = -0.5
  7: Digit digit = 8
}

service ThriftTest {
  void testVoid()
  string testString(1: string thing)
  bool testBool(1: bool thing)
  i8 testByte(1: i8 thing)
  i32 testI32(1: i32 thing)
  i64 testI64(1: i64 thing)
  double testDouble(1: double thing)
  binary testBinary(1: binary thing)
  uuid testUuid(1: uuid thing)
  Xtruct testStruct(1: Xtruct thing)
  Xtruct2 testNest(1: Xtruct2 thing)
  map<i32, i32> testMap(1: map<i32, i32> thing)
  map<string, string> testStringMap(1: map<string, string> thing)
  set<i32> testSet(1: set<i32> thing)
  list<i32> testList(1: list<i32> thing)
  Digit testEnum(1: Digit thing)
  Id testTypedef(1: Id thing)
  map<i32, map<i32, i32>> testMapMap(1: i32 hello)
  map<Id, map<Digit, Insanity>> testInsanity(1: Insanity argument)
  Xtruct testMulti(1: i8 a0, 2: i32 a1, 3: i64 a2, 4: map<i16, string> a3, 5: Digit a4, 6: Id a5)
  void testException(1: string arg) throws (1: Xception err1)
  Xtruct testMultiException(1: string arg0, 2: string arg1) throws (1: Xception err1, 2: Xception2 err2)
}

service SecondService extends ThriftTest {
  string secondtestString(1: string thing)
}
