// Only carries the precompiled header that every other target reuses.
