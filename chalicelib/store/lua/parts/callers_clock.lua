-- A part of other scripts. Before all others: the time that the caller says, on a store that tells it to no script. It is the
-- last two of ARGV, seconds since 1970 and microseconds, as TIME replies them; the script does not see them there.
local CALLERS_CLOCK = {table.remove(ARGV, #ARGV - 1), table.remove(ARGV)}
