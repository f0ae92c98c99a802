/** A store of values by key. */
namespace rs keyvalue

/** Nothing is stored under the key. */
exception NotFound {
  1: required string key
}

/** Keys and values. */
service KeyValue {
  /** The value under `key`. */
  string get(1: string key) throws (1: NotFound missing)

  /** Puts `value` under `key`. */
  void put(1: string key, 2: string value)
}
