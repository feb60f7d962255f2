-- Takes the time from the caller, in place of `clock`, for a store whose scripts may not ask for it. The last two of ARGV are
-- seconds since 1970 and microseconds, as TIME replies them; the rest of the script does not see them.
local CALLERS_MICROSECONDS, CALLERS_SECONDS = table.remove(ARGV), table.remove(ARGV)

-- Returns the caller's time, µs since 1970.
local function now() return CALLERS_SECONDS * 1000000 + CALLERS_MICROSECONDS end
