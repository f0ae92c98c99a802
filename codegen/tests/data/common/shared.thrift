// What several services share.
namespace * common
namespace rs shared

/// How much somebody wants something.
enum Priority {
  LOW = 1
  NORMAL
  HIGH = 0x10
  URGENT = 16
}

typedef i64 UserId

const i32 LIMIT = 100

/** Who asks. */
struct Caller {
  1: required UserId id
  2: optional string name = "nobody"
}

exception Refused {
  1: string why
  2: Priority priority = Priority.NORMAL
}

service Base {
  /** Is anybody there? */
  void ping()
  Caller whoami(1: Caller caller) throws (1: Refused refused)
}
