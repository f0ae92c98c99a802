service S {
  i32 a(1: i32 x) (streaming = "responses")
  i32 b(1: i32 x) (deprecated = "no", streaming)
  void c(1: i32 x) (streaming = "response")
  i32 d(1: i32 x, 2: i32 y) (streaming = "request")
  void e() (streaming = "both")
  i32 f(1: i32 x) (streaming = "request", streaming = "response")
  i32 sound(1: i32 x) (streaming = "both")
}
