-- A part of other scripts. In place of `clock`: the caller's time, for a store that tells it to no script. It is the last two
-- of ARGV, seconds since 1970 and microseconds, as TIME replies them; the rest of the script does not see them.
local CALLERS_MICROSECONDS, CALLERS_SECONDS = table.remove(ARGV), table.remove(ARGV)

-- Returns the caller's time, µs since 1970.
local function now() return CALLERS_SECONDS * 1000000 + CALLERS_MICROSECONDS end
