/** What every service can be asked, whatever it does. */
namespace rs meta

/** What the asker is about to do. */
enum HealthRequestType {
  /** Is the process alive? */
  PROCESS = 0
  /** Does it want calls? */
  TRAFFIC = 1
}

/** What an instance does with calls. */
enum HealthState {
  REFUSING = 0
  ACCEPTING = 1
  STOPPING = 2
  STOPPED = 3
}

struct HealthRequest {
  /** Process when it is missing. */
  1: optional HealthRequestType type
}

struct HealthStatus {
  1: required bool ok
  /** Why not, when `ok` is false. */
  2: optional string message
  3: optional HealthState state
}

/** The interface of a service. */
struct ThriftIDLs {
  /** Texts by file name. */
  1: required map<string, string> idls
  /** The file to begin with. */
  2: required string entryPoint
}

/** What a service is built with. */
struct VersionInfo {
  1: required string language
  2: required string language_version
  /** The version of the TChannel library. */
  3: required string version
}

/** What every service can be asked. */
service Meta {
  /** Whether the instance is well. */
  HealthStatus health(1: HealthRequest hr)

  /** The Thrift files of the service. */
  ThriftIDLs thriftIDL()

  /** Language and library. */
  VersionInfo versionInfo()
}
