struct A {
  1: i32 größe
  2: string ok @ 3
}
	const i32 B = + 1
