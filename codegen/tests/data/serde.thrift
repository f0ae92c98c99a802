/** Types that also go through JSON. */
namespace rs with_serde

enum Level { LOW = 1, HIGH = 2 }

union Amount {
  1: i64 whole
  2: double part
}

struct Order {
  1: required string id
  2: list<Amount> amounts
  3: optional Level level = Level.HIGH
  4: map<string, binary> extras
  5: set<double> weights
  6: uuid key
}
