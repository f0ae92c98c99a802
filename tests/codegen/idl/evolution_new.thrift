enum Size { SMALL, LARGE, HUGE }
union Way { 1: string by_foot, 2: map<string, list<double>> by_air }
struct Parcel {
  1: required string to
  2: optional map<string, list<Parcel>> within
  3: Size size
  4: optional string note = "none"
  5: i64 weight
}
exception Lost { 1: string where, 2: optional i64 since }
exception Refused { 1: string why }
service Post {
  Parcel send(1: Parcel parcel, 2: optional bool fast) throws (1: Lost lost, 2: Refused refused)
  Way way(1: Way way)
  i32 forget()
}
