#!lua flags=allow-oom
-- Takes a request from the limits of a user and a session; the caller is authenticated elsewhere.
-- requires: clock, gcra, user_limits
local user_limits = KEYS[1] -- HASH, see RateLimits
local class = ARGV[1] -- of the request
local session = ARGV[2] -- the first 8 bytes of its token's digest; empty for a signed identity
local limit = tonumber(ARGV[3]) -- integer, requests a minute of that class for a session, half of a user's
local cost = tonumber(ARGV[4]) -- integer, as how many requests this one counts
local done = ARGV[5] == '1' -- 1: it is done already, and is taken whatever is left; 0: it waits for the answer
-- reply: {1: it may pass, 0: it may not; how many more would; µs until the limit is unused; µs to wait}
local passes, left, busy, waiting = take_of_user(user_limits, class, session, limit, now(), cost, done and take or pass)
return {passes and 1 or 0, left, busy, waiting}
