/** The smallest service there is. */
service Greeter {
  string hello(1: string name)
}
