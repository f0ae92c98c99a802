// The one Thrift service every peer program serves and calls.

exception NotFound {
  1: required string key
}

service KeyValue {
  string get(1: string key) throws (1: NotFound e)
  void put(1: string key, 2: string value)
  binary blob(1: binary data)
}
