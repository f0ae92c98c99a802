/** Methods that take or give streams of values. */
namespace rs streams

/** What has happened to a key. */
struct Event {
  1: required string key
  2: optional string value
}

exception TooMany {
  1: required i32 limit
}

/** What every store can do. */
service Watched {
  /** Events of a key, as they happen. */
  Event watch(1: string key) throws (1: TooMany too_many) (streaming = "response")
}

/** A store that is filled and read by streams. */
service Store extends Watched {
  /** Takes events, and gives how many. */
  i64 load(1: Event events) throws (1: TooMany too_many) (streaming = "request")

  /** The answer to each key, as it comes. */
  binary lookUp(1: string keys) (streaming = "both")

  /** All keys, in order. */
  string keys() (streaming = "response", deprecated = "use `watch`")

  list<map<string, Event>> history(1: string key, 2: i64 since, 3: i64 until) throws (1: TooMany too_many) (streaming = "response")

  void a(1: i32 x) (streaming = "request")
}
