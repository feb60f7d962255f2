#!lua flags=no-writes
-- Reads whether a user is online.
-- requires: presence
-- KEYS[1]  user         HASH, see Accounts
-- KEYS[2]  connections  HASH, see Presence
-- KEYS[3]  seen         STRING, see Presence
-- KEYS[4]  blocked      ZSET, see Blocks
-- ARGV[1]  reader       handle of who asks
-- reply    {1: online, 0: not, or they have blocked the reader; when they were last, µs; 0: never, or the same};
--          {}: there is no account, and nobody connected
return shown(KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1])
