include "sound_shared.thrift"

struct Order {
  1: Custmer customer
  2: sound_shared.Amont amount
  3: elsewhere.Thing thing
  2: i32 again
  5: i32 amount
  6: list<map<string, Unknown>> deep
  7: MAX limit
}

struct Customer {}
struct Customer { 1: i32 id }

enum Level { LOW, HIGH, LOW }

const i32 MAX = 5
