include "shared.thrift"

/* Members of an enum of another file, named as shortly as Thrift's own compiler takes them. */
const list<shared.Priority> SHORTER_AND_SHORTER = [shared.Priority.HIGH, Priority.HIGH, shared.HIGH, HIGH]
const list<uuid> BRACES_OR_NOT = ["{00112233-4455-6677-8899-AABBCCDDEEFF}", "00112233-4455-6677-8899-aabbccddeeff"]

service Elsewhere extends shared.Base {
  shared.Priority ask(1: shared.UserId id)
}
