//! What holds for any message, any args and any order of events, over the public API.

mod early_ends;
