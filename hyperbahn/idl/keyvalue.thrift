/** Nothing is stored under the key. */
exception NotFound {
  1: required string key
}

/** The store is full. */
exception Full {
  1: required i32 limit
}

/** Texts by key, kept in memory: a demonstration. */
service KeyValue {
  /** The value under `key`. */
  string get(1: string key) throws (1: NotFound missing)

  /** Puts `value` under `key`. */
  void put(1: string key, 2: string value) throws (1: Full full)

  /** All that is stored. */
  map<string, string> all()
}
