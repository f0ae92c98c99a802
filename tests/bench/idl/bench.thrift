// What is called when calls are typed.

service Bench {
  // Gives back what it gets.
  binary echo(1: binary payload)
}
