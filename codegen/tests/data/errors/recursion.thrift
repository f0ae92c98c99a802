struct Endless { 1: required Endless inner }
struct Ping { 1: required Pong pong }
struct Pong { 1: required Ping ping, 2: optional Ping fine }
