struct NotThrown { 1: string why }

service Base { void ping() }
service Child extends Base {
  void ping()
  void a(1: i32 x, 1: i32 y, 3: i32 x)
  void b() throws (1: NotThrown no, 2: i32 code)
}
