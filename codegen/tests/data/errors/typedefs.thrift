typedef list<B> A
typedef map<string, A> B
typedef Nowhere C
