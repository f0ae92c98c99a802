struct Amount { 1: i64 cents }
