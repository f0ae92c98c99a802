enum Size { SMALL, LARGE }
union Way { 1: string by_foot }
struct Parcel {
  1: required string to
  3: Size size
}
exception Lost { 1: string where }
service Post {
  Parcel send(1: Parcel parcel) throws (1: Lost lost)
  Way way(1: Way way)
  void forget()
}
