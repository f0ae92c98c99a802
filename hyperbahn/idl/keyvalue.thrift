/** Nothing is stored under the key. */
exception NotFound {
  1: required string key
}

/** The store is full. */
exception Full {
  1: required i32 limit
}

/** A key and what is stored under it. */
struct Entry {
  1: required string key
  2: required string value
}

/** Texts by key, kept in memory: a demonstration. */
service KeyValue {
  /** The value under `key`. */
  string get(1: string key) throws (1: NotFound missing)

  /** Puts `value` under `key`. */
  void put(1: string key, 2: string value) throws (1: Full full)

  /** All that is stored, one entry after another. */
  Entry scan() (streaming = "response")

  /** Puts every entry that comes, and says how many those were. */
  i32 load(1: Entry entries) throws (1: Full full) (streaming = "request")
}
