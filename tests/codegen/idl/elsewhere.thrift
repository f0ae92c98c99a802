include "shared.thrift"

service Elsewhere extends shared.Base {
  shared.Priority ask(1: shared.UserId id)
}
