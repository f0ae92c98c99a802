/** Nothing is stored under the key. */
exception NotFound {
  1: required string key
}

/** A key has another value from now on. */
struct Change {
  1: required string key
  2: required string value
}

/** A store of values by key. */
service KeyValue {
  /** The value under `key`. */
  string get(1: string key) throws (1: NotFound not_found)

  /** Puts `value` under `key`, whatever was there. */
  void put(1: string key, 2: string value)

  /** Every change from now on of keys that begin with `prefix`. */
  Change watch(1: string prefix) (streaming = "response")
}
