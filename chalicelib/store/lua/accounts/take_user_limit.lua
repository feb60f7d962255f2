#!lua flags=allow-oom
-- Takes a request from the limits of both user and session; who calls has been authenticated elsewhere.
-- requires: clock, gcra, user_limits
-- KEYS[1]  rates    HASH, see Rates
-- ARGV[1]  class    of the request
-- ARGV[2]  session  the first 8 bytes of the digest of its token; empty for a signed identity
-- ARGV[3]  limit    integer, requests a minute of that class for a session; a user has twice as many
-- ARGV[4]  cost     integer, as how many requests this one counts
-- ARGV[5]  done     1: it has been done, and is taken whatever is left; 0: it waits for the answer
-- reply    {1: it may pass, 0: not; how many more would; microseconds until the limit is unused; microseconds to wait}
local time, taking = now(), ARGV[5] == '1' and take or pass
local passes, left, busy, waiting =
  take_of_user(KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), time, tonumber(ARGV[4]), taking)
return {passes and 1 or 0, left, busy, waiting}
